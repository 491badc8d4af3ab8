/* What stands about the points of a map: rings, ellipses and labels. */
"use strict";

const marks = (() => {
  const { listed, part, size } = drawing;
  const MOST_LABELS = 60;
  const MOST_ELLIPSES = 60;
  const ELLIPSE_SHARE = 0.5;
  const PEN = document.createElement("canvas").getContext("2d");

  /** Rings about what is looked at, and the ellipses of that and of labels. */
  function refresh(column) {
    const looked = [...new Set([column.focus, column.hover])].filter(
      (i) => i >= 0 && column.rowOf[i] >= 0,
    );
    const rows = looked.map((i) => column.rowOf[i]);
    column.put("rings", {
      x: rows.map((r) => column.x[r]),
      y: rows.map((r) => column.y[r]),
      size: rows.map((r) => column.sizes[r] + 5),
      width: looked.map((i) => (i === column.focus ? 2.5 : 1.5)),
    });
    const cov = column.arrays[`cov${column.map}`];
    if (cov) {
      const some = (column.selected || []).slice(0, MOST_ELLIPSES);
      const wanted = [...new Set([...looked, ...some, ...(column.labelled || [])])].filter(
        (i) => column.rowOf[i] >= 0,
      );
      const shapes = wanted.map((i) =>
        logic.ellipse(cov.values.subarray(3 * i, 3 * i + 3), ELLIPSE_SHARE),
      );
      const tiny = (column.plot.figure.y_range.end - column.plot.figure.y_range.start) / 120;
      column.put("ellipses", {
        x: wanted.map((i) => column.x[column.rowOf[i]]),
        y: wanted.map((i) => column.y[column.rowOf[i]]),
        width: shapes.map((s) => s.width),
        height: shapes.map((s) => (column.isEqual ? s.height : Math.max(s.height, tiny))),
        angle: shapes.map((s) => s.angle),
        alpha: wanted.map((i) => (i === column.focus || i === column.hover ? 0.3 : 0.09)),
      });
    }
    const ranked = looked.filter((i) => column.rankOf && column.rankOf[i] >= 0);
    const ends = ranked.map(
      (i) => column.intervalOf(i) || [column.effect[i], column.effect[i]],
    );
    part(column.cat, "ring").data = listed({
      rank: ranked.map((i) => column.rankOf[i]),
      effect: ranked.map((i) => column.effect[i]),
      low: ends.map((e) => e[0]),
      high: ends.map((e) => e[1]),
      width: ranked.map((i) => (i === column.focus ? 2.5 : 1.5)),
    });
  }

  function refreshLabels(column) {
    if (!column.x) return;
    const { figure } = column.plot;
    const [w, h] = size(column.plot);
    const [xr, yr] = [figure.x_range, figure.y_range];
    const pen = PEN;
    pen.font = "12px system-ui, sans-serif";
    const boxes = [];
    const rows = [];
    // Tokens stand with the most frequent first.
    for (let row = 0; row < column.x.length && boxes.length < 4 * MOST_LABELS; row++) {
      const x = ((column.x[row] - xr.start) / (xr.end - xr.start)) * w;
      const y = (1 - (column.y[row] - yr.start) / (yr.end - yr.start)) * h;
      if (!(x >= 0 && x <= w && y >= 0 && y <= h)) continue;
      const text = column.shortName(column.tokens[row]);
      boxes.push({ x, y, r: column.sizes[row] / 2, w: pen.measureText(text).width });
      rows.push(row);
    }
    const most = column.x.length > 3000 ? 25 : MOST_LABELS;
    const placed = logic.placed(boxes, w, h, most);
    const at = placed.map((p) => rows[p.at]);
    column.labelled = at.map((row) => column.tokens[row]);
    column.put("labels", {
      x: at.map((row) => column.x[row]),
      y: at.map((row) => column.y[row]),
      text: at.map((row) => column.shortName(column.tokens[row])),
      dx: placed.map((p) => p.dx),
      dy: placed.map((p) => p.dy),
      align: placed.map((p) => p.align),
    });
    refresh(column);
  }

  return { ELLIPSE_SHARE, refresh, refreshLabels };
})();
