"""Outcomes as sums of effects of the columns, shrunk by the method of moments.

Effects are found column by column (backfitting: Hastie and Tibshirani 1990,
"Generalized Additive Models", section 4.4). The mean product of the residuals of two
rows that share a token is the variance of the column's effects (Henderson's method 1
for components of variance: Searle, Casella and McCulloch 1992, "Variance Components",
section 5.3). Rows of weight 0 are not learned from, and what is left of their outcomes
is how far they are off.
"""

import numpy as np

from .. import _settings as settings

TINY = 1e-300


def centred(outcome, weights):
    """Outcomes about their mean, in units of their spread."""
    rest = outcome - np.average(outcome, axis=0, weights=weights)
    spread = np.sqrt(np.average(np.square(rest), axis=0, weights=weights))
    return rest / np.maximum(spread, TINY)


def swept(effects, rest):
    """Residuals with all effects learned anew, one after the other, several times."""
    for _ in range(settings.ADDITIVE_SWEEPS):
        for one in effects:
            rest = one.taken_from(rest)
    return rest


def additive_residuals(codes, outcome, weights):
    """Residuals of a sum of effects of the columns, in units of the outcomes' spread.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_columns)
    outcome : ndarray of float of shape (n_rows, n_outputs)
    weights : ndarray of float of shape (n_rows,)
    """
    effects = [Effects(column, weights) for column in codes.T]
    return swept(effects, centred(outcome, weights))


class Effects:
    """Effects of one column, or of a pair of them, and how alike its rows are."""

    def __init__(self, codes, weights):
        self.codes = codes.astype(np.intp)  # to take by others is ten times slower
        self.weights = weights
        self.n = int(codes.max(initial=0)) + 1
        self.count = self._sums(weights[:, None])
        # Pairs of rows, a weight of k being k of them.
        self.alike = np.maximum(np.square(self.count) - self.count, 0.0)
        self.n_alike = float(self.alike.sum())
        self.value = None
        self.variance = 0.0

    def taken_from(self, rest):
        """Residuals with these effects learned anew."""
        if self.value is not None:
            rest = rest + self.value.take(self.codes, axis=0)
        weighted = self.weights[:, None] * rest
        total, squares = self._sums(weighted), (weighted * rest).sum(axis=0)
        products = np.square(total).sum(axis=0) - squares
        self.variance = np.maximum(products / max(self.n_alike, TINY), 0.0)
        noise = np.maximum(squares / self.weights.sum() - self.variance, TINY)
        self.value = total * self.variance / (self.count * self.variance + noise)
        return rest - self.value.take(self.codes, axis=0)

    def uncertainty(self, noise):
        """Variance that the effect of every row is still known with."""
        noise = np.maximum(noise, TINY)
        found = self.variance * noise / (self.count * self.variance + noise)
        return found.take(self.codes, axis=0)

    def evidence(self, rest):
        """Standard errors by which residuals are alike where the column is.

        Of several outputs the root of the sum of their squares.
        """
        weighted = self.weights[:, None] * rest
        products = np.square(self._sums(weighted)) - self._sums(weighted * rest)
        # A cell of many rows would be all that is looked at.
        share = 1.0 / (1.0 + self.count / settings.CROSS_CELL)
        variance = np.average(np.square(rest), axis=0, weights=self.weights)
        alike = (np.square(share) * self.alike).sum()
        error = variance * np.sqrt(2.0 * alike)
        z = (share * products).sum(axis=0) / np.maximum(error, TINY)
        return float(np.sqrt(np.square(np.maximum(z, 0.0)).sum()))

    def _sums(self, values):
        return np.stack([np.bincount(self.codes, v, self.n) for v in values.T], axis=1)
