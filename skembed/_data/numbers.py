"""Numeric columns: scale, piecewise-linear encoding and quantile bins."""

import numpy as np

from .. import _settings as settings


class NumberScale:
    """How one numeric column becomes numbers for the network.

    A value is standardised and squashed smoothly into (-3, 3) (Holzmüller et al. 2024,
    "Better by Default", section 3), so that one outlier cannot dominate the linear
    term. A missing value becomes 0, with an indicator beside it if the training data
    have missing values. The quantiles of the squashed value are the knots of the
    piecewise-linear encoding (Gorishniy et al. 2022, "On Embeddings for Numerical
    Features in Tabular Deep Learning", section 3.2) and the cuts of the bins.
    """

    def __init__(self, values, weights, most_bins=settings.MAX_BINS):
        known = ~np.isnan(values)
        self.has_missing = not known.all()
        values, weights = values[known], weights[known]
        if len(values) == 0:  # only missing values
            values, weights = np.zeros(1), np.ones(1)
        # From the sorted distinct values, and rounded to float32: the same whatever
        # the order of the rows. Counted from the smallest, an offset costs no digits.
        distinct, at = np.unique(values, return_inverse=True)
        weight = np.bincount(at, weights=weights)
        share = weight / weight.sum()
        self.unit = _unit(distinct)
        self.origin = float(distinct[0] / self.unit)
        shifted = distinct / self.unit - self.origin
        mean = share @ shifted
        self.mean = float(np.float32(mean))
        sd = np.sqrt(share @ np.square(shifted - mean))
        self.sd = float(np.float32(sd)) or 1.0
        distinct, share = _merged(self.squash(distinct), share)
        n_bins = int(min(most_bins, np.float32(weight.sum()) / settings.ROWS_PER_BIN))
        # For two values the linear term can express all that bins could.
        self.is_binned = min(len(distinct), n_bins) > 2
        # Where numbers stand apart in float64 only, the engine sees one knot.
        knots = _quantiles(distinct, share, settings.MAX_KNOTS)
        self.knots = knots[np.unique(knots.astype(np.float32), return_index=True)[1]]
        if len(distinct) <= 2:
            self.knots = self.knots[:0]
        if len(distinct) <= n_bins:
            self.cuts = 0.5 * (distinct[1:] + distinct[:-1])
        else:
            self.cuts = _quantiles(distinct, share, max(n_bins, 1))[1:-1]

    def standardised(self, values):
        """Values in standard deviations from the mean; NaN stays."""
        with np.errstate(over="ignore"):
            return (values / self.unit - self.origin - self.mean) / self.sd

    def squash(self, values):
        """Values standardised and squashed into (-3, 3); NaN stays."""
        z = self.standardised(values)
        # Values farther away are at 3 already, and their squares would not be finite.
        z = np.clip(z, -settings.FARTHEST, settings.FARTHEST)
        return z / np.sqrt(1.0 + np.square(z / 3.0))

    def rank(self, values):
        """Place of values among those of fit, from 0 to 1 by its knots; NaN stays."""
        if len(self.knots) == 0:  # Two values at most: no curve tells them apart.
            return np.zeros(len(values))
        places = np.linspace(0.0, 1.0, len(self.knots))
        return np.interp(self.squash(values), self.knots, places)

    def typical(self):
        """Values of the column: its mean, or the quantiles that are its knots."""
        if len(self.knots) == 0:
            return np.array([(self.mean + self.origin) * self.unit])
        # squash() undone; at 3 itself a value is as far away as any.
        at = np.clip(self.knots, -2.999, 2.999)
        z = at / np.sqrt(1.0 - np.square(at / 3.0))
        return (z * self.sd + self.mean + self.origin) * self.unit

    def transform(self, values):
        """Columns (n_rows, 1 or 2): the squashed number, the missing indicator."""
        z = self.squash(values)
        missing = np.isnan(z)
        z[missing] = 0.0
        return [z, missing.astype(np.float64)] if self.has_missing else [z]

    def bins(self, values):
        """Bin of every value; missing values have the last bin."""
        z = self.squash(values)
        missing = np.isnan(z)
        z[missing] = 0.0
        codes = places(self.cuts, z)
        codes[missing] = len(self.cuts) + 1
        return codes

    @property
    def n_bins(self):
        """Number of bins, the one for missing values included."""
        return len(self.cuts) + 2


def _unit(distinct):
    """1, or a power of two that brings sorted values into the range of float32.

    Mean and spread are kept in float32, and squares must neither overflow nor vanish.
    A power of two changes no digit.
    """
    half_range = 0.5 * distinct[-1] - 0.5 * distinct[0]
    exponent = int(np.frexp(half_range)[1])
    if half_range == 0.0 or abs(exponent) <= settings.PLAIN_EXPONENT:
        exponent = 0
    # No power beyond has a reciprocal; denormal values are near enough to 1 then.
    return 2.0 ** float(np.clip(exponent, -1000, 1023))


def _merged(distinct, share):
    """Sorted values, of which some may be equal, each once, and their shares."""
    first = np.append(True, distinct[1:] != distinct[:-1])
    if first.all():
        return distinct, share
    return distinct[first], np.add.reduceat(share, np.flatnonzero(first))


def _quantiles(distinct, share, n):
    """At most n + 1 distinct values that split the column into n equal shares."""
    upto = np.cumsum(share) - 0.5 * share
    wanted = np.linspace(0.0, 1.0, n + 1)
    at = np.searchsorted(upto, wanted[1:-1])
    picked = np.concatenate(
        [[0], np.minimum(at, len(distinct) - 1), [len(distinct) - 1]]
    )
    return distinct[np.unique(picked)]


def bins_each(n_numbers):
    """Most bins of a number, where there are so many numbers."""
    fair = settings.ALL_BINS // max(n_numbers, 1)
    return int(np.clip(fair, settings.LEAST_BINS, settings.MAX_BINS))


def places(cuts, values):
    """How many of the sorted cuts are at or below each value, int32.

    That of ``np.searchsorted(cuts, values, side="right")``. Of many values several
    times as fast: the cell of a grid says nearly where each is.
    """
    n = settings.GRID_CELLS
    if len(cuts) < 2 or len(values) < n or cuts[0] == cuts[-1]:
        return np.searchsorted(cuts, values, side="right").astype(np.int32)
    low, per_length = cuts[0], (n - 3) / (cuts[-1] - cuts[0])
    # Of the cell before: rounding may have put a value one cell too high.
    edges = low + (np.arange(n) - 2.0) / per_length
    before = np.searchsorted(cuts, edges, side="right").astype(np.int32)
    if np.diff(before).max() > settings.GRID_MOST:  # they are too close together
        return np.searchsorted(cuts, values, side="right").astype(np.int32)
    with np.errstate(over="ignore"):  # as far away as any
        cells = np.clip((values - low) * per_length, -1.0, n - 2.0) + 1.0
    found = before[cells.astype(np.int32)]
    above = np.append(cuts, np.inf)
    at = np.flatnonzero(values >= above[found])
    while len(at):
        found[at] += 1
        at = at[values[at] >= above[found[at]]]
    return found
