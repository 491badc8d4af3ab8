"""Numeric columns: scale, piecewise-linear encoding and quantile bins."""

import numpy as np

from .. import _settings as settings


class NumberScale:
    """How one numeric column becomes numbers for the network.

    A value is standardised and squashed smoothly beyond three standard deviations
    (Holzmüller et al. 2024, "Better by Default", section 3), so that one outlier
    cannot carry the linear term away. A missing value becomes 0, with an indicator
    beside it if the training data had any. The quantiles of the squashed value are
    the knots of the piecewise-linear encoding (Gorishniy et al. 2022, "On Embeddings
    for Numerical Features", section 3.1) and the cuts of the bins.
    """

    def __init__(self, values, weights):
        known = ~np.isnan(values)
        self.has_missing = not known.all()
        values, weights = values[known], weights[known]
        if len(values) == 0:  # nothing but missing values
            values, weights = np.zeros(1), np.ones(1)
        # From the sorted distinct values, and rounded to float32: the same whatever
        # the order of the rows. Counted from the smallest, an offset costs no digits.
        distinct, at = np.unique(values, return_inverse=True)
        weight = np.bincount(at, weights=weights)
        share = weight / weight.sum()
        self.origin = float(distinct[0])
        shifted = distinct - self.origin
        mean = share @ shifted
        self.mean = float(np.float32(mean))
        sd = np.sqrt(share @ np.square(shifted - mean))
        self.sd = float(np.float32(sd)) or 1.0
        distinct = self.squash(distinct)
        n_bins = int(
            min(settings.MAX_BINS, np.float32(weight.sum()) / settings.ROWS_PER_BIN)
        )
        # With two values the linear term says all that a bin could.
        self.is_binned = min(len(distinct), n_bins) > 2
        self.knots = _quantiles(distinct, share, settings.MAX_KNOTS)
        if len(distinct) <= 2:
            self.knots = self.knots[:0]
        if len(distinct) <= n_bins:
            self.cuts = 0.5 * (distinct[1:] + distinct[:-1])
        else:
            self.cuts = _quantiles(distinct, share, max(n_bins, 1))[1:-1]

    def squash(self, values):
        z = (values - self.origin - self.mean) / self.sd
        return z / np.sqrt(1.0 + np.square(z / 3.0))

    def transform(self, values):
        """Columns (n_rows, 1 or 2): the squashed number, the missing indicator."""
        z = self.squash(values)
        missing = np.isnan(z)
        z[missing] = 0.0
        return [z, missing.astype(np.float64)] if self.has_missing else [z]

    def bins(self, values):
        """Bin of every value; the last code but one for missing, none unknown."""
        z = self.squash(values)
        codes = np.searchsorted(self.cuts, z, side="right")
        codes[np.isnan(z)] = len(self.cuts) + 1
        return codes.astype(np.int32)

    @property
    def n_bins(self):
        """Number of bins, the one for missing values included."""
        return len(self.cuts) + 2


def _quantiles(distinct, share, n):
    """At most n + 1 distinct values that split the column into n equal shares."""
    upto = np.cumsum(share) - 0.5 * share
    wanted = np.linspace(0.0, 1.0, n + 1)
    at = np.searchsorted(upto, wanted[1:-1])
    picked = np.concatenate(
        [[0], np.minimum(at, len(distinct) - 1), [len(distinct) - 1]]
    )
    return distinct[np.unique(picked)]
