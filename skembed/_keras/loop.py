"""The compiled training loop: many gradient steps in one call.

A call runs any number of steps over in-memory tensors. All randomness (order of the
rows, offsets into the pool of normal numbers, learning rates) comes in as arrays made
by a NumPy Generator, so the graph is plain arithmetic: the same numbers in give the
same vectors out, in any thread and in any process.

One table holds the tokens of all columns. A row carries all that belongs to a token
side by side, so a step is one gather and one scatter of the rows that its batch
touches, whatever the size of the vocabulary:

- point vectors:      [vector | the optimizer's slots for it]
- posterior vectors:  [mean | precision], and with priors of their own
                      [mean | precision | prior mean | prior precision]
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

import tensorflow as tf

from .._settings import MIN_LOG_NOISE, MIN_LOG_SCALE
from . import dense, losses, optimizers


class Spec(NamedTuple):
    """All that a trace depends on; the sizes of data, tables and columns are not."""

    architecture: tuple
    loss: str
    loss_constants: tuple
    n_targets: int
    has_noise: bool
    own_priors: bool
    blocks: dense.Blocks
    rule: optimizers.Rule


class Data(NamedTuple):
    """What the steps read; tensors."""

    codes: tf.Tensor  # (n_rows, n_columns) int32: rows of the table
    rows: tf.Tensor  # (n_rows, n_numbers + n_targets + 1): numbers, targets, weight
    tokens: tf.Tensor  # (n_table_rows, 3): 1 / count, multiplier of the rate, column
    mask: tf.Tensor  # (n_columns, width): 0 where a column's vectors are shorter
    knots: tuple  # piecewise-linear encoding, as dense.apply reads it
    sizes: tf.Tensor  # sizes of the dense weights in the flat vector
    rates: tf.Tensor  # (n_dense,): multiplier of the learning rate, 0 = frozen
    pull: tf.Tensor  # (n_dense,): how much the dense weights are held to their start
    start: tf.Tensor  # (n_dense,): where they start
    pool: tf.Tensor  # standard normal numbers


class Plan(NamedTuple):
    """The steps of one call; tensors."""

    order: tf.Tensor  # (n_steps, batch) int32: rows of the data
    learning_rates: tf.Tensor  # (n_steps,)
    row_rates: tf.Tensor  # (n_steps,): share of its data that moves a token fully
    temper: tf.Tensor  # (n_steps,): share of the posterior's spread that is drawn
    offsets: tf.Tensor  # (n_steps,) int32: where the noise of the step starts
    first_step: tf.Tensor  # (): steps made before this call
    per_observation: tf.Tensor  # (): 1 / weight of a batch
    batch_share: tf.Tensor  # (): observations a step stands for / weight of its batch
    scale_rate: tf.Tensor  # (): pace of the prior scales, per step


_CACHE_SIZE = 32
_cache = OrderedDict()
_lock = threading.Lock()


def compiled(spec):
    """The traced loop of `spec`: one for all fits of the process, at most 32 kept."""
    with _lock:
        if spec not in _cache:
            _cache[spec] = tf.function(
                _Loop(spec).run, input_signature=_signature(spec), autograph=False
            )
            if len(_cache) > _CACHE_SIZE:
                _cache.popitem(last=False)
        _cache.move_to_end(spec)
        return _cache[spec]


def _signature(spec):
    """Types of the arguments of `run`, with every size that may differ left open."""

    def of(dtype, rank):
        return tf.TensorSpec([None] * rank, dtype)

    real, whole = tf.float32, tf.int32
    state = ()
    if spec.architecture.head is not None:
        state = spec.architecture.head.state_signature()
    data = Data(
        codes=of(whole, 2),
        rows=of(real, 2),
        tokens=of(real, 2),
        mask=of(real, 2),
        knots=(of(real, 2), of(real, 1), of(real, 1)),
        sizes=of(whole, 1),
        rates=of(real, 1),
        pull=of(real, 1),
        start=of(real, 1),
        pool=of(real, 1),
    )
    plan = Plan(
        order=of(whole, 2),
        learning_rates=of(real, 1),
        row_rates=of(real, 1),
        temper=of(real, 1),
        offsets=of(whole, 1),
        first_step=of(whole, 0),
        per_observation=of(real, 0),
        batch_share=of(real, 0),
        scale_rate=of(real, 0),
    )
    slots = (of(real, 1),) * spec.rule.n_slots
    return of(tf.resource, 0), of(real, 1), slots, state, data, plan


class _Loop:
    def __init__(self, spec):
        self.spec = spec
        self.width = spec.architecture.width
        self.n_first = spec.architecture.n_first

    def run(self, table, theta, slots, state, data, plan):
        """All steps of `plan`; the table, a variable's handle, is changed in place.

        Returns the dense weights, their slots, the state of a user's own head and,
        step by step, the objective per observation and its data part.
        """
        n_steps = tf.shape(plan.order)[0]
        n_uses = tf.shape(plan.order)[1] * tf.shape(data.codes)[1]
        n_uses = tf.range(tf.cast(n_uses, tf.int64))
        places = tf.stack([tf.zeros_like(n_uses), n_uses], 1)

        def body(s, theta, slots, state, totals, datas):
            theta, slots, state, total, data_part = self._step(
                s, table, theta, slots, state, data, plan, places
            )
            return (
                s + 1,
                theta,
                slots,
                state,
                totals.write(s, total),
                datas.write(s, data_part),
            )

        curves = [
            tf.TensorArray(tf.float32, n_steps, element_shape=[]) for _ in range(2)
        ]
        _, theta, slots, state, totals, datas = tf.while_loop(
            lambda s, *_: s < n_steps,
            body,
            (0, theta, slots, state, *curves),
            parallel_iterations=1,
        )
        return theta, slots, state, totals.stack(), datas.stack()

    def _step(self, s, table, theta, slots, state, data, plan, places):
        spec, width = self.spec, self.width
        index = plan.order[s]
        codes = tf.gather(data.codes, index)
        rows = tf.gather(data.rows, index)
        n_columns = tf.shape(codes)[1]
        targets = rows[:, -1 - spec.n_targets : -1]
        targets.set_shape([None, spec.n_targets])
        numbers = rows[:, : tf.shape(rows)[1] - spec.n_targets - 1]
        weights = rows[:, -1]

        touched, use = tf.unique(tf.reshape(codes, [-1]))
        packed = tf.raw_ops.ResourceGather(
            resource=table, indices=touched, dtype=tf.float32
        )
        packed.set_shape([None, None])
        flat = self._vectors(packed, use, data, plan, s)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch([flat, theta])
            parts = dense.split(spec.architecture, theta, data.sizes)
            vectors = tf.reshape(flat, [tf.size(index), n_columns * width])
            f, state = dense.apply(
                spec.architecture,
                parts,
                vectors * tf.reshape(data.mask, [-1]),
                numbers,
                data.knots,
                state,
                spec.blocks,
            )
            f.set_shape([None, spec.architecture.n_outputs])
            log_noise = None
            if spec.has_noise:
                log_noise = tf.maximum(parts["log_noise"], MIN_LOG_NOISE)
            constants = dict(spec.loss_constants)
            nll = losses.FUNCTIONS[spec.loss](f, targets, log_noise, **constants)
            data_part = tf.reduce_sum(weights * nll)
            if spec.architecture.posterior:
                root = losses.root_information(spec.loss, f, log_noise, **constants)
                signs = self._signs(f, data, plan.offsets[s])
                sensitivity = losses.sensitivity(spec.loss, root, signs, f)
        tokens = tf.gather(data.tokens, touched)
        uses = _Uses(touched, use, packed, tokens, n_columns, places)
        if spec.architecture.posterior:
            jacobian = tape.gradient(sensitivity, flat, unconnected_gradients="zero")
        if spec.architecture.posterior and spec.architecture.n_outputs == 1:
            # One output: both gradients are multiples of its own, one pass serves both.
            by_f, g_theta = tape.gradient(data_part, [f, theta])
            gradient = uses.added_up(jacobian, uses.each((by_f / root)[:, 0]))
        else:
            g_flat, g_theta = tape.gradient(
                data_part, [flat, theta], unconnected_gradients="zero"
            )
            gradient = uses.added_up(g_flat)
        t = tf.cast(plan.first_step + s + 1, tf.float32)
        rate = plan.learning_rates[s]
        g_theta *= plan.per_observation
        if spec.architecture.posterior:
            g_theta += data.pull * (theta - data.start)
        change, slots = optimizers.change(spec.rule, g_theta, slots, rate, t)
        theta = theta - change * data.rates

        if spec.architecture.posterior:
            kl, scale = self._natural_step(
                table, uses, gradient, jacobian, weights, parts, plan, s
            )
            theta = self._with_scale(theta, scale, parts, data, plan)
        else:
            kl = 0.0
            gradient *= plan.per_observation
            self._optimizer_step(table, uses, gradient, rate, t)
        del tape
        per = plan.per_observation
        return theta, tuple(slots), state, (data_part + kl) * per, data_part * per

    def _vectors(self, packed, use, data, plan, s):
        """A vector for every use of a token: one sample, or the point itself."""
        width = self.width
        if not self.spec.architecture.posterior:
            return tf.gather(packed[:, :width], use)
        sd = plan.temper[s] * tf.math.rsqrt(packed[:, width : 2 * width])
        both = tf.gather(tf.concat([packed[:, :width], sd], 1), use)
        n = tf.size(use) * width
        noise = tf.reshape(tf.slice(data.pool, [plan.offsets[s]], [n]), [-1, width])
        return both[:, :width] + both[:, width:] * noise

    def _signs(self, f, data, offset):
        if self.spec.architecture.n_outputs == 1:
            return 1.0
        # Read backwards from another place: independent of the vectors' noise.
        noise = tf.slice(data.pool, [offset // 2], [tf.size(f)])
        return tf.sign(tf.reshape(noise, tf.shape(f)))

    def _optimizer_step(self, table, uses, gradient, rate, t):
        """The optimizer's update of the touched rows and of their slots."""
        width, rule = self.width, self.spec.rule
        slots = [
            uses.packed[:, width * (i + 1) : width * (i + 2)]
            for i in range(rule.n_slots)
        ]
        change, slots = optimizers.change(rule, gradient, slots, rate, t)
        vector = uses.packed[:, :width] - change * uses.tokens[:, 1:2]
        _write(table, uses.touched, [vector, *slots])

    def _natural_step(self, table, uses, gradient, jacobian, weights, parts, plan, s):
        """Natural-gradient step of the touched rows' posteriors.

        Every token moves by the share of its own data that the batch holds: a token
        of five rows is where its data put it after an epoch as much as one of five
        thousand. Update of mean and precision as in Khan et al. 2018 ("Fast and
        Scalable Bayesian Deep Learning by Weight-Perturbation in Adam", section 3.1),
        with the Gauss-Newton curvature.
        """
        width, n_first = self.width, self.n_first
        weight = uses.each(weights)
        curvature = uses.added_up(tf.square(jacobian), weight)
        seen = tf.math.unsorted_segment_sum(weight, uses.use, uses.n)[:, None]
        inverse_count = uses.tokens[:, :1]
        mean = uses.packed[:, :width]
        precision = uses.packed[:, width : 2 * width]
        column = tf.cast(uses.tokens[:, 2], tf.int32)
        if self.spec.own_priors:
            prior_mean = uses.packed[:, 2 * width : 3 * width]
            prior_precision = uses.packed[:, 3 * width :]
        else:
            prior_mean = 0.0
            first = tf.exp(-2.0 * tf.gather(parts["log_scale"], column))
            prior_precision = tf.concat([first, tf.ones([uses.n, width - n_first])], 1)
        share = seen * inverse_count  # of the token's data, in this batch
        second = tf.square(mean - prior_mean) + 1.0 / precision
        kl = prior_precision * second - 1.0 + tf.math.log(precision / prior_precision)
        kl = 0.5 * tf.reduce_sum(share * kl)

        times = 1.0 / share  # all of the token's data / this batch's
        rho = plan.row_rates[s] * share * plan.batch_share
        rho = tf.minimum(rho, 0.5) * uses.tokens[:, 1:2]
        new_precision = precision + rho * (
            prior_precision + times * curvature - precision
        )
        # All numbers of a row's vectors move at once for the same residual. What they
        # take of it together must stay below it, or the steps grow instead of falling.
        taken = tf.reduce_sum(rho * times * curvature / new_precision, 1)
        taken = tf.reduce_sum(
            tf.reshape(tf.gather(taken, uses.use), [-1, uses.n_columns]), 1
        )
        taken = tf.math.unsorted_segment_sum(
            weight * uses.each(taken), uses.use, uses.n
        )
        rho /= tf.maximum(1.0, taken[:, None] / seen)
        slope = times * gradient
        slope += plan.temper[s] * prior_precision * (mean - prior_mean)
        new = [mean - rho * slope / new_precision, new_precision]
        new.append(uses.packed[:, 2 * width :])
        _write(table, uses.touched, new)

        per_column = tf.math.unsorted_segment_sum(
            tf.concat([share * second[:, :n_first], share], 1), column, uses.n_columns
        )
        scale = 0.5 * tf.math.log(per_column[:, :-1] / per_column[:, -1:])
        return kl, tf.maximum(scale, MIN_LOG_SCALE)

    def _with_scale(self, theta, scale, parts, data, plan):
        """The prior scales, moved towards the tokens' mean square: the exact M step."""
        if self.spec.own_priors:
            return theta
        at = tf.size(theta) - tf.size(scale)  # (not from the end: it may be empty)
        old = theta[at:]
        pace = plan.scale_rate * data.rates[at:]
        new = tf.concat([theta[:at], old + pace * (tf.reshape(scale, [-1]) - old)], 0)
        new.set_shape(theta.shape)
        return new


def _write(table, rows, parts):
    tf.raw_ops.ResourceScatterUpdate(
        resource=table, indices=rows, updates=tf.concat(parts, 1)
    )


class _Uses(NamedTuple):
    """The rows that a batch touches, and where."""

    touched: tf.Tensor  # (n,) rows of the table
    use: tf.Tensor  # (batch * n_columns,) which of them each use means
    packed: tf.Tensor  # (n, ...) their contents
    tokens: tf.Tensor  # (n, 3) 1 / count, multiplier of the rate, column
    n_columns: tf.Tensor
    places: tf.Tensor  # (batch * n_columns, 2) zeros and the uses' own places

    @property
    def n(self):
        return tf.shape(self.touched)[0]

    def each(self, values):
        """For every use of a token, the value of its row of the data."""
        values = tf.tile(values[:, None], [1, self.n_columns])
        return tf.reshape(values, [-1])

    def added_up(self, values, factors=None):
        """Sum of the rows of `values`, one a use, for each touched row.

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
