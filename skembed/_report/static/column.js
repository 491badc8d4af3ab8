/* The tab of a column: its map, its effects in order, and what is looked at. */
"use strict";

const columns = (() => {
  const { clone, element, hideTip, later, name, plural, say, showTip } = dom;
  const { drawn, dragWith, keys, listed, part, setRange, size, style, styleFrame, wheel } =
    drawing;
  const { number, signed } = logic;
  const UNKNOWN = -2;
  const NOBODY = -1;

  async function unpacked(k) {
    const place = document.getElementById(`column-${k}`);
    const text = atob(place.textContent);
    place.remove();
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return logic.unpack(await new Response(stream).arrayBuffer());
  }

  class Column {
    constructor(k, panel, figures) {
      this.figures = figures;
      this.k = k;
      this.panel = panel;
      this.focus = NOBODY;
      this.hover = NOBODY;
      this.selected = null;
      this.output = 0;
      this.map = 0;
      this.order = { key: "effect", down: true };
      this.isSetting = false;
    }

    async open() {
      const { facts, arrays } = await unpacked(this.k);
      this.facts = facts;
      this.arrays = arrays;
      this.n = facts.names.length;
      this.count = arrays.count.values;
      this.readOutput();
      this.tokens = logic.frequent(this.count, 0);
      this.isShown = new Uint8Array(this.n).fill(1);
      const { made, at } = clone("column-panel");
      this.at = at;
      this.label(made);
      this.panel.replaceChildren(made);
      this.fillControls();
      this.plot = await drawn(this.figures.map, at.map);
      this.cat = await drawn(this.figures.caterpillar, at.caterpillar);
      this.listen();
      this.paint();
      this.refreshTokens();
      this.showAll();
      list.refresh(this);
      const first = this.tokens.length ? this.tokens[0] : UNKNOWN;
      this.choose(first, { quietly: true });
      theme.listen(() => {
        this.paint();
        this.refreshColors();
      });
    }

    /** Give the parts their own ids, so that labels find them. */
    label(made) {
      for (const label of made.querySelectorAll("[data-for]")) {
        const id = `column-${this.k}-${label.dataset.for}`;
        this.at[label.dataset.for].id = id;
        label.htmlFor = id;
      }
      this.at.found.id = `column-${this.k}-found`;
      this.at.search.setAttribute("aria-controls", this.at.found.id);
      this.at.found.setAttribute("aria-label", "Tokens found");
    }

    readOutput() {
      const { arrays, facts, output } = this;
      this.effect = logic.columnOf(arrays.effect, output);
      this.std = arrays.std ? logic.columnOf(arrays.std, output) : null;
      this.raw = arrays.rawMean ? logic.columnOf(arrays.rawMean, output) : null;
      this.unit = facts.outputs[output];
      this.base = facts.base[output];
      this.unknown = {
        effect: facts.unknown.effect[output],
        std: facts.unknown.std ? facts.unknown.std[output] : null,
      };
    }

    /** Names and tokens as the search compares them, made when it is first used. */
    get texts() {
      const { names, tokens } = this.facts;
      this.folded ||= names.map((text, i) => {
        const out = [logic.folded(text)];
        if (tokens && tokens[i] !== text) out.push(logic.folded(tokens[i]));
        return out;
      });
      return this.folded;
    }

    get isUnknownShown() {
      return this.std !== null || !this.facts.unknown.isRefused;
    }

    // What is said of a token.

    nameOf(i) {
      return i === UNKNOWN ? "an unknown token" : this.facts.names[i];
    }

    tokenOf(i) {
      return this.facts.tokens ? this.facts.tokens[i] : this.facts.names[i];
    }

    effectOf(i) {
      return i === UNKNOWN ? this.unknown.effect : this.effect[i];
    }

    intervalOf(i) {
      const std = i === UNKNOWN ? this.unknown.std : this.std && this.std[i];
      if (std === null || std === undefined) return null;
      const half = this.facts.halfWidth * std;
      const effect = this.effectOf(i);
      return [effect - half, effect + half];
    }

    intervalText(i) {
      const interval = this.intervalOf(i);
      return interval ? `${signed(interval[0])} to ${signed(interval[1])}` : "no interval";
    }

    // Controls.

    fillControls() {
      const { at, facts } = this;
      at.notes.replaceChildren(
        ...facts.notes.map((text) => element("p", { class: "note" }, text)),
      );
      const options = (select, texts) =>
        select.append(...texts.map((text, i) => element("option", { value: i }, text)));
      options(at.output, facts.outputs);
      at["output-field"].hidden = facts.outputs.length < 2;
      options(
        at["map-choice"],
        facts.maps.map((m) => m.name),
      );
      at["map-field"].hidden = facts.maps.length < 2;
      this.colors = [
        { name: "effect", kind: "diverging", values: () => this.effect, unit: () => this.unit },
        { name: "count", kind: "log", values: () => this.count, unit: () => "rows" },
      ];
      if (this.std) {
        this.colors.push({
          name: "uncertainty",
          kind: "sequential",
          values: () => this.std,
          unit: () => `standard deviation of the effect, ${this.unit}`,
        });
      }
      for (const meta of facts.metadata) {
        const { values } = this.arrays[meta.array];
        this.colors.push({
          name: meta.name,
          kind: meta.kind === "number" ? "sequential" : "category",
          values: () => values,
          unit: () => meta.name,
          categories: meta.categories || [],
        });
      }
      options(
        at.color,
        this.colors.map((c) => c.name),
      );
      let most = 0;
      for (const c of this.count) most = Math.max(most, c);
      this.steps = logic.steps(most);
      at.least.max = this.steps.length - 1;
      at["least-shown"].textContent = "0";
      at.least.setAttribute("aria-valuetext", "0 rows");
      at["map-title"].replaceChildren("Map of ", name(facts.name));
    }

    listen() {
      const { at, plot, cat } = this;
      at.output.addEventListener("change", () => {
        this.output = Number(at.output.value);
        this.readOutput();
        this.refreshColors();
        caterpillar.refresh(this, true);
        list.refresh(this);
        card.refresh(this);
      });
      at["map-choice"].addEventListener("change", () => {
        this.map = Number(at["map-choice"].value);
        this.refreshTokens();
        this.showAll();
      });
      at.color.addEventListener("change", () => this.refreshColors());
      at.least.addEventListener("input", () => {
        const least = this.steps[Number(at.least.value)];
        at["least-shown"].textContent = number(least, 9);
        at.least.setAttribute("aria-valuetext", plural(least, "row"));
        this.filter(least);
      });
      search.listen(this);

      const drags = [at.move, at.lasso];
      at.move.addEventListener("click", () => dragWith(plot, "pan", drags, at.move));
      at.lasso.addEventListener("click", () => dragWith(plot, "lasso", drags, at.lasso));
      const zoom = (figure, factor, both) => {
        for (const range of both ? [figure.x_range, figure.y_range] : [figure.x_range]) {
          setRange(range, logic.zoomed([range.start, range.end], factor));
        }
      };
      at.in.addEventListener("click", () => zoom(plot.figure, 0.6, true));
      at.out.addEventListener("click", () => zoom(plot.figure, 1 / 0.6, true));
      at.all.addEventListener("click", () => this.showAll());
      const catDrags = [at["cat-select"], at["cat-move"]];
      at["cat-select"].addEventListener("click", () =>
        dragWith(cat, "box", catDrags, at["cat-select"]),
      );
      at["cat-move"].addEventListener("click", () =>
        dragWith(cat, "pan", catDrags, at["cat-move"]),
      );
      at["cat-in"].addEventListener("click", () => zoom(cat.figure, 0.5, false));
      at["cat-out"].addEventListener("click", () => zoom(cat.figure, 2, false));
      at["cat-all"].addEventListener("click", () => caterpillar.refresh(this, true));

      wheel(plot, at.map);
      wheel(cat, at.caterpillar);
      const escape = (event) => event.key === "Escape" && (this.select(null), true);
      keys(at.map, {
        x: plot.figure.x_range,
        y: plot.figure.y_range,
        all: () => this.showAll(),
        extra: escape,
      });
      keys(at.caterpillar, {
        x: cat.figure.x_range,
        y: null,
        all: () => caterpillar.refresh(this, true),
        extra: (event) => {
          if (escape(event)) return true;
          const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
          if (!step || !this.ranked.length) return false;
          const now = this.focus >= 0 ? this.rankOf[this.focus] : -1;
          const next = Math.min(Math.max(now + step, 0), this.ranked.length - 1);
          this.choose(this.ranked[next]);
          return true;
        },
      });

      // Lasso and brush.
      const points = part(plot, "points");
      points.selected.properties.indices.change.connect(() => {
        if (this.isSetting) return;
        this.select(points.selected.indices.map((row) => this.tokens[row]));
      });
      cat.figure.on_event("selectiongeometry", (event) => {
        if (event.final === false || event.geometry.type !== "rect") return;
        const from = Math.max(Math.ceil(event.geometry.x0 - 0.5), 0);
        const to = Math.min(Math.floor(event.geometry.x1 + 0.5), this.ranked.length - 1);
        if (to >= from) this.select(Array.from(this.ranked.subarray(from, to + 1)));
      });

      // Hover and click: the nearest token within some pixels.
      const under = (event, target) =>
        target === plot ? this.mapHit(event) : caterpillar.hit(this, event);
      for (const target of [plot, cat]) {
        const box = target === plot ? at.map : at.caterpillar;
        target.figure.on_event("mousemove", (event) => {
          const hit = under(event, target);
          const { left, top } = box.getBoundingClientRect();
          this.point(hit, left + event.sx, top + event.sy);
          box.style.cursor = hit === NOBODY ? "" : "pointer";
        });
        target.figure.on_event("mouseleave", () => this.point(NOBODY));
        box.addEventListener("mouseleave", () => this.point(NOBODY));
        target.figure.on_event("tap", (event) => {
          const hit = under(event, target);
          if (hit !== NOBODY) this.choose(hit);
        });
        target.figure.on_event("doubletap", () =>
          target === plot ? this.showAll() : caterpillar.refresh(this, true),
        );
      }

      const relabel = later(() => marks.refreshLabels(this), 120);
      const thin = later(() => caterpillar.refreshBars(this), 40);
      for (const end of ["start", "end"]) {
        for (const range of [plot.figure.x_range, plot.figure.y_range])
          range.properties[end].change.connect(relabel);
        cat.figure.x_range.properties[end].change.connect(thin);
      }
      new ResizeObserver(
        later(() => this.x && this.panel.offsetParent && this.showAll(), 150),
      ).observe(at.map);

      at.copy.addEventListener("click", () => list.copy(this));
      at.save.addEventListener("click", () => list.save(this));
      at.clear.addEventListener("click", () => this.select(null));
    }

    // Which tokens are shown.

    filter(least) {
      this.tokens = logic.frequent(this.count, least);
      this.isShown.fill(0);
      for (const i of this.tokens) this.isShown[i] = 1;
      if (this.selected) this.selected = this.selected.filter((i) => this.isShown[i]);
      if (this.selected && !this.selected.length) this.selected = null;
      this.refreshTokens();
      list.refresh(this);
      say(`${plural(this.tokens.length, "token")} of at least ${plural(least, "row")}`);
    }

    refreshTokens() {
      const { arrays, facts, map, plot } = this;
      const xy = arrays[`xy${map}`].values;
      const { tokens } = this;
      this.x = Float32Array.from(tokens, (i) => xy[2 * i]);
      this.y = Float32Array.from(tokens, (i) => xy[2 * i + 1]);
      this.sizes = logic.diameters(this.count, tokens);
      this.rowOf = new Int32Array(this.n).fill(-1);
      tokens.forEach((i, row) => (this.rowOf[i] = row));
      const { axes, unknown, unknownCov, equal } = facts.maps[map];
      [plot.figure.below[0].axis_label, plot.figure.left[0].axis_label] = axes;
      this.isEqual = equal;
      this.put(
        "unknown",
        unknown && this.isUnknownShown
          ? { x: [unknown[0]], y: [unknown[1]] }
          : { x: [], y: [] },
      );
      const prior =
        unknown && unknownCov && this.isUnknownShown
          ? logic.ellipse(unknownCov, marks.ELLIPSE_SHARE)
          : null;
      this.put(
        "prior",
        prior
          ? {
              x: [unknown[0]],
              y: [unknown[1]],
              width: [prior.width],
              height: [prior.height || 1e-9],
              angle: [prior.angle],
            }
          : { x: [], y: [], width: [], height: [], angle: [] },
      );
      this.refreshColors();
      caterpillar.refresh(this, true);
      this.describe();
      marks.refreshLabels(this);
    }

    put(source, data) {
      part(this.plot, source).data = listed(data);
    }

    /** Text for those who do not see the drawings. */
    describe() {
      const { at, facts } = this;
      const order = this.ranked;
      const ends = order.length
        ? ` The lowest effect is ${signed(this.effect[order[0]])} (${this.nameOf(order[0]).slice(0, 60)}), the highest ${signed(this.effect[order.at(-1)])} (${this.nameOf(order.at(-1)).slice(0, 60)}).`
        : "";
      const how =
        "Arrow keys move it, plus and minus zoom, 0 shows all. The table of tokens below says the same in text.";
      at.map.setAttribute(
        "aria-label",
        `Map of ${plural(order.length, "token")} of ${facts.name}, by ${facts.maps[this.map].name}. ${how}`,
      );
      at.caterpillar.setAttribute(
        "aria-label",
        `Effects of ${plural(order.length, "token")} in order, with intervals.${ends} Arrow up and down choose the next token. ${how}`,
      );
    }

    showAll() {
      const [w, h] = size(this.plot);
      const { unknown } = this.facts.maps[this.map];
      const [ux, uy] = unknown && this.isUnknownShown ? [[unknown[0]], [unknown[1]]] : [[], []];
      const frame = logic.ranges([...this.x, ...ux], [...this.y, ...uy], w, h, this.isEqual);
      setRange(this.plot.figure.x_range, frame.x);
      setRange(this.plot.figure.y_range, frame.y);
      marks.refreshLabels(this);
    }

    // Colours.

    refreshColors() {
      const chosen = this.colors[Number(this.at.color.value)];
      const all = chosen.values();
      const values = Float32Array.from(this.tokens, (i) => all[i]);
      const scale = logic.colouring(values, chosen.kind, theme.now(), chosen.categories);
      this.scale = scale;
      part(this.plot, "colors").setv({
        palette: scale.palette,
        low: scale.low,
        high: scale.high,
        nan_color: scale.nothing,
      });
      part(this.cat, "bar-colors").setv({
        palette: scale.palette,
        low: scale.low,
        high: scale.high,
        nan_color: scale.nothing,
      });
      this.isSetting = true;
      this.put("points", { x: this.x, y: this.y, size: this.sizes, value: scale.values });
      this.markSelected();
      this.isSetting = false;
      marks.refresh(this);
      caterpillar.refreshBars(this);
      legend.refresh(this, chosen, scale);
    }

    paint() {
      const { plot, cat } = this;
      for (const target of [plot, cat]) styleFrame(target);
      const [ring, text, band, box] = ["ring", "text", "band", "box"].map(theme.color);
      style(plot, "ellipse-glyph", { fill_color: band, line_color: band });
      style(plot, "prior-glyph", { line_color: band });
      style(plot, "unknown-glyph", { line_color: text });
      style(plot, "rings-glyph", { line_color: ring });
      style(plot, "labels-glyph", { text_color: text, background_fill_color: box });
      style(plot, "points-glyph", {
        line_color: theme.now() === "dark" ? "#00000088" : "#00000055",
      });
      style(cat, "bars-glyph", { line_color: theme.color("control") });
      style(cat, "ring-bar-glyph", { line_color: ring });
      style(cat, "ring-glyph", { line_color: ring });
      part(cat, "prior-band").setv({ fill_color: theme.color("faint"), hatch_color: band });
      part(cat, "prior-line").line_color = band;
      part(cat, "zero-line").line_color = theme.color("line");
    }

    // What is looked at: hovered, chosen, selected.

    mapHit(event) {
      const { figure } = this.plot;
      const [w, h] = size(this.plot);
      const xPixels = w / (figure.x_range.end - figure.x_range.start);
      const yPixels = h / (figure.y_range.end - figure.y_range.start);
      const row = logic.nearest(
        this.x,
        this.y,
        event.x,
        event.y,
        xPixels,
        yPixels,
        6,
        this.sizes,
      );
      if (row >= 0) return this.tokens[row];
      const { unknown } = this.facts.maps[this.map];
      if (
        unknown &&
        this.isUnknownShown &&
        Math.hypot((unknown[0] - event.x) * xPixels, (unknown[1] - event.y) * yPixels) < 9
      )
        return UNKNOWN;
      return NOBODY;
    }

    point(i, x, y) {
      if (i === NOBODY) hideTip();
      else showTip(this.tipOf(i), x, y);
      if (i === this.hover) return;
      this.hover = i;
      marks.refresh(this);
    }

    tipOf(i) {
      const title = element("b", {}, name(this.nameOf(i), 120));
      const interval = this.intervalOf(i);
      const effect = element("div", {}, `${signed(this.effectOf(i))} `, name(this.unit, 40));
      const lines = [title, effect];
      if (interval)
        lines.push(
          element("div", {}, `${100 * this.facts.coverage} %: ${this.intervalText(i)}`),
        );
      lines.push(
        element(
          "div",
          {},
          i === UNKNOWN ? "what is expected before any row" : plural(this.count[i], "row"),
        ),
      );
      return lines;
    }

    choose(i, { quietly = false, andShow = false } = {}) {
      this.focus = i;
      if (andShow && i >= 0 && !this.isShown[i]) {
        this.at.least.value = 0;
        this.at.least.dispatchEvent(new Event("input"));
      }
      if (andShow && i >= 0) this.bringIntoView(i);
      marks.refresh(this);
      card.refresh(this);
      list.mark(this);
      if (!quietly) {
        const interval = this.intervalOf(i);
        say(
          `${this.nameOf(i).slice(0, 80)}: effect ${signed(this.effectOf(i))}${interval ? `, ${this.intervalText(i)}` : ""}`,
        );
      }
    }

    bringIntoView(i) {
      const { figure } = this.plot;
      const [x, y] = [this.x[this.rowOf[i]], this.y[this.rowOf[i]]];
      const moved = (range, v) => {
        const width = range.end - range.start;
        if (v < range.start + 0.05 * width || v > range.end - 0.05 * width)
          setRange(range, [v - width / 2, v + width / 2]);
      };
      moved(figure.x_range, x);
      moved(figure.y_range, y);
    }

    select(tokens) {
      this.selected = tokens && tokens.length ? tokens : null;
      this.isSetting = true;
      this.markSelected();
      this.isSetting = false;
      marks.refresh(this);
      caterpillar.refreshBars(this);
      list.refresh(this);
      say(
        this.selected
          ? `${plural(this.selected.length, "token")} selected`
          : "Nothing selected",
      );
    }

    markSelected() {
      this.isSelected = new Uint8Array(this.n);
      for (const i of this.selected || []) this.isSelected[i] = 1;
      part(this.plot, "points").selected.indices = (this.selected || [])
        .map((i) => this.rowOf[i])
        .filter((row) => row >= 0);
    }

    shortName(i) {
      const text = this.nameOf(i);
      return text.length > 30 ? `${text.slice(0, 15)}…${text.slice(-14)}` : text;
    }
  }

  return { Column };
})();
