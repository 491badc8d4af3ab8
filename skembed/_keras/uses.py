"""What a batch uses of the table: its rows, and where they are used."""

from typing import NamedTuple

import tensorflow as tf

from . import sparse


class Rows(NamedTuple):
    """Rows of the table, and what is known of them."""

    at: tf.Tensor  # (n,) their positions
    per_count: tf.Tensor  # (n, 1) 1 / rows of the data
    moves: tf.Tensor  # (n, 1) multiplier of the rate
    n_columns: tf.Tensor  # blocks of the table, each with a prior
    column: tf.Tensor  # (n,) the block of each
    of_columns: sparse.Matrix  # adds up the rows of each block
    signs: tf.Tensor  # (n, n_first) 1 or -1
    mask: tf.Tensor  # (n, width) 0 for coordinates that their block has not
    bins: tf.Tensor  # (n_bins,) which of them have a curve
    basis: tf.Tensor  # (n_bins, N_WAVES) its basis there

    @classmethod
    def of(cls, data, at):
        """Those at some positions."""
        tokens = tf.gather(data.tokens, at)
        n_first = tf.shape(tokens)[1] - 3
        per_count, moves, column, signs = tf.split(tokens, [1, 1, 1, n_first], 1, 4)
        column = tf.cast(column[:, 0], tf.int32)
        # Tokens have no curve: where a table is large, they are nearly all of its rows.
        bins = tf.cast(tf.where(at >= data.curve_start)[:, 0], tf.int32)
        basis = tf.gather(data.basis, tf.gather(at, bins) - data.curve_start)
        n_columns = tf.shape(data.scale_spreads)[0]
        return cls(
            at,
            per_count,
            moves,
            n_columns,
            column,
            sparse.of_groups(column, n_columns),
            signs,
            tf.gather(data.mask, column),
            bins,
            basis,
        )

    @property
    def n(self):
        """How many there are."""
        return tf.shape(self.column)[0]

    def contents(self, table):
        """What the table holds of them."""
        found = tf.raw_ops.ResourceGather(
            resource=table, indices=self.at, dtype=tf.float32
        )
        found.set_shape([None, None])
        return found

    def write(self, table, parts):
        """Put new contents in their place."""
        tf.raw_ops.ResourceScatterUpdate(
            resource=table, indices=self.at, updates=tf.concat(parts, 1)
        )


class Places(NamedTuple):
    """Where the uses of table rows are in a batch: the same in every step."""

    n_rows: tf.Tensor  # rows of the batch
    n_slots: tf.Tensor  # uses of each
    of_uses: tf.Tensor  # (n_rows * n_slots,) their own places, as second ones of pairs
    of_rows: tf.Tensor  # (n_rows * n_slots,) their rows', likewise
    each: tf.Tensor  # (1, n_slots) ones
    ones: tf.Tensor  # (n_rows * n_slots,) ones

    @classmethod
    def of(cls, n_rows, n_slots):
        """Of batches of so many rows."""
        place = tf.range(n_rows * n_slots)
        row = tf.repeat(tf.range(n_rows), n_slots)
        return cls(
            n_rows,
            n_slots,
            sparse.seconds(place),
            sparse.seconds(row),
            tf.ones([1, n_slots]),
            tf.ones([n_rows * n_slots]),
        )


class Uses(NamedTuple):
    """The table rows that a batch touches, and where."""

    rows: Rows
    packed: tf.Tensor  # (n, ...) what the table holds of these rows
    use: tf.Tensor  # (batch * n_slots,) which of them each use means
    places: Places
    factors: tf.Tensor | None  # (batch * n_slots, 1) of the uses; None: all 1
    most_taken: tf.Tensor  # of a row's residual, by all of its uses in one step

    @classmethod
    def of(cls, table, codes, factors, data, places):
        """Those of a batch's codes."""
        touched, use = tf.unique(tf.reshape(codes, [-1]))
        rows = Rows.of(data, touched)
        packed = rows.contents(table)
        return cls(rows, packed, use, places, factors, data.most_taken)

    @property
    def batch(self):
        """Matrix of the touched rows by the rows of the batch, 1 where used."""
        return self._by_row(self._adds)

    @property
    def direct(self):
        """The same, of how much the uses add to the output."""
        if self.factors is None:
            return self.batch
        return self._by_row(self.factors[:, 0])

    @property
    def _adds(self):
        """1 for uses that add something, else 0."""
        if self.factors is None:
            return self.places.ones
        return tf.cast(self.factors[:, 0] != 0.0, tf.float32)

    def _by_row(self, values):
        at = sparse.pairs(self.use, self.places.of_rows)
        shape = sparse.shape(self.rows.n, self.places.n_rows)
        return sparse.Matrix(at, values, shape)

    def each(self, values):
        """For every use of a token, the value of its row of the data."""
        return tf.reshape(tf.expand_dims(values, 1) * self.places.each, [-1])

    def weights(self, weights):
        """Weight of every use: that of its row, 0 for one that adds nothing."""
        return self.each(weights) * self._adds

    def added_up(self, values, factors=None):
        """Sum of the rows of `values`, one per use, for each touched row.

        With `factors`, of each times its factor.
        """
        factors = self.places.ones if factors is None else factors
        return self._each(factors).times(values)

    def of_each(self, values):
        """For every use, the row of `values` of the table row that it means."""
        return self._each(self.places.ones).transposed_times(values)

    def _each(self, factors):
        """Matrix of the touched rows by the uses."""
        at = sparse.pairs(self.use, self.places.of_uses)
        shape = sparse.shape(self.rows.n, tf.size(self.use))
        return sparse.Matrix(at, factors, shape)
