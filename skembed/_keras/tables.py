"""How the two kinds of table are trained: the part of a step that differs.

One table holds the tokens of all columns. A row carries all that belongs to a token
side by side, so a step is one gather and one scatter of the rows that its batch
touches, whatever the size of the vocabulary:

- `PointTable`: [vector | the optimizer's slots for it]
- `PosteriorTable`: [mean | precision], and with priors of their own
  [mean | precision | prior mean | prior precision]

Both have the same methods: `packed` and `unpacked` lay a table out and read it back, in
NumPy; `draw`, `probe`, `slopes` and `step` are the parts of a traced step.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .. import _settings as settings
from .._model import tables
from . import losses, optimizers


class Uses(NamedTuple):
    """The table rows that a batch touches, and where."""

    touched: tf.Tensor  # (n,) positions of table rows
    use: tf.Tensor  # (batch * n_columns,) which of them each use means
    packed: tf.Tensor  # (n, ...) their contents
    tokens: tf.Tensor  # (n, 3) 1 / count, multiplier of the rate, column
    n_columns: tf.Tensor
    places: tf.Tensor  # (batch * n_columns, 2) zeros and the uses' own places

    @property
    def n(self):
        """Number of rows touched."""
        return tf.shape(self.touched)[0]

    def each(self, values):
        """For every use of a token, the value of its row of the data."""
        values = tf.tile(values[:, None], [1, self.n_columns])
        return tf.reshape(values, [-1])

    def added_up(self, values, factors=None):
        """Sum of the rows of `values`, one per use, for each touched row.

        As a product with a sparse matrix of ones, or of `factors`: three times as fast
        as `unsorted_segment_sum`, and one thread adds in the order of the uses.
        """
        n_uses = tf.size(self.use, out_type=tf.int64)
        use = tf.cast(self.use, tf.int64)[:, None]
        return tf.raw_ops.SparseTensorDenseMatMul(
            a_indices=self.places + use * tf.constant([[1, 0]], tf.int64),
            a_values=tf.ones([n_uses]) if factors is None else factors,
            a_shape=tf.stack([tf.cast(self.n, tf.int64), n_uses]),
            b=values,
        )

    def write(self, table, parts):
        """Put new contents in the place of the touched rows."""
        tf.raw_ops.ResourceScatterUpdate(
            resource=table, indices=self.touched, updates=tf.concat(parts, 1)
        )


class Slopes(NamedTuple):
    """Gradients of a batch's loss."""

    theta: tf.Tensor  # of the dense weights, per observation
    table: tf.Tensor  # (n, width) of the touched rows, summed over their uses
    probe: tf.Tensor | None = None  # (uses, width) root of the curvature of each use


class PointTable:
    """Points, moved by the optimizer's rule."""

    def __init__(self, spec):
        self.width = spec.architecture.width
        self.rule = spec.rule

    def packed(self, table, priors):
        """Contents of the variable: vectors and the optimizer's slots."""
        n, width = table.mean.shape
        columns = width * (1 + self.rule.n_slots)
        out = np.full((n, columns), self.rule.slot_start, np.float32)
        out[:, :width] = table.mean
        return out

    def unpacked(self, packed):
        """The table that the variable holds."""
        return tables.PointTable(packed[:, : self.width].copy())

    def draw(self, packed, use, data, plan, s):
        """A vector for every use of a token: the point itself."""
        return tf.gather(packed[:, : self.width], use)

    def probe(self, f, log_noise, data, plan, s):
        """Nothing beside the loss has to be differentiated."""
        return None

    def slopes(self, tape, data_part, flat, theta, f, probe, uses, data, plan):
        """Gradients of the loss."""
        by_flat, by_theta = tape.gradient(
            data_part, [flat, theta], unconnected_gradients="zero"
        )
        per = plan.per_observation
        return Slopes(by_theta * per, uses.added_up(by_flat) * per)

    def step(self, table, theta, slopes, uses, weights, parts, data, plan, s, t):
        """The optimizer's update of the touched rows and of their slots.

        Returns the dense weights, unchanged here, and 0 as the divergence from a prior.
        """
        width, rule = self.width, self.rule
        slots = [
            uses.packed[:, width * (i + 1) : width * (i + 2)]
            for i in range(rule.n_slots)
        ]
        rate = plan.learning_rates[s]
        change, slots = optimizers.change(rule, slopes.table, slots, rate, t)
        vector = uses.packed[:, :width] - change * uses.tokens[:, 1:2]
        uses.write(table, [vector, *slots])
        return theta, 0.0


