"""Slopes: derivatives of the outputs with respect to the coordinates of the vectors."""

import numpy as np
import tensorflow as tf

from .. import _settings as settings
from . import dense, process


def slopes(fitted, encoded):
    """Yield, batch by batch, positions of table rows and d output / d vector.

    Yields
    ------
    rows : slice
        Which rows of `encoded` the batch is.
    at : ndarray of int64 of shape (n_rows, n_columns)
        Positions of table rows.
    slopes : ndarray of float64 of shape (n_rows, n_outputs, n_columns, width)
    """
    process.check()
    architecture, predictor = fitted.architecture, fitted.predictor
    knots, n_numbers = predictor.knots, encoded.numbers.shape[1]
    weights = fitted.weights
    parts = {name: tf.constant(value) for name, value in weights.dense.items()}
    state = tuple(tf.constant(value) for value in weights.state)
    pieces = dense.pieces(knots, n_numbers)
    batch = settings.SLOPES_BATCH
    shape = (architecture.n_outputs, *fitted.mask.shape)
    for start in range(0, len(encoded.codes), batch):
        rows = slice(start, start + batch)
        at = encoded.codes[rows] + fitted.offsets
        vectors = weights.table.mean[at] * fitted.mask
        vectors = tf.constant(vectors.reshape(len(at), -1))
        numbers = tf.constant(encoded.numbers[rows], tf.float32)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(vectors)
            f, *_ = dense.apply(
                architecture, parts, vectors, numbers, pieces, state, False
            )
            outputs = tf.unstack(f, axis=1)
        by_vector = [tape.gradient(output, vectors).numpy() for output in outputs]
        by_vector = np.stack(by_vector, axis=1).astype(np.float64)
        yield rows, at, by_vector.reshape(len(at), *shape) * fitted.mask
