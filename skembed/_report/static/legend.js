/* The legend of a map: what colours, areas and marks mean. */
"use strict";

const legend = (() => {
  const { element, name, svg } = dom;
  const { number, signed } = logic;
  const UNKNOWN = -2;

  function refresh(column, chosen, scale) {
    const box = column.at.legend;
    const parts = [];
    if (chosen.kind === "category") {
      const n = scale.palette.length - 1;
      const chip = (text, k, test) =>
        element(
          "button",
          {
            type: "button",
            class: "chip",
            title: `Select: ${text}`,
            on: {
              click: () =>
                column.select([...column.tokens].filter((i) => test(chosen.values()[i]))),
            },
          },
          element("i", { style: `background:${scale.palette[k]}` }),
          name(text, 40),
        );
      chosen.categories
        .slice(0, n)
        .forEach((text, k) => parts.push(chip(text, k, (c) => c === k)));
      const rest = chosen.categories.length - n;
      const test = (c) => c < 0 || c >= n;
      if (column.tokens.some((i) => test(chosen.values()[i])))
        parts.push(chip(rest > 0 ? `${rest} others` : "none", n, test));
    } else {
      const back = (v) =>
        chosen.kind === "log"
          ? number(10 ** v)
          : chosen.kind === "diverging"
            ? signed(v)
            : number(v);
      parts.push(
        element(
          "span",
          { class: "ramp" },
          `${scale.beyond[0] ? "≤ " : ""}${back(scale.low)}`,
          element("i", {
            style: `background:linear-gradient(90deg, ${scale.palette.join(", ")})`,
          }),
          `${scale.beyond[1] ? "≥ " : ""}${back(scale.high)}`,
          " ",
          name(chosen.unit(), 60),
        ),
      );
    }
    const sizes = column.steps.filter((s) => /^1(0*)$/.test(String(s))).slice(-3);
    if (sizes.length) {
      const n = column.tokens.length;
      const drawnSizes = logic.diameters(
        [...sizes, column.steps.at(-1)],
        [0, 1, 2, 3].slice(0, sizes.length + 1),
      );
      parts.push(
        element(
          "span",
          { class: "sizes" },
          ...sizes.flatMap((s, k) => {
            const d =
              n < 200 ? drawnSizes[k] : Math.max(drawnSizes[k] * (n < 3000 ? 0.7 : 0.46), 3);
            return [
              svg(
                "svg",
                { width: d + 2, height: d + 2, "aria-hidden": "true" },
                svg("circle", {
                  cx: d / 2 + 1,
                  cy: d / 2 + 1,
                  r: d / 2,
                  fill: "none",
                  stroke: "currentColor",
                }),
              ),
              number(s, 9),
            ];
          }),
          " rows",
        ),
      );
    }
    if (column.isUnknownShown) {
      const what = column.facts.unknown.isPooled
        ? "an unknown token (pooled)"
        : "an unknown token: the prior";
      parts.push(
        element(
          "button",
          { type: "button", class: "chip", on: { click: () => column.choose(UNKNOWN) } },
          "✕ ",
          what,
        ),
      );
    }
    if (column.arrays[`cov${column.map}`])
      parts.push(
        element("span", {}, `ellipses: ${100 * marks.ELLIPSE_SHARE} % of the posterior`),
      );
    if (!column.isEqual && column.plot.figure.left[0].axis_label.startsWith("axis"))
      parts.push(element("span", {}, "the vertical axis is stretched"));
    box.replaceChildren(...parts);
  }

  return { refresh };
})();