class PosteriorTable:
    """Normal distributions, moved by natural-gradient steps of their own."""

    def __init__(self, spec):
        self.width = spec.architecture.width
        self.n_first = spec.architecture.n_first
        self.n_outputs = spec.architecture.n_outputs
        # A head's own losses may depend on the vectors past the outputs.
        self.by_output = self.n_outputs == 1 and spec.architecture.head is None
        self.own_priors = spec.own_priors
        self.loss = spec.loss
        self.constants = dict(spec.loss_constants)

    def packed(self, table, priors):
        """Contents of the variable: means, precisions and priors of their own."""
        parts = [table.mean, table.precision]
        if priors is not None:
            parts += [priors.mean, priors.precision]
        return np.concatenate(parts, axis=1)

    def unpacked(self, packed):
        """The table that the variable holds."""
        width = self.width
        mean, precision = packed[:, :width], packed[:, width : 2 * width]
        return tables.PosteriorTable(mean.copy(), precision.copy())

    def draw(self, packed, use, data, plan, s):
        """A vector for every use of a token: one sample each."""
        width = self.width
        sd = plan.temper[s] * tf.math.rsqrt(packed[:, width : 2 * width])
        both = tf.gather(tf.concat([packed[:, :width], sd], 1), use)
        n = tf.size(use) * width
        noise = tf.reshape(tf.slice(data.pool, [plan.offsets[s]], [n]), [-1, width])
        return both[:, :width] + both[:, width:] * noise

    def probe(self, f, log_noise, data, plan, s):
        """What is differentiated for the curvature: a root, and a sum of outputs."""
        root = losses.root_information(self.loss, f, log_noise, **self.constants)
        signs = self._signs(f, data, plan.offsets[s])
        return root, losses.sensitivity(self.loss, root, signs, f)

    def _signs(self, f, data, offset):
        if self.n_outputs == 1:
            return 1.0
        # From another place in the pool than the vectors' noise.
        noise = tf.slice(data.pool, [offset // 2], [tf.size(f)])
        return tf.sign(tf.reshape(noise, tf.shape(f)))

    def slopes(self, tape, data_part, flat, theta, f, probe, uses, data, plan):
        """Gradients of the loss, and of what keeps kernels near their start."""
        root, sensitivity = probe
        jacobian = tape.gradient(sensitivity, flat, unconnected_gradients="zero")
        if self.by_output:
            # One output: both gradients are multiples of its own, one pass serves both.
            by_f, by_theta = tape.gradient(data_part, [f, theta])
            gradient = uses.added_up(jacobian, uses.each((by_f / root)[:, 0]))
        else:
            by_flat, by_theta = tape.gradient(
                data_part, [flat, theta], unconnected_gradients="zero"
            )
            gradient = uses.added_up(by_flat)
        by_theta *= plan.per_observation
        by_theta += data.pull * (theta - data.start)
        return Slopes(by_theta, gradient, jacobian)

    def step(self, table, theta, slopes, uses, weights, parts, data, plan, s, t):
        """Natural-gradient step of the touched rows' posteriors.

        Every token moves in proportion to the share of its own rows that the batch
        holds: in an epoch a token of five rows moves as far towards its optimum as one
        of five thousand. Update of mean and precision as in Khan et al. 2018 ("Fast and
        Scalable Bayesian Deep Learning by Weight-Perturbation in Adam", section 3.1),
        with the Gauss-Newton curvature.

        Returns the dense weights with new prior scales, and the batch's share of the
        divergence from the priors.
        """
        width = self.width
        weight = uses.each(weights)
        curvature = uses.added_up(tf.square(slopes.probe), weight)
        seen = tf.math.unsorted_segment_sum(weight, uses.use, uses.n)[:, None]
        inverse_count = uses.tokens[:, :1]
        mean = uses.packed[:, :width]
        precision = uses.packed[:, width : 2 * width]
        column = tf.cast(uses.tokens[:, 2], tf.int32)
        prior_mean, prior_precision = self._priors(uses, column, parts)
        share = seen * inverse_count  # of the token's data, in this batch
        second = tf.square(mean - prior_mean) + 1.0 / precision
        kl = prior_precision * second - 1.0 + tf.math.log(precision / prior_precision)
        kl = 0.5 * tf.reduce_sum(share * kl)

        times = 1.0 / share  # all of the token's data / this batch's
        rho = plan.row_rates[s] * share * plan.batch_share
        rho = tf.minimum(rho, settings.MAX_ROW_STEP) * uses.tokens[:, 1:2]
        new_precision = precision + rho * (
            prior_precision + times * curvature - precision
        )
        taken = rho * times * curvature / new_precision
        rho /= self._overshoot(taken, weight, seen, uses)
        slope = times * slopes.table
        slope += plan.temper[s] * prior_precision * (mean - prior_mean)
        new = [mean - rho * slope / new_precision, new_precision]
        new.append(uses.packed[:, 2 * width :])
        uses.write(table, new)
        return self._with_scales(theta, share, second, column, uses, data, plan), kl

    def _priors(self, uses, column, parts):
        """Mean and precision of the prior of each touched row."""
        width = self.width
        if self.own_priors:
            return uses.packed[:, 2 * width : 3 * width], uses.packed[:, 3 * width :]
        first = tf.exp(-2.0 * tf.gather(parts["log_scale"], column))
        rest = tf.ones([uses.n, width - self.n_first])
        return 0.0, tf.concat([first, rest], 1)

    def _overshoot(self, taken, weight, seen, uses):
        """How far a step would overshoot, as a divisor of it: at least 1.

        All coordinates of a row's vectors move at once for the same residual. Together
        they must not take more than all of it, or the steps grow instead of shrinking.
        """
        taken = tf.reduce_sum(taken, 1)
        taken = tf.reduce_sum(
            tf.reshape(tf.gather(taken, uses.use), [-1, uses.n_columns]), 1
        )
        taken = tf.math.unsorted_segment_sum(
            weight * uses.each(taken), uses.use, uses.n
        )
        return tf.maximum(1.0, taken[:, None] / seen)

    def _with_scales(self, theta, share, second, column, uses, data, plan):
        """The prior scales, moved towards the tokens' mean square: the exact M step."""
        if self.own_priors:
            return theta
        n_first = self.n_first
        per_column = tf.math.unsorted_segment_sum(
            tf.concat([share * second[:, :n_first], share], 1), column, uses.n_columns
        )
        scale = 0.5 * tf.math.log(per_column[:, :-1] / per_column[:, -1:])
        scale = tf.maximum(scale, settings.MIN_LOG_SCALE)
        at = tf.size(theta) - tf.size(scale)  # (not from the end: it may be empty)
        old = theta[at:]
        pace = plan.scale_rate * data.rates[at:]
        new = tf.concat([theta[:at], old + pace * (tf.reshape(scale, [-1]) - old)], 0)
        new.set_shape(theta.shape)
        return new


_KINDS = {tables.PointTable: PointTable, tables.PosteriorTable: PosteriorTable}


def of_spec(spec):
    """The kind of table that a trace is for."""
    return _KINDS[spec.architecture.tables](spec)
