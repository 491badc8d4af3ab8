"""Training, from NumPy arrays to NumPy arrays."""

from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from .._data.features import Encoded
from .._model.network import Knots, Weights
from .._settings import MIN_LOG_NOISE
from .._training.schedule import StopRule, steps_per_epoch
from . import dense, loop, losses

CHUNK = 256  # steps a call at most, where nothing has to look in between
HYPER_RATE = 10.0  # the noise scale learns this much faster than the head
PULL = 0.03  # precision of the kernels about their start, over Glorot's
FEW = 500.0  # below so many rows it is larger, in proportion
SCALE_PACE = 4.0  # pace of the prior scales, per epoch
MAX_POOL = 1 << 22


@dataclass
class Problem:
    """What is trained, and on what.

    Attributes
    ----------
    architecture : Architecture
    likelihood : Likelihood
    rows : Rows
        Merged rows; codes are rows of the table.
    counts : ndarray of shape (n_table_rows,)
        Weighted number of observations of each row of the table.
    sizes : list of int
        Rows of the table that belong to each column.
    mask : ndarray of shape (n_columns, width)
        0 where a column's vectors are shorter than the widest.
    knots : Knots
    loss_shift : float
        Added to the reported losses: what scaling y took from them.
    priors : tuple of ndarray, or None
        Mean and precision of each token's own prior, (n_table_rows, width).
    row_multiplier : ndarray of shape (n_table_rows,) or None
        0 for tokens that stay as they are.
    frozen : bool
        Whether all but the tables stays as it is.
    """

    architecture: object
    likelihood: object
    rows: object
    counts: np.ndarray
    sizes: list
    mask: np.ndarray
    knots: Knots
    loss_shift: float = 0.0
    priors: tuple | None = None
    row_multiplier: np.ndarray | None = None
    frozen: bool = False


@dataclass
class Options:
    """How it is trained."""

    rule: object
    learning_rate: object  # a float, or a function of the step's number
    row_rate: float
    batch_size: int
    schedule: object
    epochs: int
    tol: float | None
    patience: int
    rng: np.random.Generator
    look: object = None  # called after every epoch; truthy: stop


