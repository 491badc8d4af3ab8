"""Which pairs of columns say more together than both of them alone.

Outcomes are taken as sums of effects of the columns (`additive`). Where the residuals
of rows that share a pair of tokens are alike, the pair has an effect. The strongest
pair of columns joins the sum, and all others are looked at again.

What a pair does holds wherever its rows are. Where they are alike only as long as they
are near each other in a number, as those of a player in a team are within some years,
it is that number which acts otherwise there: this is for the layers.
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
        How many of the columns, the first ones, may be crossed. The others are bins of
        numbers, in their order.

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
    while len(chosen) < settings.MOST_CROSSES:
        rest = swept(effects, rest)
        best = _strongest(groups, rest, codes.T[n:])
        if best is None:
            break
        chosen.append(best)
        effects.append(groups.pop(best))
    return chosen


def _strongest(groups, rest, numbers):
    """The pair with the most evidence, or None; those that do not hold are dropped."""
    found = {
        pair: float(np.linalg.norm(one.evidence(rest))) for pair, one in groups.items()
    }
    for pair in sorted(found, key=lambda pair: -found[pair]):
        if found[pair] < settings.CROSS_EVIDENCE:
            return None
        if _holds(groups[pair], rest, numbers):
            return pair
        del groups[pair]
    return None


def _parts(number, weights):
    """In which of some parts of equal rows each row is, by the bin of a number."""
    count = np.bincount(number, weights)
    middle = (np.cumsum(count) - 0.5 * count) / count.sum()
    return (settings.FAR_PARTS * middle).astype(np.intp)[number]


def _holds(one, rest, numbers):
    """Whether a pair of columns does the same where numbers are far apart.

    Of several outputs one is enough: what makes the lowest class less likely makes a
    class between others more so for some numbers and less so for others.
    """
    evidence, (every, _) = one.evidence(rest), one.likeness(rest)
    tells = evidence >= 0.5 * evidence.max()
    for number in numbers:
        far, error = one.likeness(rest, _parts(number, one.weights))
        if ((far + 2.0 * error)[tells] < settings.FAR_ALIKE * every[tells]).all():
            return False
    return True


def _some(codes, outcome, weights):
    """Positions of as many rows as are looked at, whatever their order."""
    n = settings.CROSS_ROWS
    if len(codes) <= n:
        return np.arange(len(codes))
    key = row_hash([codes, outcome])
    return np.argsort(key, kind="stable")[:n]


def _paired(a, b):
    return np.unique(a * np.int64(2**31) + b, return_inverse=True)[1]
