"""The network behind the tables, as TensorFlow functions of one flat weight vector.

One vector holds all dense weights, so that a step updates them with one set of
operations instead of one a layer. What depends on the number of columns is shaped by
the data, not by the trace: one trace serves tables of any number of columns.
"""

import keras
import tensorflow as tf


def split(architecture, theta, sizes):
    """Name -> weight, out of the flat vector."""
    shapes = architecture.weight_shapes()
    parts = tf.split(theta, sizes, num=len(shapes))
    return {
        name: tf.reshape(part, shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def apply(architecture, parts, vectors, numbers, knots, state, training=True):
    """Outputs (n_rows, n_outputs) and the new state of a user's own head.

    Parameters
    ----------
    vectors : tensor of shape (n_rows, n_columns, width)
    numbers : tensor of shape (n_rows, n_numbers)
    knots : tuple of tensors
        Column, low end and 1 / length of the pieces of the linear encoding.
    state : tuple of tensors
    """
    x = [tf.reshape(vectors, [tf.shape(vectors)[0], -1]), numbers]
    if architecture.with_knots:
        column, low, scale = knots
        pieces = (tf.gather(numbers, column, axis=1) - low) * scale
        x.append(tf.clip_by_value(pieces, 0.0, 1.0))
    x = tf.concat(x, 1)
    if architecture.head is not None:
        f, state = architecture.head.apply(parts, x, state, training)
    else:
        f = _mlp(architecture, parts, x)
    if architecture.posterior:
        first = tf.reduce_sum(vectors[:, :, : architecture.n_first], 1)
        if architecture.n_outputs > 1:
            first = product(first, parts["readout"])
        f = f + first + product(numbers, parts["linear"])
    return f, state


def _mlp(architecture, parts, x):
    x = product(x, parts["kernel_0"]) + parts["bias_0"]
    for i, activation in enumerate(architecture.activations, 1):
        x = keras.activations.get(activation)(x)
        x = product(x, parts[f"kernel_{i}"]) + parts[f"bias_{i}"]
    return x


@tf.custom_gradient
def product(x, kernel):
    """``x @ kernel``, with the same bits whatever the number of threads.

    TensorFlow splits a large matrix product between threads along whatever suits
    their number, which changes the order of its sums. A batch of small products is
    split between the products only, so the rows, and for the gradient of the kernel
    its rows, too, come in blocks that one thread does on its own.
    """

    def gradient(upstream):
        by_x = _by_rows(upstream, kernel, transpose_b=True)
        return by_x, _crossed(x, upstream)

    return _by_rows(x, kernel), gradient


_SMALL = 1 << 19  # multiplications that TensorFlow leaves to one thread


def _blocks(x, size):
    """Rows as (n_blocks, size, n), zeros at the end; at least two blocks."""
    n = tf.shape(x)[0]
    n_blocks = tf.maximum(2, -(-n // size))
    size = -(-n // n_blocks)
    x = tf.pad(x, [[0, n_blocks * size - n], [0, 0]])
    return tf.reshape(x, [n_blocks, size, tf.shape(x)[1]])


def _by_rows(x, kernel, transpose_b=False):
    size = tf.clip_by_value(8 * _SMALL // tf.maximum(tf.size(kernel), 1), 8, 64)
    out = tf.matmul(_blocks(x, size), kernel, transpose_b=transpose_b)
    out = tf.reshape(out, [-1, tf.shape(kernel)[0 if transpose_b else 1]])
    out.set_shape([None, kernel.shape[0 if transpose_b else 1]])
    return out[: tf.shape(x)[0]]


def _crossed(x, upstream):
    """``x' @ upstream``: products of blocks of rows, added up."""
    n_in, n_out = tf.shape(x)[1], tf.shape(upstream)[1]
    x, upstream = _blocks(x, 128), _blocks(upstream, 128)
    n_blocks, size = tf.shape(x)[0], tf.shape(x)[1]
    width = tf.clip_by_value(_SMALL // tf.maximum(size * n_out, 1), 8, 1024)
    width = tf.minimum(width, tf.maximum(n_in, 1))
    x = tf.pad(x, [[0, 0], [0, 0], [0, -n_in % width]])
    n_strips = tf.shape(x)[2] // width
    x = tf.transpose(tf.reshape(x, [n_blocks, size, n_strips, width]), [0, 2, 1, 3])
    out = tf.matmul(x, upstream[:, None], transpose_a=True)
    return tf.reshape(tf.reduce_sum(out, 0), [n_strips * width, n_out])[:n_in]
