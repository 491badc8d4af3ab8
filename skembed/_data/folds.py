"""Rows that are read in pieces, told apart as if drawn, by where each stands."""

from dataclasses import dataclass

import numpy as np

from .. import _settings as settings
from .rows import row_hash
from .samples import refuse_split
from .sources import rows_at_once


@dataclass(frozen=True)
class Folds:
    """A number of folds, each row of a source in one of them, as if drawn.

    It is the same in every pass, however the rows are cut into pieces.

    Attributes
    ----------
    n : int
    seed : int
    """

    n: int
    seed: int

    def of(self, places):
        """Folds of the rows at these places of the source."""
        places = np.asarray(places)
        # The seed is mixed first: other seeds do not just swap neighbours.
        key = row_hash([np.full((len(places), 1), self.seed), places[:, None]])
        return (key % np.uint64(self.n)).astype(np.int32)


class HeldBack:
    """Rows of a source that are held out; they are drawn as the folds are.

    Parameters
    ----------
    fraction : float
        Share of them in all rows, less where they would be too many to be in memory.
    n_rows : int
        Rows of the source.
    n_columns : int
    seed : int
    """

    _PARTS = 1 << 24  # a part of so many is the least share

    def __init__(self, fraction, n_rows, n_columns, seed):
        most = rows_at_once(settings.HELD_OUT_ROWS, n_columns)
        self.fraction, self.share = fraction, min(fraction, most / max(n_rows, 1))
        self._folds = Folds(self._PARTS, seed)

    def learned(self, pieces, held_out=None):
        """The rows to learn from, `Samples` after `Samples`.

        The others are added to the list `held_out`, if there is one.

        Raises
        ------
        ValueError
            If there are none of either.
        """
        n, n_held_out = 0, 0
        for samples in pieces:
            is_out = self._folds.of(samples.places) < self.share * self._PARTS
            n += len(is_out)
            n_held_out += int(is_out.sum())
            if held_out is not None and is_out.any():
                held_out.append(samples.rows(np.flatnonzero(is_out)))
            if not is_out.all():
                yield samples.rows(np.flatnonzero(~is_out))
        refuse_split(n_held_out, n, self.fraction)
