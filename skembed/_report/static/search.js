/* The search: a combobox that completes the names of tokens. */
"use strict";

const search = (() => {
  const { element, name, plural, say } = dom;
  const UNKNOWN = -2;

  function listen(column) {
    const { search: field, found } = column.at;
    let hits = [];
    let active = -1;
    const close = () => {
      found.hidden = true;
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
      active = -1;
    };
    const mark = (k) => {
      active = k;
      [...found.children].forEach((item, i) =>
        item.setAttribute("aria-selected", String(i === k)),
      );
      const item = found.children[k];
      if (!item) return;
      field.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    };
    const take = (i) => {
      close();
      field.value = "";
      column.choose(i, { andShow: true });
    };
    const look = () => {
      const query = field.value;
      hits = logic.search(column.texts, column.count, query, 12);
      if (
        column.isUnknownShown &&
        query.trim() &&
        logic.folded(column.nameOf(UNKNOWN)).includes(logic.folded(query.trim()))
      )
        hits.push(UNKNOWN);
      found.replaceChildren(
        ...hits.map((i, k) =>
          element(
            "li",
            {
              role: "option",
              id: `${found.id}-${k}`,
              "aria-selected": "false",
              on: {
                mousedown: (event) => (event.preventDefault(), take(i)),
                mousemove: () => active !== k && mark(k),
              },
            },
            element("span", { class: "name" }, name(column.nameOf(i), 80)),
            element("span", { class: "more" }, i === UNKNOWN ? "the prior" : moreOf(column, i)),
          ),
        ),
      );
      const nothing = query.trim() && !hits.length;
      if (nothing)
        found.append(
          element(
            "li",
            { class: "nothing", role: "presentation" },
            "No token has this in its name.",
          ),
        );
      found.hidden = !hits.length && !nothing;
      field.setAttribute("aria-expanded", String(hits.length > 0));
      active = -1;
      if (hits.length) mark(0);
      if (query.trim()) say(hits.length ? plural(hits.length, "suggestion") : "No token found");
    };
    field.addEventListener("input", look);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && hits.length) mark((active + 1) % hits.length);
      else if (event.key === "ArrowUp" && hits.length)
        mark((active - 1 + hits.length) % hits.length);
      else if (event.key === "Enter" && active >= 0) take(hits[active]);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
  }

  function moreOf(column, i) {
    const rows = plural(column.count[i], "row");
    return column.facts.tokens && column.tokenOf(i) !== column.nameOf(i)
      ? `${column.tokenOf(i).slice(0, 30)} · ${rows}`
      : rows;
  }

  return { listen };
})();
