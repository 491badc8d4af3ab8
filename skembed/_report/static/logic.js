/* What a report computes: functions of data, without a page around them. */
"use strict";

const logic = (() => {
  const KINDS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

  /** The facts and arrays in the bytes that packing.py writes. */
  function unpack(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const end = 4 + length;
    const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
    const { facts, arrays } = JSON.parse(text);
    const out = {};
    for (const [name, { kind, shape, at }] of Object.entries(arrays)) {
      const size = shape.reduce((a, b) => a * b, 1);
      const values = new KINDS[kind](buffer, end + at, size);
      out[name] = { values, shape };
    }
    return { facts, arrays: out };
  }

  /** Column k of a matrix that is stored row by row. */
  function columnOf({ values, shape }, k) {
    const width = shape.length > 1 ? shape[1] : 1;
    if (width === 1) return values;
    const out = new values.constructor(shape[0]);
    for (let i = 0; i < out.length; i++) out[i] = values[i * width + k];
    return out;
  }

  /** Text as it is compared: without case and accents. */
  function folded(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  }

  /**
   * The tokens that a query means, best first: those that are it, begin with it, have
   * a word that begins with it, contain it; of equal ones the more frequent first.
   */
  function search(texts, counts, query, limit) {
    const wanted = folded(query.trim());
    if (!wanted) return [];
    const hits = [];
    for (let i = 0; i < texts.length; i++) {
      let best = 4;
      for (const text of texts[i]) {
        const at = text.indexOf(wanted);
        if (at < 0) continue;
        if (text === wanted) best = 0;
        else if (at === 0) best = Math.min(best, 1);
        else if (/[^\p{L}\p{N}]/u.test(text[at - 1])) best = Math.min(best, 2);
        else best = Math.min(best, 3);
      }
      if (best < 4) hits.push([best, -counts[i], i]);
    }
    hits.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    return hits.slice(0, limit).map((hit) => hit[2]);
  }

  /** A number with so many digits, without an exponent where that is readable. */
  function number(value, digits = 3) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    const size = Math.abs(value);
    if (size === Infinity) return value > 0 ? "∞" : "−∞";
    let text;
    if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
      text = value.toExponential(digits - 1);
    } else {
      const whole = size < 1 ? 0 : Math.floor(Math.log10(size)) + 1;
      const lead = size < 1 && size > 0 ? -Math.floor(Math.log10(size)) - 1 : 0;
      const places = Math.min(Math.max(digits - whole + lead, 0), 8);
      text = value.toLocaleString("en-US", {
        maximumFractionDigits: places,
        minimumFractionDigits: 0,
      });
    }
    return text.replace("-", "−");
  }

  /** The same with its sign, as of an effect. */
  function signed(value, digits = 3) {
    const text = number(value, digits);
    return value > 0 && text !== "0" ? `+${text}` : text;
  }

  const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

  /** One cell: quoted where needed, and never a formula of a spreadsheet. */
  function cell(value) {
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
    let text = String(value);
    if (FORMULA.test(text) && !Number.isFinite(Number(text))) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function csv(rows) {
    return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  /**
   * The ellipse that holds a share of a normal distribution.
   * cov is [xx, xy, yy]; the answer has full axes, and the angle of the first.
   */
  function ellipse([xx, xy, yy], share) {
    const radius = Math.sqrt(-2 * Math.log(1 - share));
    const middle = (xx + yy) / 2;
    const off = Math.hypot((xx - yy) / 2, xy);
    return {
      width: 2 * radius * Math.sqrt(Math.max(middle + off, 0)),
      height: 2 * radius * Math.sqrt(Math.max(middle - off, 0)),
      angle: 0.5 * Math.atan2(2 * xy, xx - yy),
    };
  }

  /** Positions from start to end, evenly thinned to at most `most`. */
  function thin(start, end, most) {
    const n = Math.max(end - start, 0);
    if (n <= most) return Array.from({ length: n }, (_, i) => start + i);
    return Array.from(
      { length: most },
      (_, i) => start + Math.round((i * (n - 1)) / (most - 1)),
    );
  }

  /** Tokens of at least so many rows, the most frequent first. */
  function frequent(counts, least) {
    const out = [];
    for (let i = 0; i < counts.length; i++) if (counts[i] >= least) out.push(i);
    return Int32Array.from(out).sort((a, b) => counts[b] - counts[a] || a - b);
  }

  /** Tokens in the order of a value, from the least; those without one last. */
  function ordered(tokens, values, down = false) {
    const keys = new Float64Array(values.length);
    for (const i of tokens) {
      keys[i] = Number.isNaN(values[i]) ? Infinity : down ? -values[i] : values[i];
    }
    return Int32Array.from(tokens).sort((a, b) =>
      keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b,
    );
  }

  /** The place of the nearest point to (x, y) within a radius of pixels, or -1. */
  function nearest(xs, ys, x, y, xPixels, yPixels, radius, sizes) {
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < xs.length; i++) {
      const gap = Math.hypot((xs[i] - x) * xPixels, (ys[i] - y) * yPixels);
      const edge = Math.max(gap - (sizes ? sizes[i] / 2 : 0), 0);
      if (edge <= radius && gap < least) [best, least] = [i, gap];
    }
    return best;
  }

  /** Ranges that show all points with a margin; with equal units if asked for. */
  function ranges(xs, ys, width, height, equal, margin = 0.07) {
    const around = (values) => {
      let [low, high] = [Infinity, -Infinity];
      for (const v of values) {
        if (v < low) low = v;
        if (v > high) high = v;
      }
      return low > high ? [0, 0] : [low, high];
    };
    const [x0, x1] = around(xs);
    const [y0, y1] = around(ys);
    let w = (x1 - x0) * (1 + 2 * margin);
    let h = (y1 - y0) * (1 + 2 * margin);
    if (equal) {
      const unit = Math.max(w / width, h / height) || 1 / width;
      w = unit * width;
      h = unit * height;
    }
    w = w || 1;
    h = h || 1;
    const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    return { x: [cx - w / 2, cx + w / 2], y: [cy - h / 2, cy + h / 2] };
  }

  /** A range made smaller (factor below 1) or larger about its middle. */
  function zoomed([start, end], factor) {
    const [middle, half] = [(start + end) / 2, ((end - start) / 2) * factor];
    return [middle - half, middle + half];
  }

  /**
   * Which labels to write: greedily, in the order given, right of their point or left
   * of it, above or below, where they meet no label before and no larger point.
   * Boxes are {x, y, r, w}: the point in pixels, its radius, the width of the text.
   */
  function placed(boxes, width, height, most, line = 14) {
    const taken = [];
    const out = [];
    const free = (box) =>
      box[0] >= 0 &&
      box[2] <= width &&
      box[1] >= 0 &&
      box[3] <= height &&
      taken.every((t) => box[2] < t[0] || t[2] < box[0] || box[3] < t[1] || t[3] < box[1]);
    boxes.slice(0, 60).forEach(({ x, y, r }, i) => {
      taken.push([x - r, y - r, x + r, y + r, i]);
    });
    boxes.forEach(({ x, y, r, w }, i) => {
      if (out.length >= most) return;
      const own = taken.findIndex((t) => t[4] === i);
      const [self] = own >= 0 ? taken.splice(own, 1) : [null];
      const gap = r + 3;
      const places = [
        { dx: gap, dy: 0, align: "left", left: x + gap },
        { dx: -gap, dy: 0, align: "right", left: x - gap - w },
        { dx: 0, dy: -gap - line / 2, align: "center", left: x - w / 2 },
        { dx: 0, dy: gap + line / 2, align: "center", left: x - w / 2 },
      ];
      for (const { dx, dy, align, left } of places) {
        const box = [left, y + dy - line / 2, left + w, y + dy + line / 2, -1];
        if (free(box)) {
          taken.push(box);
          out.push({ at: i, dx, dy, align });
          break;
        }
      }
      if (self) taken.push(self);
    });
    return out;
  }

  // Colours that differ in lightness as well, for eyes that tell few hues apart; each
  // has a contrast of at least 3 to the box behind it.
  const STOPS = {
    light: {
      diverging: ["#083f7d", "#2f78bd", "#7f8b99", "#c0722a", "#8a3600"],
      sequential: ["#7f97ad", "#3f83a6", "#32579a", "#3b2a7a", "#240d40"],
      categories: [
        "#0072b2",
        "#b86200",
        "#007a5a",
        "#a8447f",
        "#555b64",
        "#c2410c",
        "#5b4bb5",
        "#7d6e00",
      ],
      other: "#8a8f98",
    },
    dark: {
      diverging: ["#7cc0ff", "#5c9bdc", "#76818f", "#d08a4a", "#ffb870"],
      sequential: ["#66809a", "#3f97a8", "#4fb886", "#a8d65c", "#fbe86a"],
      categories: [
        "#56b4e9",
        "#e69f00",
        "#2bbe93",
        "#e39bc6",
        "#c9cdd2",
        "#ff8b4a",
        "#a99bff",
        "#f0e442",
      ],
      other: "#7b8594",
    },
  };

  function rgb(hex) {
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  }

  function mixed(stops, n) {
    return Array.from({ length: n }, (_, i) => {
      const at = (i / (n - 1)) * (stops.length - 1);
      const k = Math.min(Math.floor(at), stops.length - 2);
      const [a, b] = [rgb(stops[k]), rgb(stops[k + 1])];
      const parts = a.map((v, c) => Math.round(v + (b[c] - v) * (at - k)));
      return "#" + parts.map((v) => v.toString(16).padStart(2, "0")).join("");
    });
  }

  /** Contrast of two colours, as WCAG defines it. */
  function contrast(a, b) {
    const light = (hex) => {
      const [r, g, bl] = rgb(hex).map((v) => {
        const s = v / 255;
        return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
    };
    const [high, low] = [light(a), light(b)].sort((p, q) => q - p);
    return (high + 0.05) / (low + 0.05);
  }

  /**
   * How values become colours: {palette, low, high, values, kind}.
   * kind: "diverging" about 0, "sequential", "log" or "category".
   */
  function colouring(values, kind, theme, categories = []) {
    const stops = STOPS[theme];
    if (kind === "category") {
      const n = stops.categories.length;
      const palette = [
        ...stops.categories.slice(0, Math.max(categories.length, 1)),
        stops.other,
      ];
      const last = palette.length - 1;
      const codes = Float32Array.from(values, (c) => (c < 0 || c >= n ? last : c));
      return {
        palette,
        low: -0.5,
        high: last + 0.5,
        values: codes,
        kind,
        nothing: stops.other,
      };
    }
    const scaled = kind === "log" ? Float32Array.from(values, (v) => Math.log10(v)) : values;
    const known = Float32Array.from(scaled).filter(Number.isFinite).sort();
    // A few extreme values do not take all of the colours.
    const part = (q) => known[Math.round(q * (known.length - 1))];
    const rest = known.length > 20 ? 0.02 : 0;
    let [low, high] = known.length ? [part(rest), part(1 - rest)] : [0, 1];
    if (kind === "diverging") {
      high = Math.max(Math.abs(low), Math.abs(high));
      low = -high;
    }
    if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
    const name = kind === "diverging" ? "diverging" : "sequential";
    // Whether there are values beyond the ends of the scale.
    const beyond = [known[0] < low, known[known.length - 1] > high];
    return {
      palette: mixed(stops[name], 64),
      low,
      high,
      values: scaled,
      kind,
      beyond,
      nothing: stops.other,
    };
  }

  /** Marker diameters in pixels: the area grows with the count. */
  function diameters(counts, tokens) {
    const n = tokens.length;
    const most = n < 200 ? 26 : n < 3000 ? 18 : 12;
    const least = n < 200 ? 7 : n < 3000 ? 5 : 3;
    let top = 0;
    for (const i of tokens) top = Math.max(top, counts[i]);
    return Float32Array.from(tokens, (i) =>
      Math.sqrt(least ** 2 + (most ** 2 - least ** 2) * (counts[i] / (top || 1))),
    );
  }

  /** Counts of a slider's positions: 1, 2, 3, 5, 10, 20, ... up to the largest. */
  function steps(largest) {
    const out = [0];
    for (let ten = 1; ten <= largest; ten *= 10) {
      for (const k of [1, 2, 3, 5, 7]) if (k * ten <= largest) out.push(k * ten);
    }
    return out;
  }

  /** Bins of values: {edges, heights}. */
  function bins(values, n) {
    const known = Array.from(values).filter(Number.isFinite);
    if (!known.length) return { edges: [], heights: [] };
    const low = Math.min(...known);
    const high = Math.max(...known);
    const width = (high - low) / n || 1;
    const heights = Array.from({ length: n }, () => 0);
    for (const v of known) heights[Math.min(Math.floor((v - low) / width), n - 1)] += 1;
    return { edges: Array.from({ length: n + 1 }, (_, i) => low + i * width), heights };
  }

  return {
    bins,
    cell,
    colouring,
    columnOf,
    contrast,
    csv,
    diameters,
    ellipse,
    folded,
    frequent,
    mixed,
    nearest,
    number,
    ordered,
    placed,
    ranges,
    search,
    signed,
    steps,
    thin,
    unpack,
    zoomed,
    STOPS,
  };
})();
