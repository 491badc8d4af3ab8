/* The card of a token: its numbers, its neighbours, its outcomes and its vector. */
"use strict";

const card = (() => {
  const { element, name, plural, svg } = dom;
  const { number, signed } = logic;
  const UNKNOWN = -2;
  const NOBODY = -1;

  function refresh(column) {
    const i = column.focus;
    if (i === NOBODY || !column.plot) return;
    const { card: box } = column.at;
    const parts = [element("div", { class: "name", dir: "auto" }, column.nameOf(i))];
    if (i >= 0 && column.tokenOf(i) !== column.nameOf(i))
      parts.push(element("div", { class: "token quiet", dir: "auto" }, column.tokenOf(i)));
    if (i >= 0 && column.arrays.pooled && column.arrays.pooled.values[i])
      parts.push(element("span", { class: "badge" }, "rare: pooled with others"));
    parts.push(
      element(
        "div",
        { class: "effect" },
        `${signed(column.effectOf(i))} `,
        element("small", {}, name(column.unit, 60)),
      ),
    );
    const interval = column.intervalOf(i);
    if (interval)
      parts.push(
        element(
          "div",
          { class: "quiet" },
          `${100 * column.facts.coverage} % interval: ${column.intervalText(i)}`,
        ),
      );
    parts.push(whisker(column, i, interval));
    parts.push(numbersOf(column, i));
    if (i === UNKNOWN) {
      const { isRefused, isPooled } = column.facts.unknown;
      parts.push(
        element(
          "p",
          { class: "quiet small" },
          isRefused
            ? "This estimator refuses tokens that fit has not seen. Shown is the prior: what it expects of a token before the first row."
            : isPooled
              ? "A token that fit has not seen is treated as one of the rare ones, which share a vector."
              : "A token that fit has not seen has the prior: nothing is known of it but how much tokens differ.",
        ),
      );
    } else {
      parts.push(...nearOf(column, i), ...outcomesOf(column, i), ...vectorOf(column, i));
    }
    box.replaceChildren(...parts);
    box.scrollTop = 0;
  }

  function numbersOf(column, i) {
    const rows = [];
    const add = (what, value) => rows.push(element("dt", {}, what), element("dd", {}, value));
    if (i >= 0) add("rows of training", number(column.count[i], 9));
    if (column.raw && i >= 0) {
      add(
        column.facts.isProbability
          ? "share in its rows (raw)"
          : "mean outcome of its rows (raw)",
        number(column.raw[i], 4),
      );
    }
    add(
      column.facts.isProbability
        ? "probability with this token"
        : "predicted with this token (shrunken)",
      number(column.base + column.effectOf(i), 4),
    );
    for (const meta of i >= 0 ? column.facts.metadata : []) {
      const value = column.arrays[meta.array].values[i];
      add(
        name(meta.name, 60),
        meta.kind === "number"
          ? number(value, 6)
          : value < 0
            ? "–"
            : name(meta.categories[value], 200),
      );
    }
    return element("dl", {}, ...rows);
  }

  /** The interval of a token on the scale of all effects, with the prior behind it. */
  function whisker(column, i, interval) {
    const all = column.effect;
    let [low, high] = [0, 0];
    for (const token of column.tokens) {
      low = Math.min(low, all[token]);
      high = Math.max(high, all[token]);
    }
    const raw =
      column.raw && i >= 0 && Number.isFinite(column.raw[i])
        ? column.raw[i] - column.base
        : null;
    for (const v of [...(interval || []), column.effectOf(i), raw ?? 0])
      [low, high] = [Math.min(low, v), Math.max(high, v)];
    const x = (v) => 6 + (328 * (Math.min(Math.max(v, low), high) - low)) / (high - low || 1);
    const prior = column.isUnknownShown ? column.intervalOf(UNKNOWN) : null;
    const shapes = [];
    if (prior)
      shapes.push(
        svg("rect", {
          x: x(prior[0]),
          y: 4,
          width: Math.max(x(prior[1]) - x(prior[0]), 1),
          height: 22,
          fill: "var(--faint)",
        }),
      );
    shapes.push(svg("line", { x1: x(0), x2: x(0), y1: 2, y2: 28, stroke: "var(--control)" }));
    if (interval)
      shapes.push(
        svg("line", {
          x1: x(interval[0]),
          x2: x(interval[1]),
          y1: 15,
          y2: 15,
          stroke: "var(--accent)",
          "stroke-width": 3,
          "stroke-linecap": "round",
        }),
      );
    shapes.push(
      svg("circle", {
        cx: x(column.effectOf(i)),
        cy: 15,
        r: 5,
        fill: "var(--accent)",
        stroke: "var(--box)",
        "stroke-width": 1.5,
      }),
    );
    if (raw !== null) {
      const at = x(raw);
      shapes.push(
        svg("path", {
          d: `M${at} 9 L${at + 6} 15 L${at} 21 L${at - 6} 15 Z`,
          fill: "none",
          stroke: "var(--text)",
          "stroke-width": 1.5,
        }),
      );
    }
    const words = `Effect ${signed(column.effectOf(i))} on a scale from ${signed(low)} to ${signed(high)}${raw === null ? "" : `; raw mean at ${signed(raw)}`}`;
    const picture = svg(
      "svg",
      { viewBox: "0 0 340 30", role: "img", "aria-label": words },
      ...shapes,
    );
    const key = element(
      "p",
      { class: "quiet small" },
      `● effect${interval ? " and interval" : ""}${raw === null ? "" : "   ◇ raw mean"}   │ zero${prior ? "   shaded: the prior" : ""}`,
    );
    return element("div", { style: "margin-top:8px" }, picture, key);
  }

  function nearOf(column, i) {
    const { neighbor, distance, tied } = column.arrays;
    if (!neighbor) return [];
    const width = neighbor.shape[1];
    const at = (k) => i * width + k;
    let most = 0;
    for (let k = 0; k < width; k++) most = Math.max(most, Math.abs(distance.values[at(k)]));
    const { metric } = column.facts;
    const items = Array.from({ length: width }, (_, k) => {
      const other = neighbor.values[at(k)];
      const gap = distance.values[at(k)];
      const isTied = tied && tied.values[at(k)];
      const hasNext = tied && k < column.n - 2;
      return element(
        "li",
        {},
        element(
          "button",
          {
            type: "button",
            "data-token": other,
            title: column.nameOf(other).slice(0, 200),
            on: { click: () => column.choose(other, { andShow: true }) },
          },
          name(column.nameOf(other), 60),
        ),
        element("span", {
          class: "length",
          style: `width:${(70 * Math.abs(gap)) / (most || 1)}px`,
        }),
        element(
          "span",
          { class: "number" },
          `${number(gap)} `,
          hasNext
            ? element(
                "span",
                {
                  class: "tied",
                  role: "img",
                  title: isTied
                    ? "Tied: the data cannot tell this token and the next apart"
                    : "The order is sure",
                  "aria-label": isTied ? "tied with the next" : "order sure",
                },
                isTied ? "≈" : "<",
              )
            : element("span", { class: "tied" }),
        ),
      );
    });
    const what =
      metric === "outcome"
        ? `by how much predictions differ, ${column.unit.slice(0, 40)}`
        : `${metric} distance`;
    const notes = [`Distance: ${what}.`];
    if (tied)
      notes.push(
        `≈ tied: it may well be the next one that is nearer (the order has a probability below ${100 * column.facts.confidence} %).`,
      );
    return [
      element("h3", {}, "Nearest tokens"),
      element("ol", { class: "near" }, ...items),
      element("p", { class: "quiet small" }, notes.join(" ")),
    ];
  }

  function outcomesOf(column, i) {
    const { outcome, outcomeStart, nRows } = column.arrays;
    if (!nRows) return [];
    const rows = nRows.values[i];
    const title = element("h3", {}, `Outcome of its ${plural(rows, "row")}`);
    if (!rows)
      return [title, element("p", { class: "quiet small" }, "It is not in the rows of X.")];
    if (!outcome) {
      const shares = column.facts.outputs.map((text, k) => [
        text,
        column.arrays.rawMean.values[i * column.facts.outputs.length + k],
      ]);
      return [
        title,
        element(
          "dl",
          {},
          ...shares.flatMap(([text, share]) => [
            element("dt", {}, name(text, 60)),
            element("dd", {}, number(share, 3)),
          ]),
        ),
      ];
    }
    const values = outcome.values.subarray(outcomeStart.values[i], outcomeStart.values[i + 1]);
    const predicted = column.base + column.effect[i];
    const low = Math.min(values[0], predicted);
    const high = Math.max(values[values.length - 1], predicted);
    const x = (v) => 6 + (328 * (v - low)) / (high - low || 1);
    const shapes = [];
    if (values.length > 30) {
      const { edges, heights } = logic.bins(
        values,
        Math.min(30, Math.ceil(Math.sqrt(values.length) * 1.5)),
      );
      const top = Math.max(...heights);
      heights.forEach((height, k) =>
        shapes.push(
          svg("rect", {
            x: x(edges[k]) + 0.5,
            width: Math.max(x(edges[k + 1]) - x(edges[k]) - 1, 0.5),
            y: 44 - (42 * height) / top,
            height: (42 * height) / top,
            fill: "var(--band)",
          }),
        ),
      );
    } else {
      values.forEach((v) =>
        shapes.push(
          svg("line", {
            x1: x(v),
            x2: x(v),
            y1: 20,
            y2: 44,
            stroke: "var(--band)",
            "stroke-width": 2,
          }),
        ),
      );
    }
    shapes.push(
      svg("line", {
        x1: x(predicted),
        x2: x(predicted),
        y1: 0,
        y2: 46,
        stroke: "var(--accent)",
        "stroke-width": 2,
      }),
    );
    const middle = values[Math.floor(values.length / 2)];
    const words = `From ${number(values[0], 4)} to ${number(values[values.length - 1], 4)}, middle ${number(middle, 4)}`;
    const some = values.length < rows ? ` Drawn: ${values.length} of them.` : "";
    return [
      title,
      svg("svg", { viewBox: "0 0 340 47", role: "img", "aria-label": words }, ...shapes),
      element(
        "p",
        { class: "quiet small" },
        `${words}. Line: predicted with this token in the rows of comparison.${some}`,
      ),
    ];
  }

  function vectorOf(column, i) {
    const { vector, vectorStd } = column.arrays;
    const width = vector.shape[1];
    const rows = Array.from({ length: width }, (_, k) => {
      const cells = [
        element("td", {}, String(k)),
        element("td", { class: "number" }, number(vector.values[i * width + k])),
      ];
      if (vectorStd) {
        cells.push(
          element("td", { class: "number" }, number(vectorStd.values[i * width + k])),
          element("td", { class: "number" }, number(column.facts.priorScale[k])),
        );
      }
      return element("tr", {}, ...cells);
    });
    const titles = ["coordinate", "mean", ...(vectorStd ? ["std", "prior"] : [])];
    const head = element(
      "tr",
      {},
      ...titles.map((t, k) => element("th", { scope: "col", class: k ? "number" : "" }, t)),
    );
    return [
      element(
        "details",
        {},
        element(
          "summary",
          {},
          element("h3", { style: "display:inline-block" }, `Vector (${width} numbers)`),
        ),
        element(
          "table",
          { class: "facts" },
          element("thead", {}, head),
          element("tbody", {}, ...rows),
        ),
      ),
    ];
  }

  return { refresh };
})();
