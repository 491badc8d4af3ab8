"""The order of the rows in training: of rows in memory, and of rows on the disk."""

import numpy as np

from .. import _settings as settings
from .._data.sources import rows_at_once


def order_of(rows, batch, rng):
    """The order of rows, in batches.

    Parameters
    ----------
    rows : Rows or SpilledRows
    batch : int
        Rows of a step.
    rng : numpy.random.Generator
        Its own.
    """
    kind = BlockOrder if hasattr(rows, "block") else MemoryOrder
    return kind(rows, batch, rng)


class MemoryOrder:
    """One permutation of all rows after the other."""

    def __init__(self, rows, batch, rng):
        self.n_rows, self.batch, self.rng = rows.n_rows, batch, rng
        self._waiting = np.zeros(0, np.int32)

    def state(self):
        """What there is to keep of it."""
        return self.rng, self._waiting

    def restore(self, state):
        """Go on from what was kept."""
        self.rng, self._waiting = state

    def stretches(self, n_steps):
        """Rows of the next steps, (n_steps, batch), which are all in memory: None."""
        if self.batch == self.n_rows:
            yield np.tile(np.arange(self.n_rows, dtype=np.int32), (n_steps, 1)), None
            return
        needed = n_steps * self.batch
        parts, have = [self._waiting], len(self._waiting)
        while have < needed:
            order = self.rng.permutation(self.n_rows).astype(np.int32)
            parts.append(order)
            have += len(order)
        stream = np.concatenate(parts)
        self._waiting = stream[needed:]
        yield stream[:needed].reshape(n_steps, self.batch), None


class BlockOrder:
    """Block after block of rows on the disk, shuffled among each other and within.

    Any block is as good as a random sample of all rows (see `_data.spill`), so batches
    are, too.
    """

    def __init__(self, rows, batch, rng):
        self.rows, self.batch, self.rng = rows, batch, rng
        most = max(rows_at_once(settings.BLOCK_ROWS, rows.width), batch)
        n_blocks = -(-rows.n_rows // most)
        ends = np.linspace(0, rows.n_rows, n_blocks + 1).astype(np.int64)
        self.blocks = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
        self._next = []  # blocks still to come in this pass over the rows
        self._places = np.zeros(0, np.int64)  # in the file, of the rows that are held
        self._held = None  # these rows
        self._order = np.zeros(0, np.int32)  # those of them that are still to come

    def state(self):
        """What there is to keep of it."""
        return self.rng, self._next, self._places[self._order]

    def restore(self, state):
        """Go on from what was kept."""
        self.rng, self._next, self._places = state
        self._held = self.rows.at(self._places)
        self._order = np.arange(len(self._places), dtype=np.int32)

    def stretches(self, n_steps):
        """Rows of the next steps, and the block that they are of."""
        while n_steps:
            if len(self._order) < self.batch:
                self._read_on()
            n = min(n_steps, len(self._order) // self.batch)
            if not n:  # a few rows are left, and the block was a small one
                continue
            now, self._order = np.split(self._order, [n * self.batch])
            yield now.reshape(n, self.batch), self._held
            n_steps -= n

    def _read_on(self):
        """Hold the next block, behind the rows that are left of this one."""
        if not self._next:
            self._next = self.rng.permutation(len(self.blocks)).tolist()
        start, stop = self.blocks[self._next.pop()]
        block, left = self.rows.block(start, stop), self._order
        places = np.arange(start, stop)
        order = self.rng.permutation(len(places)).astype(np.int32)
        if len(left):
            kept = tuple(part[left] for part in self._held)
            block = tuple(map(np.concatenate, zip(kept, block, strict=True)))
            places = np.concatenate([self._places[left], places])
            first = np.arange(len(left), dtype=np.int32)
            order = np.concatenate([first, order + np.int32(len(left))])
        self._held, self._places, self._order = block, places, order
