"""A traced loop with all that it reads: data and weights of NumPy in TensorFlow."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .. import _settings as settings
from .._data.memory import aligned, is_aligned
from .._model.network import Weights, weight_precision
from .._model.prior import Field, LearnedPrior
from .._training.batches import Plan
from .._training.problem import Problem
from . import dense, loop, priors, response, tables
from .group import NOBODY


class State(NamedTuple):
    """Where training stands.

    A state is handed on: `Engine.advance` changes its table in place, as a copy of ten
    million rows would cost more than the steps, so an old state must not be used again.
    """

    table: tf.Variable
    theta: tf.Tensor  # all dense weights
    slots: tuple  # the optimizer's, for them
    head: tuple  # non-trainable variables of a user's own head
    known: tf.Tensor  # (N_SUMS, n_slots): `response.sums` of the steps of late
    n_steps: int = 0


@dataclass(frozen=True, eq=False)
class Engine:
    """A traced loop with all that it reads.

    Attributes
    ----------
    problem : Problem
    spec : loop.Spec
    shapes : dict of str to tuple
        Of the dense weights, in their order in the flat vector.
    data : loop.Data
    others : Nobody or Group
    blocks : list
        The last block of rows, as it came and as tensors: it may come again.
    """

    problem: Problem
    spec: loop.Spec
    shapes: dict
    data: loop.Data
    others: object = NOBODY
    blocks: list = field(default_factory=list)

    @classmethod
    def of(cls, problem, rule, anchor, batches, dense_weights, others=NOBODY):
        """Put a problem's data where TensorFlow works on them.

        Parameters
        ----------
        problem : Problem
        rule : object
            Update rule of the dense weights.
        anchor : dict of str to ndarray
            Dense weights that kernels are kept near.
        batches : Batches
        dense_weights : dict of str to ndarray
        others : Nobody or Group
        """
        architecture, rows = problem.architecture, problem.rows
        likelihood = problem.likelihood
        spec = loop.Spec(
            architecture,
            likelihood.name,
            likelihood.constants,
            rows.targets.shape[1],
            architecture.tables.has_likelihood and likelihood.has_noise,
            problem.priors is not None,
            rule,
            rows.blend is not None,
            rows.offset is not None,
        )
        shapes = {name: value.shape for name, value in dense_weights.items()}
        sizes = [value.size for value in dense_weights.values()]
        rates = [_rate(name, shape, problem) for name, shape in shapes.items()]
        pulls = [
            weight_precision(*named, rows.total, problem.knots, architecture.n_outputs)
            / rows.total
            for named in shapes.items()
        ]
        data = loop.Data(
            codes=_tensor_of(rows.codes),
            rows=_tensor_of(_packed(rows)),
            tokens=tf.constant(_of_tokens(problem), tf.float32),
            **_blend(problem),
            most_taken=tf.constant(problem.most_taken, tf.float32),
            knots=dense.pieces(problem.knots, rows.numbers.shape[1]),
            sizes=tf.constant(sizes, tf.int32),
            rates=tf.constant(_by_weight(rates, shapes), tf.float32),
            pull=tf.constant(_by_weight(pulls, shapes), tf.float32),
            start=_flat(anchor),
            prior_rates=tf.constant(_prior_rates(problem), tf.float32),
            scale_spreads=tf.constant(_scale_spreads(problem), tf.float32),
            curve_start=tf.constant(problem.curves.start, tf.int32),
            basis=tf.constant(problem.curves.basis),
            pool=tf.constant(batches.pool),
        )
        return cls(problem, spec, shapes, data, others)

    def start(self, weights):
        """State at some weights."""
        kind, prior = tables.of_spec(self.spec), self._prior(weights.dense)
        packed = kind.packed(weights.table, prior)
        theta, rule = _flat(weights.dense), self.spec.rule
        slot = tf.fill(theta.shape, np.float32(rule.slot_start))
        return State(
            tf.Variable(packed, shape=[None, packed.shape[1]]),
            theta,
            (slot,) * rule.n_slots,
            tuple(tf.constant(value) for value in weights.state),
            tf.zeros([response.N_SUMS, self.problem.rows.codes.shape[1]]),
        )

    def kept(self, state):
        """A state in NumPy arrays, all of it."""
        parts = state.theta, state.known, *state.slots, *state.head
        return state.table.numpy(), [part.numpy() for part in parts], state.n_steps

    def restored(self, kept):
        """The state that `kept` was made of."""
        table, parts, n_steps = kept
        theta, known, *others = map(tf.constant, parts)
        n = self.spec.rule.n_slots
        table = tf.Variable(table, shape=[None, table.shape[1]])
        slots, head = tuple(others[:n]), tuple(others[n:])
        return State(table, theta, slots, head, known, n_steps)

    def advance(self, state, plan, held=None):
        """Make the steps of a plan.

        Parameters
        ----------
        state : State
        plan : Plan
        held : tuple of ndarrays, default=None
            Codes and all else of the rows that the plan is of, where it is not of all.

        Returns
        -------
        state : State
            The one that came in is used up.
        objectives : ndarray of float64 of shape (n_steps,)
            Per observation, before each step.
        """
        data, codes = self.data, self.problem.rows.codes
        if held is not None:
            codes = held[0]
            data = data._replace(**self._block(held))
        most = self.others.most_touched(codes, plan.order, self.problem.sizes)
        plan = plan._replace(most_touched=np.int32(most))
        theta, slots, head, known, objectives = loop.compiled(self.spec, self.others)(
            state.table.handle,
            state.theta,
            state.slots,
            state.head,
            state.known,
            data,
            Plan(*map(tf.constant, plan)),
        )
        n_steps = state.n_steps + len(plan.order)
        state = State(state.table, theta, slots, head, known, n_steps)
        # Whether to stop hangs on it: no two may read other digits.
        objectives = self.others.agreed(objectives.numpy())
        return state, objectives.astype(np.float64)

    def balanced(self, state):
        """Bring rows of the table that are summed to balance (see `nested`)."""
        if not self.problem.nestings:
            return
        kind, prior = tables.of_spec(self.spec), self._prior(self._named(state.theta))
        packed = state.table.numpy()
        state.table.assign(kind.balanced(packed, prior, self.problem.nestings))

    def _block(self, held):
        """A block of rows as tensors."""
        if not self.blocks or self.blocks[0] is not held:
            codes, others = map(tf.constant, held)
            self.blocks[:] = held, {"codes": codes, "rows": others}
        return self.blocks[1]

    def weights(self, state):
        """The weights of a state, in NumPy."""
        named = self._named(state.theta)
        kind, prior = tables.of_spec(self.spec), self._prior(named)
        weights = Weights(
            kind.unpacked(state.table.numpy(), prior),
            named,
            tuple(value.numpy() for value in state.head),
        )
        if self.problem.architecture.has_layers:
            return weights
        return weights.centred(self.problem.architecture, self.problem.sizes)

    def _named(self, theta):
        """The dense weights in NumPy, by name."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])
        parts = np.split(theta.numpy(), ends[:-1])
        named = zip(self.shapes.items(), parts, strict=True)
        return {name: part.reshape(shape).copy() for (name, shape), part in named}

    def _prior(self, dense_weights):
        """Priors of the rows of the table, under these prior scales."""
        problem = self.problem
        if problem.priors is not None:
            return problem.priors
        if not problem.architecture.tables.has_spread:
            return None
        width, sizes = problem.architecture.width, problem.sizes
        return LearnedPrior.of(dense_weights["prior"], width, sizes, problem.curves)


