"""The network behind the tables, as TensorFlow functions of one flat weight vector.

One vector holds all dense weights, so that a step updates them with one set of
operations instead of one a layer. What depends on the number of columns is shaped by
the data, not by the trace: one trace serves tables of any number of columns.
"""

import math

import keras
import numpy as np
import tensorflow as tf


def split(architecture, theta, sizes):
    """Name -> weight, out of the flat vector."""
    shapes = architecture.weight_shapes()
    parts = tf.split(theta, sizes, num=len(shapes))
    return {
        name: tf.reshape(part, shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def pieces(knots, n_numbers):
    """The pieces of the numbers as `apply` reads them."""
    of_number = np.zeros((n_numbers, len(knots.column)), np.float32)
    of_number[knots.column, np.arange(len(knots.column))] = 1.0
    return tuple(tf.constant(p) for p in (of_number, knots.low, knots.scale))


def apply(
    architecture, parts, vectors, numbers, knots, state, in_blocks, training=True
):
    """Outputs (n_rows, n_outputs) and the new state of a user's own head.

    Parameters
    ----------
    vectors : tensor of shape (n_rows, n_columns * width)
    numbers : tensor of shape (n_rows, n_numbers)
    knots : tuple of tensors
        Which number each piece of the linear encoding is of (n_numbers, n_pieces),
        as 0 and 1; low end and 1 / length of the pieces.
    state : tuple of tensors
    in_blocks : bool
        Whether matrix products are large enough to be split between threads.
    training : bool
        How a user's own head is called.
    """
    times = product if in_blocks else tf.matmul
    x = [vectors, numbers]
    if architecture.with_knots:
        of_number, low, scale = knots
        pieces = (tf.matmul(numbers, of_number) - low) * scale
        x.append(tf.clip_by_value(pieces, 0.0, 1.0))
    x = tf.concat(x, 1)
    if architecture.head is not None:
        f, state = architecture.head.apply(parts, x, state, training)
    else:
        f = _mlp(architecture, parts, x, times)
    if architecture.posterior:
        f += times(vectors, _readout(architecture, parts, tf.shape(vectors)[1]))
        f += times(numbers, parts["linear"])
    return f, state


def _mlp(architecture, parts, x, times):
    x = times(x, parts["kernel_0"]) + parts["bias_0"]
    for i, activation in enumerate(architecture.activations, 1):
        x = keras.activations.get(activation)(x)
        x = times(x, parts[f"kernel_{i}"]) + parts[f"bias_{i}"]
    return x


def _readout(architecture, parts, n_in):
    """Matrix (n_in, n_outputs) that adds up the vectors' leading coordinates."""
    n_first, n_outputs = architecture.n_first, architecture.n_outputs
    first = parts["readout"] if n_outputs > 1 else tf.ones([1, 1])
    first = tf.pad(first, [[0, architecture.width - n_first], [0, 0]])
    return tf.tile(first, [n_in // architecture.width, 1])


@tf.custom_gradient
def product(x, kernel):
    """``x @ kernel``, with the same bits whatever the number of threads.

    TensorFlow splits a large matrix product between threads along whatever suits
    their number, which changes the order of its sums. A batch of small products is
    split between the products only, so the rows come in blocks that one thread does
    on its own.
    """

    def gradient(upstream):
        by_x = _by_rows(upstream, kernel, transpose_b=True)
        return by_x, _crossed(x, upstream)

    return _by_rows(x, kernel), gradient


SMALL = 1 << 19  # multiplications that TensorFlow leaves to one thread


def _blocks(x, size):
    """Rows as (n_blocks, size, n), zeros at the end; at least two blocks."""
    n = tf.shape(x)[0]
    n_blocks = tf.maximum(2, -(-n // size))
    size = -(-n // n_blocks)
    x = tf.pad(x, [[0, n_blocks * size - n], [0, 0]])
    return tf.reshape(x, [n_blocks, size, tf.shape(x)[1]])


def _by_rows(x, kernel, transpose_b=False):
    size = _power_of_two(8 * SMALL // tf.maximum(tf.size(kernel), 1), 8, 64)
    out = tf.matmul(_blocks(x, size), kernel, transpose_b=transpose_b)
    out = tf.reshape(out, [-1, tf.shape(kernel)[0 if transpose_b else 1]])
    out.set_shape([None, kernel.shape[0 if transpose_b else 1]])
    return out[: tf.shape(x)[0]]


def _crossed(x, upstream):
    """``x' @ upstream``: products of blocks of rows, added up.

    Only a kernel too large for blocks of 16 rows is cut into strips of its inputs.
    """
    n_in, n_out = tf.shape(x)[1], tf.shape(upstream)[1]
    size = _power_of_two(SMALL // tf.maximum(n_in * n_out, 1), 16, 128)
    x, upstream = _blocks(x, size), _blocks(upstream, size)
    n_blocks, size = tf.shape(x)[0], tf.shape(x)[1]
    strip = tf.clip_by_value(SMALL // (size * n_out), 8, tf.maximum(n_in, 8))
    x = tf.pad(x, [[0, 0], [0, 0], [0, -n_in % strip]])
    n_strips = tf.shape(x)[2] // strip
    x = tf.transpose(tf.reshape(x, [n_blocks, size, n_strips, strip]), [0, 2, 1, 3])
    out = tf.matmul(x, upstream[:, None], transpose_a=True)
    return tf.reshape(tf.reduce_sum(out, 0), [n_strips * strip, n_out])[:n_in]


def _power_of_two(n, low, high):
    """Largest power of two up to `n`: as batches are, so that nothing is padded."""
    exponent = tf.math.log(tf.cast(tf.maximum(n, 1), tf.float32)) / math.log(2.0)
    power = tf.cast(tf.round(tf.pow(2.0, tf.floor(exponent + 1e-3))), tf.int32)
    return tf.clip_by_value(power, low, high)
