"""Prediction intervals: quantiles of standardised residuals, by ranges of rarity.

A normal density about the prediction is right for normal noise only. Here residuals
determine how outcomes scatter. On small data sets they are those of the calibration
rows, which the network had not been trained on. On larger ones they are those of the
training rows, each corrected to the value that it would have if its own row were left
out. Let ``h`` be the share of a row in the precision of a coordinate of its vectors.
Without the row the variance of that coordinate is larger by the factor ``1 / (1 - h)``.
Let ``u`` be the sum of ``h / (1 - h)``. Then the variance of the prediction without the
row is ``u`` times that of the noise, and the residual is ``1 + u`` times as large. For
a single coordinate this is the leave-one-out formula of linear regression.

The noise of rare tokens may have other tails than that of common ones, and their
posterior may be less exact. So there is one set of quantiles per range of how rare the
tokens of a row are.
"""

from dataclasses import dataclass, replace

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
    of_fit : ResidualQuantiles or None
        Those of the rows of fit, where these are of later rows.
    """

    rarities: np.ndarray
    quantiles: np.ndarray
    of_fit: "ResidualQuantiles | None" = None

    def at(self, level, rarity):
        """Quantile of the standardised residual of every row, (n_rows, n_outputs)."""
        out = [
            np.interp(rarity, self.rarities, _at_level(table, level))
            for table in self.quantiles
        ]
        return np.stack(out, axis=1)

    def lasting(self, of_fit):
        """The same where only a part of a shift since fit is taken to last.

        By how much the median has moved is one observation, however many the rows: they
        share what was special about their time. As in exponential smoothing (Gardner
        1985, "Exponential smoothing: the state of the art"), the level follows it for
        `settings.SHIFT_LASTS` of the way. The rest is scatter of either sign, and keeps
        its square.
        """
        of_fit = of_fit.of_fit or of_fit
        middle = self.at(0.5, self.rarities)
        shift = (middle - of_fit.at(0.5, self.rarities)).T[:, :, None]
        about = self.quantiles - shift
        normal = norm.ppf(LEVELS)
        spread = np.square(normal * shift) * (1.0 - settings.SHIFT_LASTS**2)
        wider = np.sqrt(np.square(about) + spread) - np.abs(about)
        lasting = settings.SHIFT_LASTS * shift + about + np.sign(normal) * wider
        return replace(self, quantiles=lasting, of_fit=of_fit)


def rarity(codes, counts, own=0.0, factors=None):
    """How rare the tokens of every row are: 0 for common ones, 1 for an unknown one.

    It is the root of the sum of the squares of ``1 / (1 + n)``, with ``n`` the number
    of rows of a token: about the value of the rarest token, and a little more if others
    are rare, too.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_columns)
    counts : list of ndarray of shape (n_codes_k,)
        Counts of the first columns, those of tokens; others are ignored.
    own : float, default=0.0
        How often a row counts itself.
    factors : ndarray of shape (n_rows, n_columns), default=None
        What the vector of each token is multiplied by; None: by 1.

    Returns
    -------
    rarity : ndarray of shape (n_rows,)
    """
    total = np.zeros(len(codes))
    for k, (column, n) in enumerate(zip(codes.T, counts, strict=False)):
        rare = np.square(1.0 / (1.0 + np.maximum(n[column] - own, 0.0)))
        total += rare if factors is None else rare * np.square(factors[:, k])
    return np.sqrt(total)


def residual_quantiles(residual, std, rare, weights):
    """Compute the quantiles from residuals of rows left out of the fit.

    Parameters
    ----------
    residual : ndarray of shape (n_rows, n_outputs)
        Outcomes minus their predictions.
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
    """Variance of each prediction without its own row, over that of the noise.

    The row adds ``squares / noise`` to the precision of each coordinate of its vectors.

    Parameters
    ----------
    squares : ndarray of shape (n_rows, n_outputs, n_columns, width)
        Squared slope of the outcome along each coordinate.
    variance : ndarray of shape (n_rows, n_columns, width)
        Posterior variance of the coordinates.
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
    """Quantiles of `z`, shrunk towards others according to the number of rows."""
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
