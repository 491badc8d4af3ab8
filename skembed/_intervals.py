"""Where outcomes fall about their prediction: quantiles of residuals, as a table.

A normal density about the prediction is right for normal noise only. Here residuals say
how outcomes scatter. On small tables they are those of rows that were held back until
all others had been learned. On larger ones they are the training rows' own, each turned
into what it would be had its row not been in the fit. Of the precision of a number of
the row's vectors the row itself gave a share ``h``; without it the variance of that
number is larger by ``1 / (1 - h)``. With ``u``, the sum of ``h / (1 - h)``, the
variance of the prediction is ``u`` times that of the noise then, and its residual
``1 + u`` times what it is (the leave-one-out formula of linear regression where there
is one number).

The share of the vectors in the variance, ``u / (1 + u)``, is also what tells rare
tokens from common ones, so there is one row of quantiles for each range of it: where
the noise of rare tokens has other tails, their intervals have, too.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from ._likelihoods import weighted_quantile

LEVELS = np.arange(1, 200) / 200.0
ROWS_PER_RANGE = 500
MAX_RANGES = 8
NORMAL_ROWS = 20.0  # what the normal density counts, in rows
MAX_SHARE = 0.9


@dataclass(frozen=True)
class ResidualQuantiles:
    """Quantiles of standardised residuals, one table an output.

    Attributes
    ----------
    shares : list of ndarray of shape (n_ranges,)
        Median share of the vectors' variance in that of the outcome, range by range.
    quantiles : list of ndarray of shape (n_ranges, n_levels)
        Residuals over the outcome's standard deviation, at `LEVELS`.
    """

    shares: list
    quantiles: list

    def at(self, level, share):
        """Quantile of the standardised residual of every row, (n_rows, n_outputs)."""
        tables = zip(self.shares, self.quantiles, strict=True)
        out = [
            np.interp(share[:, j], shares, _at_level(table, level))
            for j, (shares, table) in enumerate(tables)
        ]
        return np.stack(out, axis=1)


def residual_quantiles(residual, own, noise, weights):
    """Learn the table from rows that the predictions have not seen.

    Parameters
    ----------
    residual : ndarray of shape (n_rows, n_outputs)
        Outcomes less their predictions.
    own : ndarray of shape (n_rows, n_outputs)
        Variance of the predictions.
    noise : ndarray of shape (n_rows, n_outputs)
        Variance of the noise.
    weights : ndarray of shape (n_rows,)
    """
    shares, quantiles = [], []
    for r, v, s in zip(residual.T, own.T, noise.T, strict=True):
        total = np.maximum(v + s, 1e-300)
        z, share = r / np.sqrt(total), v / total
        n_ranges = int(np.clip(weights.sum() // ROWS_PER_RANGE, 1, MAX_RANGES))
        cuts = weighted_quantile(share, weights, np.arange(1, n_ranges) / n_ranges)
        which = np.searchsorted(np.unique(cuts), share)
        ranges = [which == k for k in np.unique(which)]
        middle = [weighted_quantile(share[w], weights[w], 0.5) for w in ranges]
        shares.append(np.array(middle))
        quantiles.append(np.array([_shrunk(z[w], weights[w]) for w in ranges]))
    return ResidualQuantiles(shares, quantiles)


def left_open_without(squares, variance, noise):
    """Variance of each prediction had its row not been seen, over that of the noise.

    The row gave ``squares / noise`` to the precision of each number of its vectors.

    Parameters
    ----------
    squares : ndarray of shape (n_rows, n_outputs, n_columns, width)
        Slope of the outcome along each number, squared.
    variance : ndarray of shape (n_rows, n_columns, width)
        Posterior variance of the numbers.
    noise : ndarray of shape (n_rows, n_outputs)
    """
    h = squares * variance[:, None] / np.maximum(noise, 1e-300)[:, :, None, None]
    h = np.minimum(h, MAX_SHARE)
    return (h / (1.0 - h)).sum(axis=(2, 3))


def _shrunk(z, weights):
    """Quantiles of `z`, drawn to the normal density's where the rows are few."""
    n = weights.sum()
    found = weighted_quantile(z, weights, LEVELS)
    return (n * found + NORMAL_ROWS * norm.ppf(LEVELS)) / (n + NORMAL_ROWS)


def _at_level(table, level):
    """Column of the table at `level`; beyond the last the normal density's tail."""
    inside = np.clip(level, LEVELS[0], LEVELS[-1])
    found = np.array([np.interp(inside, LEVELS, row) for row in table])
    return found if inside == level else found * norm.ppf(level) / norm.ppf(inside)


class _Normal:
    """The quantiles of a normal density, where no residuals have been looked at."""

    def at(self, level, share):
        """Quantile of every row, (n_rows, n_outputs)."""
        return np.full_like(share, norm.ppf(level))


NORMAL = _Normal()
