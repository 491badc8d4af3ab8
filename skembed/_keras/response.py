"""How layers respond to first-order effects, and what keeps them from undoing these.

Layers read the coordinates that reach the output directly. What they take back of such
an effect, its own scale can give again: the prior widens, the layers take back more,
and both go on, until the effects of tokens with few rows are hardly shrunk at all. So
the layers' output is regressed on the first-order effects of every column, and where a
slope is negative it is pulled to 0, by as much as the data pull an effect of that size.
"""

from typing import NamedTuple

import tensorflow as tf

from .. import _settings as settings
from .priors import TINY


class Sums(NamedTuple):
    """Weighted sums over rows, one for every slot: tensors of shape (n_slots,)."""

    product: tf.Tensor  # of effects and the layers' outputs
    square: tf.Tensor  # of effects
    effect: tf.Tensor
    output: tf.Tensor
    weight: tf.Tensor


N_SUMS = len(Sums._fields)


def sums(effects, outputs, weights):
    """`Sums` of some rows, as one tensor of shape (5, n_slots).

    Parameters
    ----------
    effects : tensor of shape (n_rows * n_outputs, n_slots)
        First-order effects of each column, on each output.
    outputs : tensor of shape (n_rows, n_outputs)
        Of the layers.
    weights : tensor of shape (n_rows, n_outputs)
        What the data know of an effect.
    """
    outputs, weights = tf.reshape(outputs, [-1, 1]), tf.reshape(weights, [-1, 1])
    both = tf.concat([weights * outputs, weights], 1)
    product, effect = tf.unstack(tf.matmul(both, effects, transpose_a=True))
    square = tf.matmul(weights, tf.square(effects), transpose_a=True)[0]
    output, weight = tf.unstack(tf.reduce_sum(both, 0))
    ones = tf.ones_like(square)
    return tf.stack([product, square, effect, output * ones, weight * ones])


def slope(found, effects, weights):
    """Slope of what is to be avoided, by the layers' outputs: (n_rows, n_outputs).

    Parameters
    ----------
    found : tensor of shape (5, n_slots)
        `sums` of the rows of late.
    effects, weights
        As in `sums`.
    """
    found = Sums(*tf.unstack(found))
    total = tf.maximum(found.weight, TINY)
    mean = found.effect / total
    variance = found.square / total - tf.square(mean) + settings.LEAST_EFFECT
    taken = (found.product - mean * found.output) / total / variance
    taken = tf.minimum(taken, 0.0)
    pull = tf.matmul(effects, taken[:, None]) - tf.reduce_sum(mean * taken)
    return weights * tf.reshape(pull, tf.shape(weights))
