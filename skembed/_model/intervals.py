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

The noise of rare tokens may have other tails than that of common ones, and what the
posterior says of them may be further off: so there is one row of quantiles for each
range of how rare the tokens of a row are.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from .. import _settings as settings
from .likelihoods import weighted_quantile

LEVELS = np.arange(1, 200) / 200.0


@dataclass(frozen=True)
class ResidualQuantiles:
    """Quantiles of standardised residuals.

    Attributes
    ----------
    rarities : ndarray of shape (n_ranges,)
        Median of :func:`rarity`, range by range.
    quantiles : ndarray of shape (n_outputs, n_ranges, n_levels)
        Residuals over the outcome's standard deviation, at `LEVELS`.
    """

    rarities: np.ndarray
    quantiles: np.ndarray

    def at(self, level, rarity):
        """Quantile of the standardised residual of every row, (n_rows, n_outputs)."""
        out = [
            np.interp(rarity, self.rarities, _at_level(table, level))
            for table in self.quantiles
        ]
        return np.stack(out, axis=1)


def rarity(codes, counts, own=0.0):
    """How rare the tokens of every row are: 0 for common ones, 1 for one not seen.

    The root of the sum of the squares of ``1 / (1 + n)``, with ``n`` rows of a token:
    about that of the rarest token, and a little more where others are rare, too.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_columns)
    counts : list of ndarray of shape (n_codes_k,)
        Of the first columns, those of tokens; others are not looked at.
    own : float, default=0.0
        How often each row counts itself.

    Returns
    -------
    rarity : ndarray of shape (n_rows,)
    """
    total = np.zeros(len(codes))
    for column, n in zip(codes.T, counts, strict=False):
        total += np.square(1.0 / (1.0 + np.maximum(n[column] - own, 0.0)))
    return np.sqrt(total)


def residual_quantiles(residual, std, rare, weights):
    """Learn the table from rows that the predictions have not seen.

    Parameters
    ----------
    residual : ndarray of shape (n_rows, n_outputs)
        Outcomes less their predictions.
    std : ndarray of shape (n_rows, n_outputs)
        Standard deviations of the outcomes.
    rare : ndarray of shape (n_rows,)
        :func:`rarity` of the rows.
    weights : ndarray of shape (n_rows,)
    """
    z = residual / np.maximum(std, 1e-150)
    # Half of the rows are in the first range, half of the others in the next, ...
    n_cuts = int(np.log2(max(weights.sum() / settings.RANGE_ROWS, 1.0)))
    halves = 1.0 - 0.5 ** np.arange(1, min(n_cuts + 1, settings.MAX_RANGES))
    cuts = np.unique(weighted_quantile(rare, weights, halves))
    which = np.searchsorted(cuts, rare)
    ranges = [which == k for k in np.unique(which)]
    middle = [weighted_quantile(rare[at], weights[at], 0.5) for at in ranges]
    tables = [_by_range(of, weights, ranges) for of in z.T]
    return ResidualQuantiles(np.array(middle), np.array(tables))


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
    h = np.minimum(h, settings.MAX_LEVERAGE)
    return (h / (1.0 - h)).sum(axis=(2, 3))


def _by_range(z, weights, ranges):
    """Quantiles of `z`, range by range."""
    whole = _shrunk(z, weights, norm.ppf(LEVELS))
    if len(ranges) == 1:
        return [whole]
    return [_shrunk(z[at], weights[at], whole) for at in ranges]


def _shrunk(z, weights, towards):
    """Quantiles of `z`, drawn to others where the rows are few."""
    n = weights.sum()
    found = weighted_quantile(z, weights, LEVELS)
    return (n * found + settings.NORMAL_ROWS * towards) / (n + settings.NORMAL_ROWS)


def _at_level(table, level):
    """Column of the table at `level`; beyond the last the normal density's tail."""
    inside = np.clip(level, LEVELS[0], LEVELS[-1])
    found = np.array([np.interp(inside, LEVELS, row) for row in table])
    return found if inside == level else found * norm.ppf(level) / norm.ppf(inside)


class _Normal:
    """The quantiles of a normal density, where no residuals have been looked at."""

    def at(self, level, rarity):
        """Quantile of every row, (n_rows, 1)."""
        return np.full((len(rarity), 1), norm.ppf(level))


NORMAL = _Normal()
