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
        found, error = self._likeness(rest, 0.0, 0.0)
        return np.maximum(found / np.maximum(error, TINY), 0.0)

    def holds_far(self, rest, part, n_parts):
        """How alike rows are that are far apart in a number, over how alike all are.

        Parameters
        ----------
        rest : ndarray of shape (n_rows, n_outputs)
        part : ndarray of int of shape (n_rows,)
            In which part of the range of the number each row is; those of the same part
            and of the one next to it are near.
        n_parts : int

        Returns
        -------
        ratio, error : ndarray of shape (n_outputs,)
            And its standard error: infinite where no rows are far apart.
        """
        at = self.codes * (n_parts + 2) + part + 1

        def near(values):
            found = np.bincount(at, values, self.n * (n_parts + 2))
            found = found.reshape(self.n, n_parts + 2)
            beside = found[:, :-2] + found[:, 1:-1] + found[:, 2:]
            return (found[:, 1:-1] * beside).sum(axis=1)

        weighted = self.weights[:, None] * rest
        own = self._sums(weighted * rest)
        products = np.stack([near(values) for values in weighted.T], axis=1) - own
        pairs = near(self.weights)[:, None] - self.count
        n_far = (self._share * (self.alike - pairs)).sum()
        if n_far <= 0.0:
            return np.ones(len(own.T)), np.full(len(own.T), np.inf)
        far, error = self._likeness(rest, products, pairs)
        every, _ = self._likeness(rest, 0.0, 0.0)
        every = every / (self._share * self.alike).sum() * n_far
        every = np.maximum(every, TINY)  # where nothing is alike, nothing is asked
        return far / every, error / every

    @property
    def _share(self):
        """What counts of a cell: one of many rows would be all that is looked at."""
        return 1.0 / (1.0 + self.count / settings.CROSS_CELL)

    def _likeness(self, rest, products, pairs):
        """Sum of the products of residuals of pairs of rows of a cell, and its error.

        `products` and `pairs` are those of the rows that are left out, cell by cell.
        """
        weighted, share = self.weights[:, None] * rest, self._share
        own = self._sums(weighted * rest)
        found = np.square(self._sums(weighted)) - own - products
        variance = np.average(np.square(rest), axis=0, weights=self.weights)
        n = (np.square(share) * (self.alike - pairs)).sum()
        error = variance * np.sqrt(2.0 * max(n, 0.0))
        return (share * found).sum(axis=0), error

    def _sums(self, values):
        return np.stack([np.bincount(self.codes, v, self.n) for v in values.T], axis=1)
