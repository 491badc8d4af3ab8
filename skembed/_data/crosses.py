"""Pairs of columns as columns of their own: the memory of a particular pair.

What two columns do together is for the layers, where it follows from what their tokens
are like. What only holds of one agent in one country, of one role in one department,
does not; there each pair of tokens has an effect of its own, in a block whose prior
scale is learned. A pair that fit has seen in one row only is as one that it has never
seen: an effect of one row says nothing that holds of others.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from .choice import positions
from .lookup import Vocabulary
from .wording import shown

PER_CODE = np.int64(2**31)  # keys of pairs per code: no column has as many codes


@dataclass(frozen=True, eq=False)
class Cross:
    """A block of the table with one row per pair of tokens.

    Attributes
    ----------
    columns : (int, int)
        Positions among the columns of tokens.
    pairs : Vocabulary
        The pairs that have a row, in the order of the rows, as one number each. One
        more row stands for all other pairs.
    """

    columns: tuple
    pairs: Vocabulary = field(default_factory=lambda: Vocabulary(np.zeros(0, np.int64)))

    @property
    def keys(self):
        """The numbers of the pairs, int64 of shape (n_pairs,)."""
        return self.pairs.tokens

    @property
    def size(self):
        """Number of rows of the block."""
        return len(self.keys) + 1

    def codes(self, first, second):
        """Rows of pairs of codes of the two columns, (n_rows,)."""
        at = self.pairs.positions(first * PER_CODE + second)
        return np.where(at < 0, len(self.keys), at)

    def grown(self, first, second, known, weights):
        """The cross with the pairs of these codes that are new and in several rows.

        `known` says where both tokens are.
        """
        keys = (first * PER_CODE + second)[known]
        keys, which = np.unique(keys, return_inverse=True)
        times = np.bincount(which, weights[known], len(keys))
        new = np.setdiff1d(keys[times > 1.0], self.keys)
        return replace(self, pairs=Vocabulary(np.append(self.keys, new)))


def choose_crosses(wanted, n, names, is_categorical):
    """Which pairs of columns are crossed, and which columns are categorical.

    Parameters
    ----------
    wanted : "auto", None or list of pairs of names or indices
    n : int
        Number of columns.
    names : ndarray of str or None
    is_categorical : ndarray of bool of shape (n_features,)

    Returns
    -------
    pairs : list of (int, int), or "auto"
        Positions in the table.
    is_categorical : ndarray of bool of shape (n_features,)
        With the columns that `wanted` names.
    """
    is_categorical, pairs = is_categorical.copy(), []
    if isinstance(wanted, str):
        return wanted, is_categorical
    for pair in [] if wanted is None else wanted:
        own = []
        if not isinstance(pair, str) and np.ndim(pair) == 1:
            own = sorted(positions(pair, n, names, "crosses"))
        if len(set(own)) != 2 or len(own) != 2 or tuple(own) in pairs:
            raise ValueError(
                "crosses must be 'auto', None or a list of pairs of columns, such as "
                f"[('agent', 'country')], each of them once; got {shown(wanted)}."
            )
        is_categorical[own] = True
        pairs.append(tuple(own))
    return pairs, is_categorical
