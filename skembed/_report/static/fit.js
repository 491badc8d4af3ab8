/* The tab of the fit: losses, scores, scales, parameters and versions. */
"use strict";

const fit = (() => {
  const { clone, element, name } = dom;
  const { drawn, part, setRange, style, styleFrame } = drawing;
  const { number } = logic;

  async function open(panel, outline) {
    const { made, at } = clone("fit-panel");
    const { fit: facts } = outline;
    const tile = (value, what) =>
      element("div", { class: "tile" }, element("b", {}, value), element("span", {}, what));
    at.tiles.append(
      tile(
        facts.predictor,
        facts.estimator === facts.predictor ? "the estimator" : `in ${facts.estimator}`,
      ),
      tile(number(facts.nRows, 12), "rows of training (sum of weights)"),
      tile(number(facts.nFeatures), `columns, ${facts.columns.length} of them tokens`),
    );
    if (facts.score !== null)
      at.tiles.append(
        tile(number(facts.score, 4), `${facts.scoreName} on the X and y of the report`),
      );
    if (facts.noise.length)
      at.tiles.append(
        tile(
          facts.noise.map((v) => number(v)).join(", "),
          "noise scale, in units of the outcome or, with a log link, of its mean",
        ),
      );
    at.tiles.append(tile(number(facts.epochs), "epochs"));
    for (const column of facts.columns) {
      at.columns.tBodies[0].append(
        element(
          "tr",
          {},
          element("td", {}, name(column.name, 60)),
          element("td", { class: "number" }, number(column.tokens, 9)),
          element("td", { class: "number" }, number(column.dim)),
          element(
            "td",
            { class: "number" },
            column.active === null ? "–" : number(column.active),
          ),
          element(
            "td",
            {},
            column.scales.length
              ? column.scales.map((v) => number(v, 2)).join("  ")
              : "no prior",
          ),
        ),
      );
    }
    for (const { name: key, value, isDefault } of facts.parameters) {
      at.parameters.tBodies[0].append(
        element(
          "tr",
          { class: isDefault ? "" : "changed" },
          element("td", {}, key),
          element("td", {}, name(value), isDefault ? "" : " (not the default)"),
        ),
      );
    }
    for (const [key, value] of Object.entries(facts.versions)) {
      at.versions.tBodies[0].append(
        element("tr", {}, element("td", {}, key), element("td", {}, value)),
      );
    }
    panel.replaceChildren(made);
    const last = facts.loss.at(-1);
    const words = facts.loss.length
      ? `Loss of every epoch per row: ${number(facts.loss[0], 4)} in the first, ${number(last, 4)} in the last of ${facts.loss.length}.`
      : "This estimator keeps no losses.";
    at["loss-note"].textContent =
      words +
      (facts.validation.length
        ? ` Dashed: loss of the rows held out, ${number(facts.validation.at(-1), 4)} in the last.`
        : "");
    at.loss.setAttribute("aria-label", words);
    if (!facts.loss.length) return;
    const plot = await drawn(outline.figures.loss, at.loss);
    for (const [key, values] of [
      ["losses", facts.loss],
      ["validation", facts.validation],
    ]) {
      part(plot, key).data = {
        epoch: values.map((_, i) => i + 1),
        loss: values.map((v) => v ?? NaN),
      };
    }
    const all = [...facts.loss, ...facts.validation].filter((v) => v !== null);
    const frame = logic.ranges([1, facts.loss.length], all, 1, 1, false);
    setRange(plot.figure.x_range, frame.x);
    setRange(plot.figure.y_range, frame.y);
    const paint = () => {
      styleFrame(plot);
      style(plot, "losses-glyph", { line_color: theme.color("accent") });
      style(plot, "validation-glyph", { line_color: theme.color("quiet") });
    };
    theme.listen(paint);
    paint();
  }

  return { open };
})();
