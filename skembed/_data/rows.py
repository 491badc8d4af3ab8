"""Equal rows, merged into one row with the sum of their weights.

The order of the merged rows depends only on their contents. So a fit does not depend on
the order of the data, and a weight of k gives the same fit as k copies.
"""

from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .blend import Blend, stacked
from .encoded import Encoded
from .memory import aligned


class Rows(NamedTuple):
    """Merged training rows, in canonical order.

    Attributes
    ----------
    codes : ndarray of int32 of shape (n_rows, n_columns)
    numbers : ndarray of float64 of shape (n_rows, n_numbers)
    targets : ndarray of float64 of shape (n_rows, n_targets)
    weights : ndarray of float64 of shape (n_rows,)
    n_given : int
        Number of rows before they were merged, copies by weight not counted.
    blend : Blend or None
        As in `Encoded`.
    offset : ndarray of float32 of shape (n_rows, n_first), or None
        What is added to the sums of the vectors' first coordinates.
    """

    codes: np.ndarray
    numbers: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    n_given: int
    blend: Blend | None = None
    offset: np.ndarray | None = None

    n_shards, kept_batch = 1, None

    @property
    def n_rows(self):
        """Number of merged rows."""
        return len(self.weights)

    @property
    def total(self):
        """Sum of the weights: the number of rows that they stand for."""
        return float(self.weights.sum())

    @property
    def n_counted(self):
        """Number of rows that steps and epochs are counted by.

        The sum of the weights, but no more than a limit: weights of a billion would
        otherwise take as many steps as a billion copies.
        """
        most = max(settings.COUNTED_ROWS, settings.COUNTED_PER_ROW * self.n_given)
        return min(self.total, float(most))


class Observations(NamedTuple):
    """Encoded rows and their outcomes as they came.

    Attributes
    ----------
    codes, numbers : ndarrays
        As in `Encoded`; a token keeps its code when others are added.
    outcome : ndarray of float64 of shape (n_rows, n_outputs)
    weights : ndarray of float64 of shape (n_rows,)
    blend : Blend or None
        As in `Encoded`.
    """

    codes: np.ndarray
    numbers: np.ndarray
    outcome: np.ndarray
    weights: np.ndarray
    blend: Blend | None = None

    @property
    def cells(self):
        """All that the network reads of the rows, as blocks with one row for each."""
        factors = [] if self.blend is None else [self.blend.factors]
        return [self.codes, self.numbers, *factors]

    def encoded(self, at):
        """The rows at these positions, without their outcomes."""
        return Encoded(self.codes, self.numbers, self.blend).rows(at)

    def counted(self, at, weights):
        """The rows at these positions with other weights, without those of weight 0."""
        at, weights = at[weights > 0], weights[weights > 0]
        blend = self.blend and self.blend.rows(at)
        blocks = (block[at] for block in self[:3])
        return Observations(*blocks, weights, blend)

    def more(self, others):
        """These rows and others below them."""
        pairs = zip(self[1:4], others[1:4], strict=True)
        numbers, outcome, weights = (np.concatenate(pair) for pair in pairs)
        own, new = ((rows.codes, rows.blend) for rows in (self, others))
        codes, blend = stacked([own, new])
        return Observations(codes, numbers, outcome, weights, blend)


