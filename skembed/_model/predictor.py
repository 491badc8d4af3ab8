"""A trained network applied to encoded rows, in NumPy: means and their spread."""

import numpy as np

from .. import _settings as settings
from .._data.encoded import Encoded
from .draws import antithetic
from .moves import Moves
from .network import outputs, outputs_and_slopes


class Predictor:
    """Everything that a prediction needs.

    Attributes
    ----------
    architecture : Architecture
    weights : Weights
    knots : Knots
    sizes : list of int
        Number of codes of each block of the table.
    mask : ndarray of shape (n_blocks, width)
        0 where a block's vectors are shorter than the widest.
    beyond : Beyond or None
        What is not known of numbers beyond their range; only read where the link of
        the outcome bends.
    """

    def __init__(self, architecture, weights, knots, sizes, mask, beyond=None):
        self.architecture = architecture
        self.beyond = beyond
        self.weights = weights
        self.knots = knots
        self.sizes = sizes
        self.mask = mask

    @property
    def offsets(self):
        """First row of the table of each block."""
        return np.concatenate([[0], np.cumsum(self.sizes)])[:-1].astype(np.int64)

    def places(self, encoded):
        """Row of the table of every code, (n_rows, n_slots)."""
        if encoded.blend is None:
            return encoded.codes + self.offsets
        return encoded.codes + self.offsets[encoded.blend.slots.block]

    def outputs(self, encoded):
        """Output of the network for every row, float64 (n_rows, n_outputs)."""
        return self._by_distinct_rows(encoded, self._outputs)

    def integrated(self, encoded, likelihood):
        """Output whose link is the mean of the outcome under the vectors' posterior.

        The output itself where its link is linear or vectors are points. Else its
        distribution is taken as normal, with the variance of the delta method: the
        first-order terms, which have most of the spread, are linear.
        """
        if not (likelihood.bends and self.architecture.tables.has_spread):
            return self.outputs(encoded)

        def averaged(batch):
            f, slopes = self._outputs_and_slopes(batch)
            slopes /= self._spread(batch)[1][:, None]
            roots = slopes.reshape(*f.shape, -1)
            beyond = np.sqrt(self.beyond.variance(batch.numbers))
            if beyond.any():
                beyond = beyond[:, :, None] * np.eye(f.shape[1])
                roots = np.concatenate([roots, beyond], axis=2)
            return likelihood.integrated(f, roots)

        return self._by_distinct_rows(encoded, averaged)

    def slopes(self, encoded):
        """Yield, batch by batch, derivatives of the outputs by the vectors.

        Yields
        ------
        rows : slice
            Which rows of `encoded` the batch is.
        slopes : ndarray of float32 of shape (n_rows, n_outputs, n_fields, width)
        """
        for start in range(0, len(encoded.codes), settings.SLOPES_BATCH):
            rows = slice(start, start + settings.SLOPES_BATCH)
            yield rows, self._outputs_and_slopes(encoded.rows(rows))[1]

    def slopes_by_row(self, encoded):
        """As `slopes`, but by the table's rows in place of the vectors they make.

        Yields
        ------
        rows : slice
        slopes : ndarray of float32 of shape (n_rows, n_outputs, n_slots, width)
        """
        for rows, slopes in self.slopes(encoded):
            if encoded.blend is not None:
                factors, slots = encoded.blend.rows(rows)
                slopes = slopes[:, :, slots.field] * self.mask[slots.block]
                slopes = slopes * factors[:, None, :, None].astype(np.float32)
            yield rows, slopes

    def moments(self, encoded, link):
        """Standard deviation of ``link(output)`` under the vectors' posterior.

        The draws are the same for all rows, so the result for a row does not depend on
        the other rows of the call.
        """
        shape = self._field_mask(encoded.blend).shape
        draws = antithetic(settings.STD_PAIRS, *shape)

        def spread(batch):
            total, square = 0.0, 0.0
            f, changes = self._moved(batch, draws)
            centre = link(f)
            for change in changes:
                value = link(f + change) - centre
                total = total + value
                square = square + np.square(value)
            shift = total / len(draws)
            return np.sqrt(np.maximum(square / len(draws) - np.square(shift), 0.0))

        return self._by_distinct_rows(encoded, spread)

    def _moved(self, encoded, draws):
        """Outputs at the vectors' means, and changes by draws about these, one by one.

        The second half of the draws is the opposite of the first.
        """
        mean, root = self._spread(encoded)
        if self.architecture.head is not None:
            f = self._outputs(encoded)
            return f, (self._of_vectors(mean + d / root, encoded) - f for d in draws)
        rest = encoded.numbers, self.knots
        mask = self._field_mask(encoded.blend)
        moves = Moves(self.architecture, self.weights, mean * mask, *rest)
        sd = (mask / root).reshape(len(root), mask.size)
        halves = draws[: len(draws) // 2].reshape(len(draws) // 2, sd.shape[1])
        pairs = (moves.both_ways(sd * d) for d in halves)
        return moves.f, (change for pair in pairs for change in pair)

    def _vectors(self, encoded):
        """Vectors of the rows, float64 (n_rows, n_fields, width)."""
        mean = self.weights.table.mean[self.places(encoded)].astype(np.float64)
        return self._blended(mean, encoded.blend)

    def _spread(self, encoded):
        """Means of the vectors, and roots of their precisions."""
        mean, root = self.weights.table.spread(self.places(encoded))
        if encoded.blend is None:
            return mean, root
        variance = self._blended(1.0 / np.square(root), encoded.blend, np.square)
        with np.errstate(divide="ignore"):  # what no row adds to is known
            return self._blended(mean, encoded.blend), 1.0 / np.sqrt(variance)

    def _blended(self, values, blend, of_factors=None):
        """What rows of the table add up to, field by field."""
        if blend is None:
            return values * self.mask
        factors, slots = blend
        factors = factors if of_factors is None else of_factors(factors)
        return slots.added_up(values * (factors[:, :, None] * self.mask[slots.block]))

    def _field_mask(self, blend):
        """0 where a field's vectors are shorter than the widest, (n_fields, width)."""
        if blend is None:
            return self.mask
        found = blend.slots.added_up(self.mask[blend.slots.block][None])[0]
        return np.minimum(found, 1.0)

    def _outputs(self, encoded):
        return self._of_vectors(self._vectors(encoded), encoded)

    def _outputs_and_slopes(self, encoded):
        vectors = self._vectors(encoded)
        f, slopes = outputs_and_slopes(
            self.architecture, self.weights, vectors, encoded.numbers, self.knots
        )
        return f, slopes * self._field_mask(encoded.blend)

    def _of_vectors(self, vectors, encoded):
        vectors *= self._field_mask(encoded.blend)
        return outputs(
            self.architecture, self.weights, vectors, encoded.numbers, self.knots
        )

    def _by_distinct_rows(self, encoded, function):
        """Apply `function` to the distinct rows only, if finding them is cheap."""
        codes, numbers, blend = encoded
        n = len(codes)
        with np.errstate(over="ignore"):  # more than any float64: too many, too
            n_possible = float(np.prod(np.asarray(self.sizes, np.float64)))
        if (
            numbers.shape[1]
            or blend is not None
            or n < 2
            or n_possible > settings.LOOKUP_PER_ROW * n + settings.LOOKUP_LEAST
        ):
            return _in_batches(encoded, function)
        key = np.ravel_multi_index(tuple(codes.T), self.sizes)
        seen = np.zeros(int(n_possible), bool)
        seen[key] = True
        distinct = np.flatnonzero(seen)
        place = np.cumsum(seen) - 1
        rows = np.stack(np.unravel_index(distinct, self.sizes), axis=1)
        blank = np.zeros((len(rows), 0))
        return _in_batches(Encoded(rows, blank), function)[place[key]]


def _in_batches(encoded, function):
    n, size = len(encoded.codes), settings.PREDICT_BATCH
    if n <= size:
        return function(encoded)
    starts = range(0, n, size)
    return np.concatenate([function(encoded.rows(slice(i, i + size))) for i in starts])
