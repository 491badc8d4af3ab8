"""How the prior is learned: steps of Fisher scoring on the evidence.

With its vectors integrated out, a token is one observation of its prior: the
pseudo-observation that its site stands for, of variance 1 / information about the mean
of the prior, 1 / information + s^2 in all. EM on the posterior would divide by the
number of tokens, where scoring divides by how much they say together: the steps are as
long as what is known is little.

Of vectors that are updated one by one each knows too much: the others of its rows are
uncertain as well, and a scale that is judged by it comes out too small. What a vector
knows in the presence of all others is found by a probe, which is trained beside the
means: the answer to data of 0 under a prior of mean s or -s, drawn once for every
vector. Times that sign it has the true posterior variance as its mean (Hutchinson 1989;
Bekas, Kokiopoulou and Saad 2007, "An estimator for the diagonal of a matrix", section
2; for evidence: Antoran et al. 2023, "Sampling-based inference for large linear
models", section 3), and where no vectors meet it is exact.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .. import _settings as settings
from .._model.prior import N_FIELDS, N_WAVES, Field
from . import sparse

TINY = 1e-12


class Prior(NamedTuple):
    """Prior of the touched rows.

    Attributes
    ----------
    mean, precision : tensor of shape (n, width)
    own : tensor of shape (n, width)
        Share of a vector's spread that other columns leave it.
    """

    mean: tf.Tensor
    precision: tf.Tensor
    own: tf.Tensor


class Evidence(NamedTuple):
    """What the touched rows say of their priors; tensors of shape (n, n_first).

    Attributes
    ----------
    share : tensor of shape (n, 1)
        Of a row's data, in this batch.
    gap : tensor
        Posterior mean minus the mean of the prior.
    known : tensor
        Share of the posterior's precision that is from data, others taken as known.
    joint : tensor
        The same with all uncertain together, by the probe.
    """

    share: tf.Tensor
    gap: tf.Tensor
    known: tf.Tensor
    joint: tf.Tensor


class Sums(NamedTuple):
    """Sums over all rows of a table, column by column.

    Attributes
    ----------
    gap, known, square, joint, second : tensor of shape (n_columns, n_first)
        Of `Evidence`; `square` of what is known, and `second` of the squares of the
        gaps, in units of the prior.
    score, weight : tensor of shape (n_columns, n_first, N_WAVES)
        Slope of the evidence along the waves of a curve, and its curvature.
    """

    gap: tf.Tensor
    known: tf.Tensor
    square: tf.Tensor
    joint: tf.Tensor
    second: tf.Tensor
    score: tf.Tensor
    weight: tf.Tensor


class Priors:
    """The learned priors of a table: the last of the dense weights."""

    def __init__(self, architecture, are_alike):
        self.width = architecture.width
        self.n_first = architecture.n_first
        self.are_alike = are_alike and self.n_first > 1

    def of_rows(self, theta, uses, data):
        """Prior of the touched rows."""
        block, rows = self._block(theta, data), uses.rows
        rest = [[0, 0], [0, self.width - self.n_first]]
        # The coordinates that follow have the mean 0, scale 1, and all to themselves.
        fields = tf.unstack(tf.pad(block[:, :, :N_FIELDS], [*rest, [0, 0]]), axis=2)
        waves = tf.gather(block[:, :, N_FIELDS:], tf.gather(rows.column, rows.bins))
        curve = tf.reduce_sum(waves * rows.basis[:, None], 2)
        at = sparse.of_groups(rows.bins, rows.n)
        mean = tf.gather(fields[Field.MEAN], rows.column)
        mean += tf.pad(at.times(curve), rest)
        precision = tf.exp(-2.0 * fields[Field.LOG_SCALE])
        own = tf.exp(0.5 * fields[Field.LOG_SHARE])
        precision, own = (tf.gather(part, rows.column) for part in (precision, own))
        return Prior(mean, precision, own)

    def scored(self, theta, prior, evidence, uses, data, epoch_share, pace):
        """The dense weights with the priors moved towards the evidence's optimum."""
        block = self._block(theta, data)
        sums = self._sums(prior, evidence, uses, epoch_share)
        log_share = self._shares(block, sums)
        waves, log_curve = self._curves(block, sums)
        n_columns = tf.cast(tf.shape(block)[0], tf.float32)
        change = {
            # Every column takes its part of what all have in common.
            Field.MEAN: _bounded(sums.gap / (sums.known + TINY), 1.0) / n_columns,
            Field.LOG_SCALE: self._scales(block, sums, data),
            Field.LOG_SHARE: log_share,
            Field.LOG_CURVE: log_curve,
        }
        change = tf.stack([change[field] for field in Field], 2)
        change = tf.concat([change, waves / n_columns], 2)
        new = block + pace * change * data.prior_rates
        is_scale = np.isin(np.arange(new.shape[2]), [Field.LOG_SCALE, Field.LOG_CURVE])
        new = tf.where(is_scale, tf.maximum(new, settings.MIN_LOG_SCALE), new)
        new = tf.reshape(new, [-1])
        new = tf.concat([theta[: tf.size(theta) - tf.size(new)], new], 0)
        new.set_shape(theta.shape)
        return new

    def _sums(self, prior, evidence, uses, epoch_share):
        """What all rows of each column say, from those that the batch touches."""
        share, gap, known, joint = evidence
        precision = prior.precision[:, : self.n_first]

        def summed(values, of_columns):
            """Of (n, n_first, k) values, by column."""
            n_values = self.n_first * values.shape[2]
            found = of_columns.times(tf.reshape(values, [-1, n_values]))
            shape = [-1, self.n_first, values.shape[2]]
            return tf.reshape(found / epoch_share, shape)

        second = precision * tf.square(gap)
        single = tf.stack([gap, known, tf.square(known), joint, second], 2)
        single *= tf.expand_dims(share, 2)
        single = tf.unstack(summed(single, uses.rows.of_columns), axis=2)

        rows = uses.rows
        column = tf.gather(rows.column, rows.bins)
        column = sparse.of_groups(column, rows.n_columns)
        both = tf.stack([gap, known], 2) * tf.expand_dims(share * precision, 2)
        both = tf.gather(both, rows.bins)
        basis = rows.basis[:, None]
        score = summed(both[:, :, :1] * basis, column)
        weight = summed(both[:, :, 1:] * tf.square(basis), column)
        return Sums(*single, score, weight)

    def _scales(self, block, sums, data):
        """Steps of the log scales of vectors.

        A half-normal density of the scale keeps columns of few rows from being learned
        by heart, and makes a number smooth where the data do not say that it is rough.
        """
        scale = tf.exp(block[:, :, Field.LOG_SCALE])
        against = tf.square(scale / data.scale_spreads[:, None])
        excess = sums.second - tf.exp(block[:, :, Field.LOG_SHARE]) * sums.known
        slope, known = 0.5 * excess - against, sums.square
        return self._scale_step(block[:, :, Field.LOG_SCALE], slope, known)

    def _scale_step(self, log_scale, slope, known):
        """Newton's step of log scales, from the slope and curvature of the evidence.

        Those of the classes are normal about the mean of their column. Each on its own
        would be learned from the few rows of one class: beside ten classes of a hundred
        rows some columns of noise have wide effects on some of them. The step is of all
        together, as what they have in common is held by nothing.
        """
        if not self.are_alike:
            return _bounded(slope / (known + TINY), settings.MAX_SCALE_STEP)
        pull = settings.CLASS_SPREAD**-2
        slope -= pull * (log_scale - tf.reduce_mean(log_scale, 1, keepdims=True))
        each = slope / (known + pull)
        free = tf.reduce_mean(known / (known + pull), 1, keepdims=True) + TINY
        common = tf.reduce_mean(each, 1, keepdims=True) / free
        change = each + pull / (known + pull) * common
        return _bounded(change, settings.MAX_SCALE_STEP)

    def _shares(self, block, sums):
        """Steps of the logs of the shares that columns have to themselves.

        Through rows in common a column's answer to the probe takes noise from others,
        in proportion to their scales. So a narrow column goes more slowly.
        """
        share = tf.clip_by_value(sums.joint / (sums.known + TINY), *settings.SHARES)
        scale = tf.exp(block[:, :, Field.LOG_SCALE])
        pace = tf.square(scale / tf.reduce_max(scale, 0))
        return pace * (tf.math.log(share) - block[:, :, Field.LOG_SHARE])

    def _curves(self, block, sums):
        """Steps of the waves' coefficients, and of the log scales of curves."""
        coefficients, log_curve = block[:, :, N_FIELDS:], block[:, :, Field.LOG_CURVE]
        wave = tf.range(1.0, N_WAVES + 1.0)
        precision = tf.exp(-2.0 * log_curve)[:, :, None] * tf.square(wave)
        weight = sums.weight * tf.exp(block[:, :, Field.LOG_SHARE])[:, :, None]
        waves = (sums.score - precision * coefficients) / (precision + weight)
        known = weight / (precision + weight)
        excess = tf.reduce_sum(precision * tf.square(coefficients) - known, 2)
        excess = 0.5 * excess - tf.square(tf.exp(log_curve) / settings.CURVE_SPREAD)
        known = tf.reduce_sum(tf.square(known), 2)
        return _bounded(waves, 1.0), self._scale_step(log_curve, excess, known)

    def _block(self, theta, data):
        """What is learned, (n_columns, n_first, N_FIELDS + N_WAVES)."""
        shape = [-1, self.n_first, N_FIELDS + N_WAVES]
        return tf.reshape(theta[tf.size(theta) - data.sizes[-1] :], shape)


def signs(n_rows, n_first):
    """1 or -1 for every first coordinate of a table's rows: of its position alone."""
    x = np.arange(1, n_rows * n_first + 1, dtype=np.uint32)
    # The first two rounds of Wellons's "lowbias32" hash.
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    bit = (x >> np.uint32(16)) & np.uint32(1)
    return (2.0 * bit - 1.0).astype(np.float32).reshape(n_rows, n_first)


def _bounded(change, most):
    """A change, as long as one step may make it: Newton's can be without bounds."""
    return tf.clip_by_value(change, -most, most)
