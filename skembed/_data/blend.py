"""Vectors that are blended of several rows of the table: which rows, and how much.

A cell of one token is one row of the table of vectors. A cell of several tokens is the
mean of theirs, and a token may itself be a sum of rows, some of which it shares with
others. In all of these a field's vector is a sum of rows times factors. Where a table
has such fields, its rows are encoded slot by slot: a slot is a place for one row of the
table, and every field has as many as its longest cell needs.
"""

from typing import NamedTuple

import numpy as np

NOWHERE = -1  # the source of what is read from several columns


class Slots(NamedTuple):
    """What the slots of a row are for.

    Attributes
    ----------
    field : ndarray of int64 of shape (n_slots,)
        Which vector of the row each adds to.
    block : ndarray of int64 of shape (n_slots,)
        Which block of the table its codes are of.
    source : ndarray of int64 of shape (n_slots,)
        Which column its codes are read from: of tokens, or of numbers after them.
    measure : ndarray of int64 of shape (n_slots,)
        Which column its factors are read from.
    """

    field: np.ndarray
    block: np.ndarray
    source: np.ndarray
    measure: np.ndarray

    @property
    def n_fields(self):
        """Number of vectors of a row."""
        return int(self.field.max()) + 1

    def of_block(self, block):
        """Positions of the slots whose codes are of a block."""
        return np.flatnonzero(self.block == block)

    def added_up(self, values):
        """Sums of (n_rows, n_slots, ...) by field, (n_rows, n_fields, ...)."""
        shape = (len(values), self.n_fields, *values.shape[2:])
        out = np.zeros(shape, values.dtype)
        for slot, field in enumerate(self.field):
            out[:, field] += values[:, slot]
        return out


class Blend(NamedTuple):
    """Factors of encoded rows, and their slots.

    Attributes
    ----------
    factors : ndarray of float64 of shape (n_rows, n_slots)
        0 where a cell needs fewer slots than its field has; the code there is one that
        the cell has anyway.
    slots : Slots
    """

    factors: np.ndarray
    slots: Slots

    def rows(self, at):
        """The blend of the rows at these positions."""
        return Blend(self.factors[at], self.slots)


class Part(NamedTuple):
    """The slots of one field for one block.

    Attributes
    ----------
    codes : ndarray of int of shape (n_rows, n_slots)
    factors : ndarray of float64 of shape (n_rows, n_slots)
    field, block, source : int
        As in `Slots`.
    measure : int or None
        As in `Slots`; None: the source.
    """

    codes: np.ndarray
    factors: np.ndarray
    field: int
    block: int
    source: int
    measure: int | None = None


def assembled(parts):
    """Codes of rows, (n_rows, n_slots), and their blend, from the parts of fields."""
    codes = np.concatenate([part.codes for part in parts], axis=1)
    factors = np.concatenate([part.factors for part in parts], axis=1)
    widths = [part.codes.shape[1] for part in parts]
    measures = [p.source if p.measure is None else p.measure for p in parts]
    kinds = [*([part[i] for part in parts] for i in range(2, 5)), measures]
    slots = Slots(*(np.repeat(kind, widths) for kind in kinds))
    return codes.astype(np.int32), Blend(factors, slots)


def parted(codes, blend):
    """The parts that rows were assembled from."""
    kinds = np.stack(blend.slots)
    changes = (kinds[:, 1:] != kinds[:, :-1]).any(axis=0)
    starts = np.flatnonzero(np.append(True, changes)).tolist()
    return [
        Part(codes[:, a:b], blend.factors[:, a:b], *kinds[:, a].tolist())
        for a, b in zip(starts, [*starts[1:], kinds.shape[1]], strict=True)
    ]


def stacked(pairs):
    """Codes and blend of several (codes, blend), one below the other.

    Fields have as many slots as the longest cell of all of them needs.
    """
    if all(blend is None for _, blend in pairs):
        return np.concatenate([codes for codes, _ in pairs]), None
    of_all = [parted(*pair) for pair in pairs]
    parts = []
    for same in zip(*of_all, strict=True):
        width = max(part.codes.shape[1] for part in same)
        wide = [_widened(part, width) for part in same]
        codes = np.concatenate([codes for codes, _ in wide])
        factors = np.concatenate([factors for _, factors in wide])
        parts.append(same[0]._replace(codes=codes, factors=factors))
    return assembled(parts)


def _widened(part, width):
    """Codes and factors with slots that add nothing."""
    n = width - part.codes.shape[1]
    codes = np.concatenate([part.codes, np.repeat(part.codes[:, :1], n, 1)], axis=1)
    return codes, np.pad(part.factors, ((0, 0), (0, n)))
