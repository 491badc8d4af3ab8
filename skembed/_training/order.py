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
    if hasattr(rows, "shards"):
        return ShardOrder(rows, batch, rng)
    kind = BlockOrder if hasattr(rows, "block") else MemoryOrder
    return kind(rows, batch, rng)


class MemoryOrder:
    """One permutation of all rows after the other."""

    first_row = 0

    def __init__(self, rows, batch, rng):
        self.n_rows, self.batch, self.rng = rows.n_rows, batch, rng
        self._waiting = np.zeros(0, np.int32)

    def state(self):
        """What there is to keep of it."""
        return self.rng, self._waiting

    def restore(self, state):
        """Go on from what was kept."""
        self.rng, self._waiting = state

    def stretches(self, n_steps, times=1):
        """Rows of the next steps, of `times` batches each; all are in memory: None."""
        batch = times * self.batch
        if batch == self.n_rows:
            yield np.tile(np.arange(self.n_rows, dtype=np.int32), (n_steps, 1)), None
            return
        needed = n_steps * batch
        parts, have = [self._waiting], len(self._waiting)
        while have < needed:
            order = self.rng.permutation(np.arange(self.n_rows, dtype=np.int32))
            parts.append(order)
            have += len(order)
        stream = np.concatenate(parts)
        self._waiting = stream[needed:]
        yield stream[:needed].reshape(n_steps, batch), None


class BlockOrder:
    """Block after block of rows on the disk, shuffled among each other and within.

    Any block is as good as a random sample of all rows (see `_data.spill`), so batches
    are, too.
    """

    first_row = 0

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

    def stretches(self, n_steps, times=1):
        """Rows of the next steps, `times` batches each, and the block they are of."""
        batch = times * self.batch
        while n_steps:
            n = min(n_steps, self.ready(times))
            now, self._order = np.split(self._order, [n * batch])
            yield now.reshape(n, batch), self._held
            n_steps -= n

    def ready(self, times=1):
        """How many such steps the block that is held has: one at least."""
        batch = times * self.batch
        while len(self._order) < batch:  # twice, where a block is a small one
            self._read_on()
        return len(self._order) // batch

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


class ShardOrder:
    """A part of every batch from each shard, in the order of the shards.

    Which rows a shard gives does not depend on where it is read: processes that read
    one shard each make the batches that a process makes that reads them all.
    """

    def __init__(self, rows, batch, rng):
        self.rows, self.batch = rows, batch
        sizes = rows.parts_of(batch)
        at = sorted(rows.shards)
        self.first_row = sum(sizes[: at[0]])
        rngs = rng.spawn(len(sizes))
        # Where a shard gives more or less than its share, its rows weigh as much less
        # or more: what a batch says of all rows is right on average.
        factors = {
            i: np.float32(rows.sizes[i] / rows.n_rows * batch / sizes[i]) for i in at
        }
        self._orders = {
            i: BlockOrder(Weighted(rows.shards[i], factors[i]), sizes[i], rngs[i])
            for i in at
        }

    def state(self):
        """What there is to keep of it, shard by shard."""
        sizes = self.rows.sizes
        return {i: (sizes, order.state()) for i, order in self._orders.items()}

    def restore(self, state):
        """Go on from what was kept, or in a new order where the shards are others."""
        for i, order in self._orders.items():
            sizes, own = state.get(i, (None, None))
            if sizes == self.rows.sizes:
                order.restore(own)

    def stretches(self, n_steps, times=1):
        """Rows of the next steps, and the blocks that they are of, side by side.

        All that read shards make the same number of steps at a time: as many as
        everyone's block still has.
        """
        orders = self._orders.values()
        while n_steps:
            ready = (order.ready(times) for order in orders)
            n = self.rows.least(min(n_steps, *ready))
            parts = [found for order in orders for found in order.stretches(n, times)]
            yield _side_by_side(parts)
            n_steps -= n


def _side_by_side(parts):
    """Orders of several shards and their rows, as one."""
    if len(parts) == 1:
        return parts[0]
    orders, held = zip(*parts, strict=True)
    starts = np.cumsum([0, *(len(own[0]) for own in held)])[:-1]
    orders = [own + start for own, start in zip(orders, starts, strict=True)]
    held = tuple(map(np.concatenate, zip(*held, strict=True)))
    return np.concatenate(orders, axis=1, dtype=np.int32), held


class Weighted:
    """Rows on the disk that weigh more or less than they say."""

    def __init__(self, rows, factor):
        self.rows, self.factor = rows, factor
        self.n_rows, self.width = rows.n_rows, rows.width

    def block(self, start, stop):
        """As `SpilledRows.block`."""
        return self._weighted(*self.rows.block(start, stop))

    def at(self, positions):
        """As `SpilledRows.at`."""
        return self._weighted(*self.rows.at(positions))

    def _weighted(self, codes, others):
        others[:, -1] *= self.factor
        return codes, others
