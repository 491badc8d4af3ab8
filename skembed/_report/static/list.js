/* The list of tokens: sorted, copied, saved. */
"use strict";

const list = (() => {
  const { element, name, plural, say } = dom;
  const { number, signed } = logic;
  const MOST_LISTED = 200;

  function listed(column) {
    const some = column.selected || column.tokens;
    const { key, down } = column.order;
    if (key === "effect" && !column.selected) {
      const ranked = Array.from(column.ranked); // in that order already
      return down ? ranked.reverse() : ranked;
    }
    if (key === "token") {
      const sorted = Array.from(some).sort((a, b) =>
        column.nameOf(a) < column.nameOf(b) ? -1 : 1,
      );
      return down ? sorted.reverse() : sorted;
    }
    const values = { count: column.count, effect: column.effect, std: column.std }[key];
    return Array.from(logic.ordered(some, values, down));
  }

  function refresh(column) {
    const { at } = column;
    const tokens = listed(column);
    at["list-title"].textContent = column.selected
      ? `${plural(tokens.length, "token")} selected`
      : plural(tokens.length, "token");
    at.clear.disabled = !column.selected;
    const titles = [
      ["token", "token"],
      ["count", "rows"],
      ["effect", "effect"],
      ...(column.std ? [["std", `${100 * column.facts.coverage} % interval`]] : []),
    ];
    at.list.tHead.rows[0].replaceChildren(
      ...titles.map(([key, title]) => {
        const isKey = column.order.key === key;
        const arrow = isKey ? (column.order.down ? " ↓" : " ↑") : "";
        return element(
          "th",
          {
            scope: "col",
            class: key === "token" ? "" : "number",
            "aria-sort": isKey ? (column.order.down ? "descending" : "ascending") : "none",
          },
          element(
            "button",
            { type: "button", on: { click: () => sortBy(column, key) } },
            title + arrow,
          ),
        );
      }),
    );
    at.list.tBodies[0].replaceChildren(
      ...tokens.slice(0, MOST_LISTED).map((i) =>
        element(
          "tr",
          { "data-token": i, "aria-current": i === column.focus ? "true" : null },
          element(
            "td",
            {},
            element(
              "button",
              {
                type: "button",
                title: column.nameOf(i).slice(0, 200),
                on: { click: () => column.choose(i, { andShow: true }) },
              },
              name(column.nameOf(i), 60),
            ),
          ),
          element("td", { class: "number" }, number(column.count[i], 9)),
          element("td", { class: "number" }, signed(column.effect[i])),
          column.std ? element("td", { class: "number" }, column.intervalText(i)) : null,
        ),
      ),
    );
    const left = tokens.length - MOST_LISTED;
    at["list-note"].textContent =
      left > 0 ? `${number(left, 9)} more are in what is copied or saved.` : "";
  }

  function sortBy(column, key) {
    column.order = {
      key,
      down: column.order.key === key ? !column.order.down : key !== "token",
    };
    refresh(column);
    const titles = [...column.at.list.tHead.querySelectorAll("button")];
    const place = ["token", "count", "effect", "std"].indexOf(key);
    if (titles[place]) titles[place].focus();
  }

  function mark(column) {
    for (const row of column.at.list.tBodies[0].rows) {
      if (Number(row.dataset.token) === column.focus) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  function csv(column) {
    const meta = column.facts.metadata;
    const head = [
      "token",
      ...(column.facts.tokens ? ["label"] : []),
      "rows",
      "effect",
      ...(column.std ? ["std", "low", "high"] : []),
      ...meta.map((m) => m.name),
    ];
    const rows = listed(column).map((i) => [
      column.tokenOf(i),
      ...(column.facts.tokens ? [column.nameOf(i)] : []),
      column.count[i],
      column.effect[i],
      ...(column.std ? [column.std[i], ...column.intervalOf(i)] : []),
      ...meta.map((m) => {
        const value = column.arrays[m.array].values[i];
        return m.kind === "number" ? value : value < 0 ? "" : m.categories[value];
      }),
    ]);
    return logic.csv([head, ...rows]);
  }

  async function copy(column) {
    const text = csv(column);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages from a file may not use the clipboard; a selected field can be copied.
      const field = element("textarea", { class: "hidden" });
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      column.at.copy.focus();
    }
    tellOn(column, column.at.copy, "Copied");
  }

  function save(column) {
    const blob = new Blob(["\ufeff", csv(column)], { type: "text/csv;charset=utf-8" });
    const url = URL.createObjectURL(blob);
    const file = column.facts.name.replace(/[^\p{L}\p{N}_-]+/gu, "_").slice(0, 60) || "tokens";
    element("a", { href: url, download: `${file}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    tellOn(column, column.at.save, "Saved");
  }

  function tellOn(column, button, word) {
    const before = button.dataset.word || button.textContent;
    button.dataset.word = before;
    button.textContent = word;
    say(`${word}: ${plural(listed(column).length, "token")}`);
    setTimeout(() => (button.textContent = before), 1500);
  }

  return { copy, mark, refresh, save };
})();
