"""The compiled training loop: many gradient steps in one call.

A call runs any number of steps over in-memory tensors. All randomness (order of the
rows, offsets into the pool of normal numbers, learning rates) comes in as arrays made
by a NumPy Generator, so the graph is plain arithmetic: the same numbers in give the
same vectors out, in any thread and in any process.
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

import tensorflow as tf

from .. import _settings as settings
from .._model.prior import N_WAVES
from .._training.batches import Plan
from . import dense, losses, optimizers, response, tables, uses
from .collector import paused
from .group import NOBODY


class Spec(NamedTuple):
    """All that a trace depends on: not the sizes of data, tables and columns."""

    architecture: tuple
    loss: str
    loss_constants: tuple
    n_targets: int
    has_noise: bool
    own_priors: bool
    rule: optimizers.Rule
    blended: bool = False  # vectors are sums of rows of the table times factors
    shifted: bool = False  # rows have an offset


class Data(NamedTuple):
    """What the steps read; tensors."""

    codes: tf.Tensor  # (n_rows, n_slots) int32: positions of table rows
    rows: tf.Tensor  # (n_rows, ...): numbers, offset, targets, weight
    tokens: tf.Tensor  # (n_table_rows, 3 + n_first): as `uses.Rows` splits them
    mask: tf.Tensor  # (n_columns, width): 0 where a column's vectors are shorter
    factors: tf.Tensor  # (n_rows, n_slots), or empty where each slot is a vector
    fields: tf.Tensor  # (n_slots, n_fields): 1 for the vector that a slot adds to
    most_taken: tf.Tensor  # of a row's residual, by all of its vectors in one step
    knots: tuple  # piecewise-linear encoding, as dense.apply reads it
    sizes: tf.Tensor  # sizes of the dense weights in the flat vector
    rates: tf.Tensor  # (n_dense,): multiplier of the learning rate, 0 = frozen
    pull: tf.Tensor  # (n_dense,): how much the dense weights are held to their start
    start: tf.Tensor  # (n_dense,): where they start
    prior_rates: tf.Tensor  # (n_columns, 1, n): 0 for what of the prior stays
    scale_spreads: tf.Tensor  # (n_columns,): spread of a prior's scale
    curve_start: tf.Tensor  # position of the first table row with a curve
    basis: tf.Tensor  # (number of rows with a curve, N_WAVES)
    pool: tf.Tensor  # standard normal numbers


_cache = OrderedDict()
_lock = threading.Lock()


def compiled(spec, others=NOBODY):
    """The traced loop of `spec`, shared by all fits; the last `MAX_TRACES` are kept.

    `others` are those who have parts of every batch.
    """
    key = spec, others
    with _lock:
        if key not in _cache:
            _cache[key] = _traced(*key)
            if len(_cache) > settings.MAX_TRACES:
                _cache.popitem(last=False)
        _cache.move_to_end(key)
        return _cache[key]


def _traced(spec, others):
    dense.check_activations(spec.architecture)
    function = tf.function(
        _Loop(spec, others).run, input_signature=_signature(spec), autograph=False
    )
    # TensorFlow counts traces by the place in the source and takes those of different
    # networks for one that is traced again and again.
    function._omit_frequent_tracing_warning = True
    with paused():
        function.get_concrete_function()
    return function


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
        factors=of(real, 2),
        fields=of(real, 2),
        most_taken=of(real, 0),
        knots=(of(real, 2), of(real, 1), of(real, 1)),
        sizes=of(whole, 1),
        rates=of(real, 1),
        pull=of(real, 1),
        start=of(real, 1),
        prior_rates=of(real, 3),
        scale_spreads=of(real, 1),
        curve_start=of(whole, 0),
        basis=tf.TensorSpec([None, N_WAVES], real),
        pool=of(real, 1),
    )
    plan = Plan(
        order=of(whole, 2),
        learning_rates=of(real, 1),
        row_rates=of(real, 1),
        temper=of(real, 1),
        offsets=of(whole, 1),
        first_row=of(whole, 0),
        per_observation=of(real, 0),
        batch_share=of(real, 0),
        scale_paces=of(real, 1),
        epoch_share=of(real, 0),
        most_touched=of(whole, 0),
    )
    slots = (of(real, 1),) * spec.rule.n_slots
    known = tf.TensorSpec([response.N_SUMS, None], real)
    return of(tf.resource, 0), of(real, 1), slots, state, known, data, plan


class _Loop:
    def __init__(self, spec, others):
        self.spec = spec
        self.others = others
        self.tables = tables.of_spec(spec)

    def run(self, table, theta, slots, state, known, data, plan):
        """All steps of `plan`; the table, a variable's handle, is changed in place.

        Returns the dense weights, their slots, the state of a user's own head, what is
        known of the layers' response and, step by step, the objective per observation.
        """
        n_steps = tf.shape(plan.order)[0]
        places = uses.Places.of(tf.shape(plan.order)[1], tf.shape(data.codes)[1])

        def body(s, theta, slots, state, known, totals):
            theta, slots, state, known, total = self.others.run(
                self._step, s, table, theta, slots, state, known, data, plan, places
            )
            return s + 1, theta, slots, state, known, totals.write(s, total)

        _, theta, slots, state, known, totals = tf.while_loop(
            lambda s, *_: s < n_steps,
            body,
            (
                0,
                theta,
                slots,
                state,
                known,
                tf.TensorArray(tf.float32, n_steps, element_shape=[]),
            ),
            parallel_iterations=1,
        )
        return theta, slots, state, known, totals.stack()

    def _step(self, s, table, theta, slots, state, known, data, plan, places):
        """One step; the new weights, and the objective per observation before it."""
        spec, kind = self.spec, self.tables
        index, rate = tf.gather(plan.order, s), tf.gather(plan.learning_rates, s)
        codes, numbers, offset, targets, weights = self._batch(data, index)
        factors = self._factors(index, data)
        used = uses.Uses.of(table, codes, factors, data, places)
        vectors = kind.read(used, theta, data)
        flat = kind.draw(vectors, used, data, plan, s)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch([flat, theta])
            parts = dense.split(spec.architecture, theta, data.sizes)
            x = self._vectors(flat, used, data)
            passed = dense.apply(
                spec.architecture, parts, x, numbers, data.knots, state, offset
            )
            log_noise = None
            if spec.has_noise:
                log_noise = tf.maximum(parts["log_noise"], settings.MIN_LOG_NOISE)
            constants = dict(spec.loss_constants)
            nll = losses.FUNCTIONS[spec.loss](passed.f, targets, log_noise, **constants)
            data_part = tf.reduce_sum(weights * nll)
            if passed.own_loss is not None:
                # Of a head's regularizers, which are per observation as in Keras.
                data_part += passed.own_loss / plan.per_observation
            probe = kind.probe(passed.f, log_noise, data, plan, s)
        forward = tables.Forward(tape, flat, theta, passed, data_part, probe)
        slopes = kind.slopes(forward, used, vectors, weights, plan, known)
        del tape, forward
        touched, use, sums = self.others.met(
            used.rows.at, used.use, slopes.rows, plan.most_touched
        )
        if touched is not used.rows.at:  # others have touched rows beside ours
            rows = uses.Rows.of(data, touched)
            used = used._replace(use=use, rows=rows, packed=rows.contents(table))
            vectors = kind.read(used, theta, data)
        pace = kind.pace(sums, used, vectors, data, plan, s)
        taken = kind.taken(pace, sums, used, vectors, weights)
        (slope, found), data_part, taken = self.others.summed(
            (slopes.theta, slopes.response), data_part, taken, plan.most_touched
        )
        known += settings.RESPONSE_PACE * (found - known)
        slope += kind.pull(theta, data)
        change, slots = optimizers.change(spec.rule, slope, slots, rate)
        theta = theta - change * data.rates
        theta, kl = kind.step(
            table, theta, sums, pace, taken, used, vectors, data, plan, s, rate
        )
        objective = (data_part + kl) * plan.per_observation
        return theta, tuple(slots), passed.state, known, objective

    def _batch(self, data, index):
        """Codes, numbers, offset, targets and weights of some rows of the data."""
        codes = tf.gather(data.codes, index)
        rows = tf.gather(data.rows, index)
        n_targets = self.spec.n_targets
        n_offset = self.spec.architecture.n_first if self.spec.shifted else 0
        n_numbers = tf.shape(rows)[1] - n_offset - n_targets - 1
        sizes = tf.stack([n_numbers, n_offset, n_targets, 1])
        numbers, offset, targets, weights = tf.split(rows, sizes, axis=1, num=4)
        targets.set_shape([None, n_targets])
        offset = offset if self.spec.shifted else None
        return codes, numbers, offset, targets, weights[:, 0]

    def _factors(self, index, data):
        """What the rows of the table are multiplied by, use by use; None for 1."""
        if not self.spec.blended:
            return None
        return tf.reshape(tf.gather(data.factors, index), [-1, 1])

    def _vectors(self, flat, uses, data):
        """Vectors of the rows, (n_rows, n_fields * width), from one for every use."""
        width = self.spec.architecture.width
        n_rows, n_slots = uses.places.n_rows, uses.places.n_slots
        if uses.factors is None:
            return tf.reshape(flat, [n_rows, n_slots * width])
        each = tf.reshape(flat * uses.factors, [n_rows, n_slots, width])
        vectors = tf.einsum("nsw,sf->nfw", each, data.fields)
        return tf.reshape(vectors, [n_rows, tf.shape(data.fields)[1] * width])