def merge(codes, numbers, targets, weights, average_targets):
    """Merge equal rows.

    Parameters
    ----------
    codes, numbers, targets, weights : ndarrays
        As in :class:`Rows`; weights are positive.
    average_targets : bool
        Whether rows that differ only in their targets may be merged into one with the
        mean target, which is right if the loss is linear in the targets.
    """
    n_given = len(weights)
    key = row_hash([codes, numbers])
    if not average_targets:
        key = row_hash([targets], key)
    order = np.argsort(key)
    key = key[order]
    tied = np.zeros(len(key), dtype=bool)
    same = key[1:] == key[:-1]
    tied[1:] |= same
    tied[:-1] |= same
    # Within a tie the order must not depend on where the rows stood, either.
    at = np.flatnonzero(tied)
    rows = order[at]
    ties = [weights[rows], *targets[rows].T[::-1], *numbers[rows].T, *codes[rows].T]
    order[at] = rows = rows[np.lexsort([*ties, key[at]])]
    del ties, key

    # First the copies: sums of weights are exact there, whatever came before.
    copies, same_row = tied, tied.copy()
    same_row[at] = _same_as_before(codes, rows) & _same_as_before(numbers, rows)
    copies[at] = same_row[at] & _same_as_before(targets, rows)
    first = np.flatnonzero(~copies)
    weights = np.add.reduceat(weights[order], first)
    order, same_row = order[first], same_row[first]
    targets = np.take(targets, order, axis=0)
    if average_targets and same_row.any():
        first = np.flatnonzero(~same_row)
        targets = np.add.reduceat(weights[:, None] * targets, first, axis=0)
        weights, order = np.add.reduceat(weights, first), order[first]
        targets /= weights[:, None]
    merged = aligned(len(order), codes.shape[1], codes.dtype)
    np.take(codes, order, axis=0, out=merged, mode="clip")  # "raise" fills a buffer
    numbers = np.take(numbers, order, axis=0)
    numbers += 0.0  # no -0.0
    return Rows(merged, numbers, targets, weights, n_given)


def _same_as_before(block, rows):
    """Which of some rows are the same as the one that is before it among them."""
    same = np.ones(len(rows), dtype=bool)
    same[:1] = False
    for column in block.T:
        values = column[rows]
        same[1:] &= values[1:] == values[:-1]
    return same


def sample(blocks, weights, n):
    """Positions of about `n` different rows, and how much each of them stands for.

    The choice depends only on the contents of the rows: it is the same in any order,
    and a weight of k counts as k copies.
    """
    key = row_hash(blocks)
    in_order = np.sort(key)
    n_different = 1 + np.count_nonzero(in_order[1:] != in_order[:-1])
    del in_order
    # Of many rows only those that are wanted are looked at any closer.
    at = np.arange(len(key))
    if n_different > n:
        at = np.flatnonzero(_place(key) < n / n_different)
    key, first, which = np.unique(key[at], return_index=True, return_inverse=True)
    return at[first], np.bincount(which, weights[at], minlength=len(key))


def set_apart(blocks, weights, share):
    """Separate about this share of the rows from the others, copies in proportion.

    The choice is that of :func:`sample`. Of a row with weight 10 and a share of 0.1, 1
    is taken and 9 are left.

    Returns
    -------
    at : ndarray of int
        Positions of the different rows.
    taken, left : ndarrays of float
        How much of each is taken and how much is left; their sum is the row's weight.
    """
    at, total, place = _distinct(blocks, weights)
    copies = np.maximum(np.ceil(total), 1.0)
    taken = total * np.floor(share * copies + place) / copies
    return at, taken, total - taken


def equal_rows(blocks):
    """Hash and a position of each different row, and which of them every row is."""
    return np.unique(
        row_hash(blocks),
        return_index=True,
        return_inverse=True,
    )


def _distinct(blocks, weights):
    """Positions of different rows, their weights and places in [0, 1), as if drawn."""
    key, first, which = equal_rows(blocks)
    return first, np.bincount(which, weights, minlength=len(key)), _place(key)


def _place(key):
    """Places of rows in [0, 1), as if drawn."""
    # The upper 53 bits: a double holds no more, and 1 must not be reached.
    return (key >> np.uint64(11)).astype(np.float64) * 2.0**-53


_MULTIPLIERS = np.array([0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)


def row_hash(blocks, start=None):
    """64-bit hash of every row (the mixing step of SplitMix64, Steele et al. 2014)."""
    key = np.full(len(blocks[0]), 0x9E3779B97F4A7C15, np.uint64)
    if start is not None:
        key = start.copy()
    # In pieces: what is in between stays in the cache.
    for at in range(0, len(key), settings.HASH_ROWS):
        piece = slice(at, at + settings.HASH_ROWS)
        own = key[piece]
        for block in blocks:
            for column in block[piece].T:
                if column.dtype.kind == "i":
                    own ^= column.astype(np.uint64)
                else:  # -0.0 becomes 0.0: equal numbers, equal bits
                    own ^= np.add(column, 0.0, dtype=np.float64).view(np.uint64)
                own *= _MULTIPLIERS[0]
                own ^= own >> np.uint64(29)
                own *= _MULTIPLIERS[1]
                own ^= own >> np.uint64(32)
    return key