@dataclass
class Run:
    """A training run under way: what hooks may read and change."""

    problem: Problem
    options: Options
    loss_curve: list = field(default_factory=list)
    learning_rate_factor: float = 1.0
    stopped: bool = False  # by what looks at it

    def __post_init__(self):
        problem, options = self.problem, self.options
        rows = problem.rows
        self.n_rows = len(rows.weights)
        self.steps_per_epoch = steps_per_epoch(rows.total, options.batch_size)
        self._begun = len(self.loss_curve)
        self.batch = min(options.batch_size, self.n_rows)
        self._waiting = np.zeros(0, np.int32)
        # One each: what is drawn does not depend on how many epochs a call trains.
        self._order_rng, self._noise_rng = options.rng.spawn(2)

    def start(self, weights, held_to=None):
        """Put the weights and the data where TensorFlow works on them.

        The kernels are held to those of `held_to`, or to where they start.
        """
        problem, options = self.problem, self.options
        architecture, rows = problem.architecture, problem.rows
        posterior = architecture.posterior
        self.spec = loop.Spec(
            architecture,
            problem.likelihood.name,
            problem.likelihood.constants,
            rows.targets.shape[1],
            posterior and problem.likelihood.has_noise,
            problem.priors is not None,
            dense.blocks_for(
                architecture, self.batch, len(problem.mask), weights.dense
            ),
            options.rule,
        )
        self._run = loop.compiled(self.spec)
        self.names = list(weights.dense)
        self.shapes = [value.shape for value in weights.dense.values()]
        sizes = [value.size for value in weights.dense.values()]
        self.ends = np.cumsum(sizes)
        self.table = self._make_table(weights)
        self.theta = _flat(weights)
        self._held_to = self.theta if held_to is None else held_to
        slot = tf.fill(self.theta.shape, np.float32(options.rule.slot_start))
        self.slots = (slot,) * options.rule.n_slots
        self.state = tuple(tf.constant(v) for v in weights.state)
        pull = [
            self._pull(*named) for named in zip(self.names, self.shapes, strict=True)
        ]
        rates = np.repeat([self._rate(name) for name in self.names], sizes)
        noise = self.batch * max(
            problem.mask.size if posterior else 0, architecture.n_outputs
        )
        pool = min(max(64 * noise, 1 << 16), max(MAX_POOL, 2 * noise))
        # Outside of the posterior nothing reads it.
        pool = options.rng.standard_normal(pool if posterior else 1, dtype=np.float32)
        self._last_offset = max(len(pool) - noise, 0)
        multiplier = problem.row_multiplier
        if multiplier is None:
            multiplier = np.ones(len(problem.counts))
        inverse = 1.0 / np.maximum(problem.counts, 1e-30)
        column = np.repeat(np.arange(len(problem.sizes)), problem.sizes)
        self.data = loop.Data(
            codes=tf.constant(rows.codes, tf.int32),
            rows=tf.constant(_packed(rows)),
            tokens=tf.constant(np.stack([inverse, multiplier, column], 1), tf.float32),
            mask=tf.constant(problem.mask, tf.float32),
            knots=dense.pieces(problem.knots, rows.numbers.shape[1]),
            sizes=tf.constant(sizes, tf.int32),
            rates=tf.constant(rates, tf.float32),
            pull=tf.constant(np.repeat(pull, sizes), tf.float32),
            start=self._held_to,
            pool=tf.constant(pool),
        )
        self.steps = 0

    def _rate(self, name):
        """What a weight's steps are multiplied by."""
        if self.problem.frozen:
            return 0.0
        return HYPER_RATE if name == "log_noise" else 1.0

    def _pull(self, name, shape):
        """Gradient, per observation, of what holds a kernel to its start.

        A normal prior about where it starts, of Glorot's variance over `PULL`. On
        tens of thousands of rows it only holds back what makes small tables be learned
        by heart; a hundred rows leave the layers almost at their start.
        """
        if not name.startswith("kernel"):
            return 0.0
        n = self.problem.rows.total
        return PULL * max(FEW / n, 1.0) / n * sum(shape) / 2.0

    def _make_table(self, weights):
        """The table with all that belongs to a row beside it, as a variable."""
        n, width = weights.mean.shape
        if self.problem.architecture.posterior:
            parts = [weights.precision, *(self.problem.priors or ())]
            n_extra, start = 0, 0.0
        else:
            parts, n_extra = [], self.options.rule.n_slots
            start = self.options.rule.slot_start
        full = np.full((n, width * (1 + len(parts) + n_extra)), start, np.float32)
        for i, part in enumerate([weights.mean, *parts]):
            full[:, width * i : width * (i + 1)] = part
        return tf.Variable(full, shape=[None, full.shape[1]])

    def weights(self):
        """The weights as they are now, in NumPy."""
        width = self.problem.architecture.width
        table = self.table.numpy()
        posterior = self.problem.architecture.posterior
        return Weights(
            table[:, :width].copy(),
            table[:, width : 2 * width].copy() if posterior else None,
            self.dense(),
            tuple(value.numpy() for value in self.state),
        )

    def dense(self):
        parts = np.split(self.theta.numpy(), self.ends[:-1])
        return {
            name: part.reshape(shape).copy()
            for name, part, shape in zip(self.names, parts, self.shapes, strict=True)
        }

    def restore(self, weights):
        """Put these weights in the place of the present ones."""
        table = self.table.numpy()
        width = weights.mean.shape[1]
        table[:, :width] = weights.mean
        if weights.precision is not None:
            table[:, width : 2 * width] = weights.precision
        self.table.assign(table)
        self.theta = _flat(weights)
        self.state = tuple(tf.constant(v) for v in weights.state)

    def advance(self, n_epochs):
        """Train `n_epochs` in one call; their losses are added to the curve."""
        options, rows = self.options, self.problem.rows
        n = n_epochs * self.steps_per_epoch
        temper = options.schedule.temper(n)
        factors = options.schedule.take(n)
        base = options.learning_rate
        if callable(base):
            base = np.array([base(self.steps + i) for i in range(n)])
        mean_weight = rows.total / self.n_rows
        batch_weight = self.batch * mean_weight
        plan = loop.Plan(
            order=tf.constant(self._order(n)),
            learning_rates=tf.constant(
                factors * base * self.learning_rate_factor, tf.float32
            ),
            row_rates=tf.constant(
                factors * options.row_rate * self.learning_rate_factor, tf.float32
            ),
            temper=tf.constant(temper),
            offsets=tf.constant(
                self._noise_rng.integers(0, self._last_offset + 1, n), tf.int32
            ),
            first_step=tf.constant(self.steps, tf.int32),
            per_observation=tf.constant(1.0 / batch_weight, tf.float32),
            batch_share=tf.constant(
                rows.total / self.steps_per_epoch / batch_weight, tf.float32
            ),
            scale_rate=tf.constant(
                min(1.0, SCALE_PACE / self.steps_per_epoch) * (not self.problem.frozen),
                tf.float32,
            ),
        )
        self.theta, self.slots, self.state, totals, _ = self._run(
            self.table.handle, self.theta, self.slots, self.state, self.data, plan
        )
        self.steps += n
        losses = totals.numpy().astype(np.float64).reshape(n_epochs, -1).mean(axis=1)
        losses += self.problem.loss_shift
        self.loss_curve.extend(losses.tolist())
        if not np.isfinite(losses).all():
            raise FloatingPointError(
                f"The loss became {losses[-1]} in epoch {len(self.loss_curve)}: the "
                "training diverged. Lower learning_rate, or scale y."
            )

    def _order(self, n_steps):
        """Rows of the next steps: one permutation of all rows after the other."""
        if self.batch == self.n_rows:
            return np.tile(np.arange(self.n_rows, dtype=np.int32), (n_steps, 1))
        needed = n_steps * self.batch
        parts, have = [self._waiting], len(self._waiting)
        while have < needed:
            order = self._order_rng.permutation(self.n_rows).astype(np.int32)
            parts.append(order)
            have += len(order)
        stream = np.concatenate(parts)
        self._waiting = stream[needed:]
        return stream[:needed].reshape(n_steps, self.batch)

    def train(self):
        """Epochs until the schedule ends or something says stop."""
        options, schedule = self.options, self.options.schedule
        stop = StopRule(options.tol, options.patience)
        # The rule looks at the same epochs however many of them one call trains.
        every = max(1, CHUNK // self.steps_per_epoch)
        while not schedule.done:
            block = min(every, schedule.epochs_left(self.steps_per_epoch))
            for n in [1] * block if options.look else [block]:
                self.advance(n)
                if options.look and options.look(self):
                    self.stopped = True
                    return
            if not schedule.finishing and stop(self.loss_curve[self._begun :]):
                schedule.finish(self.steps_per_epoch)

    def go_on(self, problem, options):
        """A run on other rows, begun where this one ended."""
        run = Run(problem, options, self.loss_curve, self.learning_rate_factor)
        run.start(self.weights(), self._held_to)
        return run


def loss(fitted, problem):
    """Loss per observation of rows that are not trained on, vectors at their means.

    In the units of `Run.loss_curve`: the KL divergence is not a part of it.
    """
    likelihood, rows = problem.likelihood, problem.rows
    codes = rows.codes - fitted.predictor.offsets
    f = fitted.predictor.outputs(Encoded(codes, rows.numbers))
    log_noise = None
    if fitted.architecture.posterior and likelihood.has_noise:
        log_noise = fitted.weights.dense["log_noise"].astype(np.float64)
        log_noise = tf.constant(np.maximum(log_noise, MIN_LOG_NOISE))
    function = losses.FUNCTIONS[likelihood.name]
    values = function(
        tf.constant(f), tf.constant(rows.targets), log_noise, **likelihood.params
    )
    mean = np.average(values.numpy(), weights=rows.weights)
    return float(mean) + problem.loss_shift


def _flat(weights):
    return tf.constant(np.concatenate([v.ravel() for v in weights.dense.values()]))


def _packed(rows):
    parts = [rows.numbers, rows.targets, rows.weights[:, None]]
    return np.concatenate(parts, axis=1, dtype=np.float32, casting="unsafe")
