"""The network behind the tables, as TensorFlow functions of one flat weight vector.

One vector holds all dense weights, so that a step updates them with one set of
operations instead of one a layer. What depends on the number of columns is shaped by
the data, not by the trace: one trace serves tables of any number of columns.
"""

import math
from typing import NamedTuple

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


class Blocks(NamedTuple):
    """Which matrix products TensorFlow would split between threads.

    Attributes
    ----------
    kernels : tuple of str
        Names of the weights whose products are.
    wide : tuple of str
        Those of them of which not even `LEAST_ROWS` make a block that is small enough.
    whole : bool
        Whether the rows are a multiple of 128: nothing has to be padded then.
    """

    kernels: tuple = ()
    wide: tuple = ()
    whole: bool = False

    def product(self, parts, x, name):
        """``x @ parts[name]``, the same bits whatever the number of threads."""
        if name not in self.kernels:
            return tf.matmul(x, parts[name])
        return product(x, parts[name], name in self.wide, self.whole)


def blocks_for(architecture, batch, n_columns, dense):
    """The products of a batch with these weights that have to come in blocks.

    A product with a single column is never split.
    """
    sizes = {
        name: value.size
        for name, value in dense.items()
        if value.ndim == 2 and value.shape[1] > 1
    }
    if "readout" in sizes:  # laid out over all columns
        sizes["readout"] = n_columns * architecture.width * architecture.n_outputs
    kernels = tuple(name for name, size in sizes.items() if batch * size > SMALL)
    wide = tuple(name for name in kernels if LEAST_ROWS * sizes[name] > LIMITS[-1])
    return Blocks(kernels, wide, batch % ROWS == 0)


def apply(architecture, parts, vectors, numbers, knots, state, blocks, training=True):
    """Outputs (n_rows, n_outputs) and the new state of a user's own head.

    Parameters
    ----------
    vectors : tensor of shape (n_rows, n_columns * width)
    numbers : tensor of shape (n_rows, n_numbers)
    knots : tuple of tensors
        Which number each piece of the linear encoding is of (n_numbers, n_pieces),
        as 0 and 1; low end and 1 / length of the pieces.
    state : tuple of tensors
    blocks : Blocks
    training : bool
        How a user's own head is called.
    """
    x = [vectors, numbers]
    if architecture.with_knots:
        of_number, low, scale = knots
        pieces = (tf.matmul(numbers, of_number) - low) * scale
        x.append(tf.clip_by_value(pieces, 0.0, 1.0))
    x = tf.concat(x, 1)
    if architecture.head is not None:
        f, state = architecture.head.apply(parts, x, state, training)
    else:
        f = _mlp(architecture, parts, x, blocks)
    if architecture.posterior:
        readout = _readout(architecture, parts, tf.shape(vectors)[1])
        f += blocks.product({"readout": readout}, vectors, "readout")
        f += blocks.product(parts, numbers, "linear")
    return f, state


def _mlp(architecture, parts, x, blocks):
    x = blocks.product(parts, x, "kernel_0") + parts["bias_0"]
    for i, activation in enumerate(architecture.activations, 1):
        x = keras.activations.get(activation)(x)
        x = blocks.product(parts, x, f"kernel_{i}") + parts[f"bias_{i}"]
    return x


