"""Which pairs of columns say more together than both of them alone.

Outcomes are taken as sums of effects of the columns, shrunk by the method of moments
and found column by column (backfitting: Hastie and Tibshirani 1990, "Generalized
Additive Models", section 4.4). Where the residuals of rows that share a pair of tokens
are alike, the pair has an effect: the mean product of two of them is its variance
(Henderson's method 1 for components of variance: Searle, Casella and McCulloch 1992,
"Variance Components", section 5.3). The strongest pair of columns joins the sum, and
all others are looked at again.
"""

from itertools import combinations

import numpy as np

from .. import _settings as settings
from .rows import row_hash

TINY = 1e-300


def telling_pairs(codes, outcome, weights, n):
    """The pairs of columns that say more together, the strongest first.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_columns)
    outcome : ndarray of float of shape (n_rows, n_outputs)
    weights : ndarray of float of shape (n_rows,)
    n : int
        How many of the columns, the first ones, may be crossed.

    Returns
    -------
    pairs : list of (int, int)
    """
    rows = _some(codes, outcome, weights)
    codes, outcome, weights = codes[rows], outcome[rows], weights[rows]
    effects = [_Effects(column, weights) for column in codes.T]
    groups = {
        (a, b): _Effects(_paired(codes[:, a], codes[:, b]), weights)
        for a, b in combinations(range(n), 2)
    }
    # A pair that is as a token of one of them has nothing to add.
    groups = {
        pair: one
        for pair, one in groups.items()
        if one.n_alike > 0
        and one.n > settings.CROSS_GROWTH * max(effects[k].n for k in pair)
    }
    rest, chosen = _centred(outcome, weights), []
    while groups and len(chosen) < settings.MOST_CROSSES:
        rest = _swept(effects, rest)
        found = {pair: one.evidence(rest) for pair, one in groups.items()}
        best = max(found, key=lambda pair: found[pair])
        if found[best] < settings.CROSS_EVIDENCE:
            break
        chosen.append(best)
        effects.append(groups.pop(best))
    return chosen


def additive_residuals(codes, outcome, weights):
    """Residuals of a sum of effects of the columns, in units of the outcomes' spread.

    Parameters: see `telling_pairs`.
    """
    effects = [_Effects(column, weights) for column in codes.T]
    return _swept(effects, _centred(outcome, weights))


def _swept(effects, rest):
    """Residuals with all effects learned anew, one after the other, several times."""
    for _ in range(settings.CROSS_SWEEPS):
        for one in effects:
            rest = one.taken_from(rest)
    return rest


def _some(codes, outcome, weights):
    """Positions of as many rows as are looked at, whatever their order."""
    n = settings.CROSS_ROWS
    if len(codes) <= n:
        return np.arange(len(codes))
    key = row_hash([codes, outcome])
    return np.argsort(key, kind="stable")[:n]


def _centred(outcome, weights):
    """Outcomes about their mean, in units of their spread."""
    rest = outcome - np.average(outcome, axis=0, weights=weights)
    spread = np.sqrt(np.average(np.square(rest), axis=0, weights=weights))
    return rest / np.maximum(spread, TINY)


def _paired(a, b):
    return np.unique(a * np.int64(2**31) + b, return_inverse=True)[1]


class _Effects:
    """Effects of one column, or of a pair of them, and how alike its rows are."""

    def __init__(self, codes, weights):
        self.codes = codes
        self.weights = weights
        self.n = int(codes.max(initial=0)) + 1
        self.count = self._sums(weights[:, None])
        # Pairs of rows, a weight of k being k of them.
        self.alike = np.maximum(np.square(self.count) - self.count, 0.0)
        self.n_alike = float(self.alike.sum())
        self.value = 0.0

    def taken_from(self, rest):
        """Residuals with these effects learned anew."""
        rest = rest + (0.0 if np.isscalar(self.value) else self.value[self.codes])
        total = self._sums(self.weights[:, None] * rest)
        variance = np.maximum(self._variance(rest), 0.0)
        noise = np.average(np.square(rest), axis=0, weights=self.weights)
        noise = np.maximum(noise - variance, TINY)
        self.value = total * variance / (self.count * variance + noise)
        return rest - self.value[self.codes]

    def evidence(self, rest):
        """Standard errors by which residuals are alike where the column is.

        Of several outputs the root of the sum of their squares.
        """
        products = self._products(rest)
        # A cell of many rows would be all that is looked at.
        share = 1.0 / (1.0 + self.count / settings.CROSS_CELL)
        variance = np.average(np.square(rest), axis=0, weights=self.weights)
        alike = (np.square(share) * self.alike).sum()
        error = variance * np.sqrt(2.0 * alike)
        z = (share * products).sum(axis=0) / np.maximum(error, TINY)
        return float(np.sqrt(np.square(np.maximum(z, 0.0)).sum()))

    def _variance(self, rest):
        return self._products(rest).sum(axis=0) / max(self.n_alike, TINY)

    def _products(self, rest):
        """Sums of the products of the residuals of different rows."""
        total, own = (self._sums(self.weights[:, None] * r) for r in (rest, rest**2))
        return np.square(total) - own

    def _sums(self, values):
        return np.stack([np.bincount(self.codes, v, self.n) for v in values.T], axis=1)
