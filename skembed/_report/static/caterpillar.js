/* The effects in order: which bars are drawn, the prior behind them, what is hit. */
"use strict";

const caterpillar = (() => {
  const { part, setRange, size } = drawing;
  const { number, signed } = logic;
  const UNKNOWN = -2;
  const NOBODY = -1;
  const MOST_BARS = 1200;
  const MOST_NAMED_BARS = 36;

  function refresh(column, showAll) {
    column.ranked = logic.ordered(column.tokens, column.effect);
    column.rankOf = new Int32Array(column.n).fill(-1);
    column.ranked.forEach((i, rank) => (column.rankOf[i] = rank));
    const { figure } = column.cat;
    figure.left[0].axis_label = `effect, ${column.unit}`;
    if (showAll) {
      const ends = [];
      for (const i of column.ranked) ends.push(...(column.intervalOf(i) || [column.effect[i]]));
      ends.push(0);
      const frame = logic.ranges([0], Float64Array.from(ends), 1, 1, false, 0.06);
      const n = Math.max(column.ranked.length, 1);
      setRange(figure.x_range, [-0.5 - 0.015 * n, n - 0.5 + 0.015 * n]);
      setRange(figure.y_range, frame.y);
    }
    const prior = column.isUnknownShown ? column.intervalOf(UNKNOWN) : null;
    const far = 1e3 * (figure.y_range.end - figure.y_range.start);
    part(column.cat, "prior-band").setv(
      prior
        ? { bottom: Math.max(prior[0], -far), top: Math.min(prior[1], far), visible: true }
        : { visible: false },
    );
    part(column.cat, "prior-line").setv({
      location: column.unknown.effect,
      visible: column.isUnknownShown,
    });
    refreshBars(column);
    marks.refresh(column);
  }

  function refreshBars(column) {
    if (!column.ranked) return;
    const { figure } = column.cat;
    const from = Math.max(Math.floor(figure.x_range.start), 0);
    const to = Math.min(Math.ceil(figure.x_range.end) + 1, column.ranked.length);
    const ranks = logic.thin(from, to, MOST_BARS);
    column.drawnRanks = ranks;
    const tokens = ranks.map((rank) => column.ranked[rank]);
    const ends = tokens.map(
      (i) => column.intervalOf(i) || [column.effect[i], column.effect[i]],
    );
    const few = to - from <= 120;
    const many = ranks.length > 300;
    part(column.cat, "bars").data = {
      rank: ranks,
      effect: tokens.map((i) => column.effect[i]),
      low: ends.map((e) => e[0]),
      high: ends.map((e) => e[1]),
      value: tokens.map((i) => column.scale.values[column.rowOf[i]]),
      alpha: tokens.map((i) =>
        !column.selected || column.isSelected[i] ? (many ? 0.6 : 0.95) : 0.12,
      ),
      size: tokens.map(() => (few ? 8 : 4)),
    };
    const axis = figure.below[0];
    const isNamed = column.ranked.length > 0 && to - from <= MOST_NAMED_BARS;
    const names = isNamed
      ? new Map(ranks.map((rank, k) => [rank, column.shortName(tokens[k])]))
      : new Map();
    part(column.cat, "ranks").ticks = isNamed ? ranks : [];
    axis.setv({
      major_label_overrides: names,
      major_label_orientation: isNamed ? 0.7 : "horizontal",
      axis_label: isNamed ? null : "tokens, from the lowest effect to the highest",
    });
    const left = to - from - ranks.length;
    const { unknown, facts } = column;
    const words = [`Bars have ${100 * facts.coverage} % of the posterior.`];
    if (!column.std)
      words[0] = "There is no posterior (prior=None), so there are no intervals.";
    if (column.isUnknownShown && unknown.std !== null) {
      words.push(
        `Hatched: what is expected of an unknown token${facts.unknown.isPooled ? " (pooled with the rare ones)" : ""}, ${signed(unknown.effect)} (${column.intervalText(UNKNOWN)}).`,
      );
    }
    if (left > 0)
      words.push(
        `${number(ranks.length, 6)} of ${number(to - from, 9)} are drawn; zoom in to see the others.`,
      );
    column.at["cat-note"].textContent = words.join(" ");
  }

  function hit(column, event) {
    const rank = Math.round(event.x);
    if (rank < 0 || rank >= column.ranked.length) return NOBODY;
    const { figure } = column.cat;
    const [w] = size(column.cat);
    const pixels = w / (figure.x_range.end - figure.x_range.start);
    // Where bars are thinner than a pixel, the nearest one that is drawn.
    if (pixels < 3 && column.drawnRanks.length) {
      const at = column.drawnRanks.reduce((a, b) =>
        Math.abs(b - event.x) < Math.abs(a - event.x) ? b : a,
      );
      return Math.abs(at - event.x) * pixels < 8 ? column.ranked[at] : NOBODY;
    }
    return Math.abs(rank - event.x) * pixels < 10 ? column.ranked[rank] : NOBODY;
  }

  return { hit, refresh, refreshBars };
})();
