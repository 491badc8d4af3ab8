/* Bokeh's drawings: put on the page, styled, moved by buttons, wheels and keys. */
"use strict";

const drawing = (() => {
  let copies = 0;

  /** Draw a copy of a figure, whose parts have ids of their own on this page. */
  async function drawn(item, target) {
    target.replaceChildren();
    copies += 1;
    const text = JSON.stringify(item).replaceAll(/"p(\d+)"/g, `"r${copies}-$1"`);
    const copy = JSON.parse(text);
    copy.target_id = null;
    const views = await Bokeh.embed.embed_item(copy, target);
    const view = [...views][0];
    return { view, figure: view.model, doc: view.model.document };
  }

  function part({ doc }, wanted) {
    return doc.get_model_by_name(wanted);
  }

  /** Columns as Bokeh takes them: plain arrays. */
  function listed(columns) {
    return Object.fromEntries(
      Object.entries(columns).map(([key, values]) => [key, Array.from(values)]),
    );
  }

  /** Set the properties of a glyph in all its states. */
  function style(plot, wanted, properties) {
    const renderer = part(plot, wanted);
    for (const state of ["glyph", "selection_glyph", "nonselection_glyph", "hover_glyph"]) {
      const glyph = renderer[state];
      if (!glyph || typeof glyph === "string") continue;
      for (const [property, value] of Object.entries(properties)) {
        if (property in glyph) glyph[property] = value;
      }
    }
  }

  function styleFrame(plot) {
    const { figure } = plot;
    const [quiet, line] = [theme.color("quiet"), theme.color("faint")];
    for (const axis of [...figure.below, ...figure.left]) {
      axis.axis_label_text_color = quiet;
      axis.major_label_text_color = quiet;
    }
    for (const grid of figure.center)
      if ("grid_line_color" in grid && grid.grid_line_color !== null)
        grid.grid_line_color = line;
  }

  function setRange(range, [start, end]) {
    range.setv({ start, end });
  }

  function dragWith(plot, tool, buttons, chosen) {
    plot.figure.toolbar.active_drag = part(plot, tool);
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(button === chosen));
  }

  /** Wheels zoom; in a page around this one only once the drawing was clicked. */
  function wheel(plot, target) {
    if (parent === window) return;
    const { toolbar } = plot.figure;
    toolbar.active_scroll = null;
    target.addEventListener("focusin", () => (toolbar.active_scroll = part(plot, "wheel")));
    target.addEventListener("focusout", () => (toolbar.active_scroll = null));
  }

  function size(plot) {
    const { inner_width: w, inner_height: h } = plot.figure;
    return [w || 600, h || 400];
  }

  /** Keys of a drawing: arrows move it, plus and minus zoom, 0 shows all. */
  function keys(target, { x, y, all, extra = () => false }) {
    target.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const move = (range, by) => {
        const step = (range.end - range.start) * by;
        setRange(range, [range.start + step, range.end + step]);
      };
      const zoom = (factor) => {
        for (const range of [x, y]) {
          if (range) setRange(range, logic.zoomed([range.start, range.end], factor));
        }
      };
      const actions = {
        ArrowLeft: () => move(x, -0.15),
        ArrowRight: () => move(x, 0.15),
        ArrowUp: () => y && move(y, 0.15),
        ArrowDown: () => y && move(y, -0.15),
        "+": () => zoom(0.7),
        "=": () => zoom(0.7),
        "-": () => zoom(1 / 0.7),
        0: all,
      };
      if (!extra(event)) {
        const action = actions[event.key];
        if (!action) return;
        action();
      }
      event.preventDefault();
    });
  }

  return { dragWith, drawn, keys, listed, part, setRange, size, style, styleFrame, wheel };
})();
