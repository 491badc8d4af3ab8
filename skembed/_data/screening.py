"""Which pairs of columns say more together than both of them alone.

Outcomes are taken as sums of effects of the columns (`additive`). Where the residuals
of rows that share a pair of tokens are alike, the pair has an effect. The strongest
pair of columns joins the sum, and all others are looked at again.
"""

from itertools import combinations

import numpy as np

from .. import _settings as settings
from .additive import Effects, centred, swept
from .rows import row_hash


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
    effects = [Effects(column, weights) for column in codes.T]
    groups = {
        (a, b): Effects(_paired(codes[:, a], codes[:, b]), weights)
        for a, b in combinations(range(n), 2)
    }
    # A pair that is as a token of one of them has nothing to add.
    groups = {
        pair: one
        for pair, one in groups.items()
        if one.n_alike > 0
        and one.n > settings.CROSS_GROWTH * max(effects[k].n for k in pair)
    }
    rest, chosen = centred(outcome, weights), []
    while groups and len(chosen) < settings.MOST_CROSSES:
        rest = swept(effects, rest)
        found = {pair: one.evidence(rest) for pair, one in groups.items()}
        best = max(found, key=lambda pair: found[pair])
        if found[best] < settings.CROSS_EVIDENCE:
            break
        chosen.append(best)
        effects.append(groups.pop(best))
    return chosen


def _some(codes, outcome, weights):
    """Positions of as many rows as are looked at, whatever their order."""
    n = settings.CROSS_ROWS
    if len(codes) <= n:
        return np.arange(len(codes))
    key = row_hash([codes, outcome])
    return np.argsort(key, kind="stable")[:n]


def _paired(a, b):
    return np.unique(a * np.int64(2**31) + b, return_inverse=True)[1]
