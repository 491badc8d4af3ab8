"""Rows in several places, each of which gives its part of every batch."""

import numpy as np

from .rows import Rows


class ShardedRows:
    """Merged rows in several shards, of which one or more are read here.

    Parameters
    ----------
    shards : dict of int to SpilledRows
        Those that are read here, by their numbers, which follow each other.
    told : list of (int, float, int)
        Of all shards: number of merged rows, sum of the weights, and number of rows
        before equal ones were merged.
    least : callable, default=int
        Gives the least of the numbers that all who read shards call it with.
    kept_batch : int, default=None
        Rows of a batch, where a fit goes on that had chosen them.
    """

    blend = offset = None

    def __init__(self, shards, told, least=int, kept_batch=None):
        self.shards, self.least, self.kept_batch = shards, least, kept_batch
        head = next(iter(shards.values()))
        self.codes, self.numbers = head.codes, head.numbers
        self.targets, self.weights, self.width = head.targets, head.weights, head.width
        self.sizes, totals, given = (list(column) for column in zip(*told, strict=True))
        self.n_rows, self.n_given = sum(self.sizes), sum(given)
        self.total = float(sum(totals))

    n_counted = Rows.n_counted

    @property
    def n_shards(self):
        """How many shards there are."""
        return len(self.sizes)

    def parts_of(self, batch):
        """How many rows of a batch each shard gives: one at least."""
        ends = np.cumsum([0, *self.sizes]) / self.n_rows
        rest = np.round(ends * (batch - self.n_shards)).astype(int)
        return (1 + np.diff(rest)).tolist()
