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
        """Standard errors by which residuals are alike where the column is, at least 0.

        One for every output.
        """
        found, error = self.likeness(rest)
        return np.maximum(found / np.maximum(error, TINY), 0.0)

    def likeness(self, rest, part=None):
        """How alike residuals are where the column is: mean product of two of them.

        Parameters
        ----------
        rest : ndarray of shape (n_rows, n_outputs)
        part : ndarray of int of shape (n_rows,), default=None
            Parts of the range of a number. Rows of the same part, or of one next to it,
            are left out: these are all that are near each other.

        Returns
        -------
        product, error : ndarray of shape (n_outputs,)
            And its standard error: infinite where there are no two rows.
        """
        weighted = self.weights[:, None] * rest
        pairs, products = np.square(self.count), np.square(self._sums(weighted))
        if part is None:  # with itself each row is left out
            pairs = self.alike
            products = products - self._sums(weighted * rest)
        else:
            pairs = np.maximum(pairs - self._near(self.weights[:, None], part), 0.0)
            products = products - self._near(weighted, part)
        # A cell of many rows would be all that is looked at.
        share = 1.0 / (1.0 + self.count / settings.CROSS_CELL)
        n = (share * pairs).sum()
        if n <= 0.0:
            return np.zeros(rest.shape[1]), np.full(rest.shape[1], np.inf)
        variance = np.average(np.square(rest), axis=0, weights=self.weights)
        error = variance * np.sqrt(2.0 * (np.square(share) * pairs).sum())
        return (share * products).sum(axis=0) / n, error / n

    def _near(self, values, part):
        """Sums of products of rows that are in the same part, or in one next to it."""
        width = part.max() + 3  # nothing is beside the first and the last part
        at = self.codes * width + part + 1
        found = np.stack([np.bincount(at, v, self.n * width) for v in values.T], axis=1)
        found = found.reshape(self.n, width, -1)
        beside = found[:, :-2] + found[:, 1:-1] + found[:, 2:]
        return (found[:, 1:-1] * beside).sum(axis=1)

    def _sums(self, values):
        return np.stack([np.bincount(self.codes, v, self.n) for v in values.T], axis=1)
