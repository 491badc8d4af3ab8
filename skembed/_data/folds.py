"""Folds of rows that are read in pieces: a row's fold follows from where it stands."""

from dataclasses import dataclass

import numpy as np

from .rows import row_hash


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