def _readout(architecture, parts, n_in):
    """Matrix (n_in, n_outputs) that adds up the vectors' leading coordinates."""
    n_first, n_outputs = architecture.n_first, architecture.n_outputs
    first = parts["readout"] if n_outputs > 1 else tf.ones([1, 1])
    first = tf.pad(first, [[0, architecture.width - n_first], [0, 0]])
    return tf.tile(first, [n_in // architecture.width, 1])


def product(x, kernel, wide=False, whole=False):
    """``x @ kernel``, with the same bits whatever the number of threads.

    TensorFlow splits a large matrix product between threads along whatever suits
    their number, which changes the order of its sums. A batch of small products is
    split between the products only, so the rows come in blocks that one thread does
    on its own, and of a wide kernel its inputs, too.
    """
    by_rows = _by_rows_and_inputs if wide else _by_rows
    crossed = _crossed_in_strips if wide else _crossed

    @tf.custom_gradient
    def times(x, kernel):
        def gradient(upstream):
            by_x = by_rows(upstream, kernel, whole, transpose_b=True)
            return by_x, crossed(x, upstream, whole)

        return by_rows(x, kernel, whole), gradient

    return times(x, kernel)


SMALL = 1 << 19  # multiplications that TensorFlow leaves to one thread
# The same in a batch of products: sums of up to 64 terms, of up to 144, of more.
LIMITS = (int(2.9 * SMALL), int(2.05 * SMALL), int(1.4 * SMALL))
ROWS = 128  # most rows of a block
LEAST_ROWS = 16  # fewest, where products of blocks are added up
INPUTS = 128  # inputs of a block of a wide kernel


def _limit(length, width):
    """Most multiplications of a block of sums of so many terms, so many side by side.

    Found by trying 1 to 16 threads (tests/test_reproducible.py tries some): blocks of
    long sums, or far from square, are the first to be split.
    """
    short, middling, long = LIMITS
    most = tf.where(length <= 64, short, tf.where(length <= 144, middling, long))
    return tf.where(width <= 320, most, long)


def _blocks(x, size, whole):
    """Rows as (n_blocks, size, n), zeros at the end; at least two if they are few."""
    n = tf.shape(x)[0]
    if whole:
        return tf.reshape(x, [n // size, size, tf.shape(x)[1]])
    n_blocks = tf.maximum(2, -(-n // size))
    size = -(-n // n_blocks)
    x = tf.pad(x, [[0, n_blocks * size - n], [0, 0]])
    return tf.reshape(x, [n_blocks, size, tf.shape(x)[1]])


def _by_rows(x, kernel, whole, transpose_b=False):
    length = tf.shape(x)[1]
    limit = _limit(length, tf.size(kernel) // length)
    size = _power_of_two(limit // tf.size(kernel), 8, ROWS)
    out = tf.matmul(_blocks(x, size, whole), kernel, transpose_b=transpose_b)
    out = tf.reshape(out, [-1, tf.shape(kernel)[0 if transpose_b else 1]])
    out.set_shape([None, kernel.shape[0 if transpose_b else 1]])
    return out if whole else out[: tf.shape(x)[0]]


def _by_rows_and_inputs(x, kernel, whole, transpose_b=False):
    kernel = tf.transpose(kernel) if transpose_b else kernel
    n, n_out = tf.shape(x)[0], tf.shape(kernel)[1]
    missing = -tf.shape(x)[1] % INPUTS
    kernel = tf.pad(kernel, [[0, missing], [0, 0]])
    kernel = tf.reshape(kernel, [-1, 1, INPUTS, n_out])
    size = _power_of_two(_limit(INPUTS, n_out) // (INPUTS * n_out), 8, 64)
    x = _blocks(tf.pad(x, [[0, 0], [0, missing]]), size, whole)
    x = tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], -1, INPUTS])
    out = tf.matmul(tf.transpose(x, [2, 0, 1, 3]), kernel)
    return tf.reshape(tf.reduce_sum(out, 0), [-1, n_out])[:n]


def _crossed(x, upstream, whole):
    """``x' @ upstream``: products of blocks of rows, added up."""
    n_in, n_out = tf.shape(x)[1], tf.shape(upstream)[1]
    limit = _limit(64, tf.maximum(n_in, n_out))
    size = _power_of_two(limit // (n_in * n_out), LEAST_ROWS, ROWS)
    x, upstream = _blocks(x, size, whole), _blocks(upstream, size, whole)
    return tf.reduce_sum(tf.matmul(x, upstream, transpose_a=True), 0)


def _crossed_in_strips(x, upstream, whole):
    """The same for a wide kernel, which is cut into strips of its inputs."""
    n_in, n_out = tf.shape(x)[1], tf.shape(upstream)[1]
    x, upstream = (_blocks(rows, LEAST_ROWS, whole) for rows in (x, upstream))
    strip = tf.maximum(SMALL // (LEAST_ROWS * n_out), 8)
    x = tf.pad(x, [[0, 0], [0, 0], [0, -n_in % strip]])
    x = tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], -1, strip])
    x = tf.transpose(x, [0, 2, 1, 3])
    out = tf.matmul(x, upstream[:, None], transpose_a=True)
    return tf.reshape(tf.reduce_sum(out, 0), [-1, n_out])[:n_in]


def _power_of_two(n, low, high):
    """Largest power of two up to `n`: as batches are, so that nothing is padded."""
    exponent = tf.math.log(tf.cast(tf.maximum(n, 1), tf.float32)) / math.log(2.0)
    power = tf.cast(tf.round(tf.pow(2.0, tf.floor(exponent + 1e-3))), tf.int32)
    return tf.clip_by_value(power, low, high)
