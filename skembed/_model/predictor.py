"""A trained network applied to encoded rows, in NumPy: means and their spread."""

import numpy as np

from .. import _settings as settings
from .draws import antithetic
from .network import outputs, outputs_and_slopes


class Predictor:
    """Everything that a prediction needs.

    Attributes
    ----------
    architecture : Architecture
    weights : Weights
    knots : Knots
    sizes : list of int
        Number of codes of each column.
    mask : ndarray of shape (n_columns, width)
        0 where a column's vectors are shorter than the widest.
    """

    def __init__(self, architecture, weights, knots, sizes, mask):
        self.architecture = architecture
        self.weights = weights
        self.knots = knots
        self.sizes = sizes
        self.mask = mask

    @property
    def offsets(self):
        """First row of the table of each column."""
        return np.concatenate([[0], np.cumsum(self.sizes)])[:-1].astype(np.int64)

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

        def averaged(codes, numbers):
            f, slopes = self._outputs_and_slopes(codes, numbers)
            _, root = self.weights.table.spread(codes + self.offsets)
            slopes /= root[:, None]
            return likelihood.integrated(f, slopes.reshape(*f.shape, -1))

        return self._by_distinct_rows(encoded, averaged)

    def slopes(self, encoded):
        """Yield, batch by batch, derivatives of the outputs by the vectors.

        Yields
        ------
        rows : slice
            Which rows of `encoded` the batch is.
        slopes : ndarray of float32 of shape (n_rows, n_outputs, n_columns, width)
        """
        for start in range(0, len(encoded.codes), settings.SLOPES_BATCH):
            rows = slice(start, start + settings.SLOPES_BATCH)
            batch = encoded.codes[rows], encoded.numbers[rows]
            yield rows, self._outputs_and_slopes(*batch)[1]

    def moments(self, encoded, link):
        """Standard deviation of ``link(output)`` under the vectors' posterior.

        The draws are the same for all rows, so the result for a row does not depend on
        the other rows of the call.
        """
        shape = len(self.sizes), self.architecture.width
        draws = antithetic(settings.STD_PAIRS, *shape)

        def spread(codes, numbers):
            total, square = 0.0, 0.0
            centre = link(self._outputs(codes, numbers))
            mean, root = self.weights.table.spread(codes + self.offsets)
            for draw in draws:
                value = link(self._of_vectors(mean + draw / root, numbers)) - centre
                total = total + value
                square = square + np.square(value)
            shift = total / len(draws)
            return np.sqrt(np.maximum(square / len(draws) - np.square(shift), 0.0))

        return self._by_distinct_rows(encoded, spread)

    def _outputs(self, codes, numbers):
        vectors = self.weights.table.mean[codes + self.offsets].astype(np.float64)
        return self._of_vectors(vectors, numbers)

    def _outputs_and_slopes(self, codes, numbers):
        vectors = self.weights.table.mean[codes + self.offsets].astype(np.float64)
        vectors *= self.mask
        f, slopes = outputs_and_slopes(
            self.architecture, self.weights, vectors, numbers, self.knots
        )
        return f, slopes * self.mask

    def _of_vectors(self, vectors, numbers):
        vectors *= self.mask
        return outputs(self.architecture, self.weights, vectors, numbers, self.knots)

    def _by_distinct_rows(self, encoded, function):
        """Apply `function` to the distinct rows only, if finding them is cheap."""
        codes, numbers = encoded
        n = len(codes)
        with np.errstate(over="ignore"):  # more than any float64: too many, too
            n_possible = float(np.prod(np.asarray(self.sizes, np.float64)))
        if (
            numbers.shape[1]
            or n < 2
            or n_possible > settings.LOOKUP_PER_ROW * n + settings.LOOKUP_LEAST
        ):
            return _in_batches(codes, numbers, function)
        key = np.ravel_multi_index(tuple(codes.T), self.sizes)
        seen = np.zeros(int(n_possible), bool)
        seen[key] = True
        distinct = np.flatnonzero(seen)
        place = np.cumsum(seen) - 1
        rows = np.stack(np.unravel_index(distinct, self.sizes), axis=1)
        blank = np.zeros((len(rows), 0))
        return _in_batches(rows, blank, function)[place[key]]


def _in_batches(codes, numbers, function):
    n = len(codes)
    if n <= settings.PREDICT_BATCH:
        return function(codes, numbers)
    return np.concatenate(
        [
            function(
                codes[i : i + settings.PREDICT_BATCH],
                numbers[i : i + settings.PREDICT_BATCH],
            )
            for i in range(0, n, settings.PREDICT_BATCH)
        ]
    )