def _blend(problem):
    """Which coordinates vectors have, and how they are blended of rows of the table."""
    blend = problem.rows.blend
    factors, fields = np.zeros((0, 0)), np.zeros((0, 0))
    if blend is not None:
        factors, slots = blend
        fields = np.eye(slots.n_fields)[slots.field]
    found = {"mask": problem.mask, "factors": factors, "fields": fields}
    return {name: tf.constant(value, tf.float32) for name, value in found.items()}


def _prior_rates(problem):
    """1 for what is learned of the prior, else 0; (n_columns, 1, n_fields).

    The mean of a prior goes into the intercept. Where rows do not have all of it, once
    each, that is no place for it.
    """
    rates = np.tile(problem.prior_rates, (len(problem.sizes), 1, 1))
    if problem.moves is not None:  # Nothing is learned of rows that stay.
        blocks = np.repeat(np.arange(len(rates)), problem.sizes)
        rates[np.bincount(blocks, problem.moves, len(rates)) == 0.0] = 0.0
    if problem.scales_stay:
        early = np.setdiff1d(np.arange(len(rates)), problem.late)
        rates[early, :, Field.LOG_SCALE] = 0.0
    blend = problem.rows.blend
    if blend is not None:
        for block in range(len(rates)):
            total = blend.factors[:, blend.slots.of_block(block)].sum(axis=1)
            if not np.allclose(total, 1.0):
                rates[block, :, Field.MEAN] = 0.0
    return rates


def _rate(name, shape, problem):
    """What the steps of a dense weight are multiplied by."""
    if problem.frozen:
        return 0.0
    if name == "kernel_0":
        return ~np.isin(np.arange(shape[0]), problem.unread)[:, None]
    return settings.NOISE_RATE if name == "log_noise" else 1.0


def _scale_spreads(problem):
    """Spread of the density of the scale of each column's prior."""
    start = np.cumsum([0, *problem.sizes])[:-1]
    are_bins = start >= problem.curves.start
    return np.where(are_bins, settings.BIN_SPREAD, settings.TOKEN_SPREAD)


def _of_tokens(problem):
    """1 / count, multiplier of the rate, column and signs of each row of the table."""
    counts, moves = problem.counts, problem.moves
    signs = priors.signs(len(counts), problem.architecture.n_first)
    moves = np.ones(len(counts)) if moves is None else moves
    column = np.repeat(np.arange(len(problem.sizes)), problem.sizes)
    found = np.stack([1.0 / np.maximum(counts, 1e-30), moves, column], 1)
    return np.concatenate([found.astype(np.float32), signs], 1)


def _flat(dense_weights):
    return tf.constant(np.concatenate([v.ravel() for v in dense_weights.values()]))


def _packed(rows):
    parts = [rows.numbers, rows.targets, rows.weights[:, None]]
    if rows.offset is not None:
        parts.insert(1, rows.offset)
    out = aligned(len(rows.weights), sum(part.shape[1] for part in parts), np.float32)
    return np.concatenate(parts, axis=1, out=out, casting="unsafe")


def _tensor_of(array):
    """A tensor of an array that stays as it is: the same memory, where that can be."""
    if not is_aligned(array) or tf.config.list_logical_devices("GPU"):
        return tf.constant(array)
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def _by_weight(values, shapes):
    """One number for each dense weight, in the order of the flat vector."""
    pairs = zip(values, shapes.values(), strict=True)
    return np.concatenate([np.broadcast_to(v, shape).ravel() for v, shape in pairs])
