"""What is trained, on what, and how: frozen data in NumPy."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .. import _settings as settings
from .._data.memory import pieces
from .._data.rows import Rows
from .._data.spill import blocks_of
from .._model.likelihoods import Likelihood
from .._model.network import Architecture, Knots, initial_weights, unread_inputs
from .._model.prior import N_FIELDS, N_WAVES, Curves, Field
from .._model.tables import PosteriorTable
from .nested import nestings_of
from .schedule import Schedule


@dataclass(frozen=True, eq=False)
class Problem:
    """What is trained, and on what.

    Attributes
    ----------
    architecture : Architecture
    likelihood : Likelihood
    rows : Rows
        Merged rows; their codes are positions of table rows.
    counts : ndarray of float64 of shape (n_table_rows,)
        Weighted number of observations of each table row.
    sizes : list of int
        Number of table rows of each column.
    mask : ndarray of float32 of shape (n_columns, width)
        0 where a column's vectors are shorter than the widest.
    knots : Knots
    curves : Curves
        Of the bins of numbers.
    unread : ndarray of int of shape (n_unread,)
        Inputs that the layers do not read.
    late : range
        Blocks of the table that are learned with the layers, and not before them.
    most_taken : float
        Of the residual of a row, by all of its vectors together in one step.
    loss_shift : float
        Added to the reported losses: what scaling y took from them.
    priors : PosteriorTable or None
        Prior of each table row; None: the learned one of its column.
    moves : ndarray of float64 of shape (n_table_rows,) or None
        0 for table rows that stay as they are, else 1; None: all move.
    frozen : bool
        Whether everything except the tables stays as it is.
    scales_stay : bool
        Whether the scales of the priors stay, but for those of `late` blocks.
    nestings : tuple of Nesting
        Rows of the table that are brought to balance after every epoch.
    """

    architecture: Architecture
    likelihood: Likelihood
    rows: Rows
    counts: np.ndarray
    sizes: list
    mask: np.ndarray
    knots: Knots
    curves: Curves
    unread: np.ndarray
    late: range
    most_taken: float
    loss_shift: float = 0.0
    priors: PosteriorTable | None = None
    moves: np.ndarray | None = None
    frozen: bool = False
    scales_stay: bool = False
    nestings: tuple = ()

    @property
    def moves_early(self):
        """`moves` before the layers are learned."""
        if not self.late:
            return self.moves
        moves = np.ones(len(self.counts)) if self.moves is None else self.moves.copy()
        starts = np.cumsum([0, *self.sizes])
        moves[starts[self.late.start] : starts[self.late.stop]] = 0.0
        return moves

    @property
    def prior_rates(self):
        """1 for what is learned of the prior, else 0; (N_FIELDS + N_WAVES,)."""
        rates = np.zeros(N_FIELDS + N_WAVES)
        rates[[Field.LOG_SCALE, Field.LOG_SHARE]] = 1.0
        # Layers would take its mean for an effect of every token.
        if not self.architecture.has_layers:
            rates[:] = 1.0
        return rates


@dataclass(frozen=True, eq=False)
class Options:
    """How it is trained.

    Attributes
    ----------
    rule : object
        Update rule of the dense weights, as the engine knows it; hashable.
    learning_rate : float or callable
        Of the dense weights, before the schedule; or a function of the step's number.
    batch_size : int
        Rows per step, at first.
    most_rows : int
        Rows per step up to which it grows (see `Schedule.doublings`).
    epochs : int
        Passes over the rows at most.
    schedule : Schedule
    tol : float or None
        In units of the loss; None never stops.
    patience : int
        Epochs that `tol` waits.
    """

    rule: object
    learning_rate: float | Callable
    batch_size: int
    most_rows: int
    epochs: int
    schedule: Schedule
    tol: float | None
    patience: int


def problem_of(fitted, rows, **more):
    """Problem of a network and rows in its units; `more` are fields of `Problem`."""
    scaled = fitted.architecture.tables.has_likelihood
    scaled = scaled and fitted.likelihood.location_scale
    most_taken = settings.MOST_TAKEN
    if fitted.encoder.direct_blocks:
        most_taken = settings.MOST_TAKEN_DIRECT
    nestings = ()
    # Rows with priors of their own, or that stay, have nothing to exchange.
    learned = fitted.architecture.tables.has_spread
    if learned and more.get("priors") is None and more.get("moves") is None:
        nestings = nestings_of(fitted.encoder, rows, fitted.encoder.column_sizes)
    return Problem(
        # A density of y / scale is not a density of y.
        loss_shift=float(np.log(fitted.scale).sum()) if scaled else 0.0,
        architecture=fitted.architecture,
        likelihood=fitted.likelihood,
        rows=rows,
        counts=table_counts(rows, len(fitted.weights.table.mean)),
        sizes=fitted.encoder.column_sizes,
        mask=fitted.mask,
        knots=fitted.predictor.knots,
        curves=fitted.curves,
        unread=unread_inputs(fitted.architecture, fitted.encoder),
        late=fitted.encoder.late_blocks,
        most_taken=most_taken,
        nestings=nestings,
        **more,
    )


def table_counts(rows, n_table_rows):
    """Weighted number of observations of every table row."""
    counts = np.zeros(n_table_rows)
    for codes, weights in _uses(rows):
        # Added one by one: the same digits however many rows come at a time.
        np.add.at(counts, codes.ravel(), weights.ravel())
    return counts


def _uses(rows):
    """Rows of the table that some rows use, and the weight of each use."""
    if hasattr(rows, "block"):
        for codes, others in blocks_of(rows):
            weights = others[:, -1:].astype(np.float64)
            yield codes, np.broadcast_to(weights, codes.shape)
        return
    for at in pieces(len(rows.weights)):
        codes = rows.codes[at]
        weights = np.broadcast_to(rows.weights[at, None], codes.shape)
        if rows.blend is not None:
            weights = weights * (rows.blend.factors[at] != 0.0)
        yield codes, weights


def loosened(fitted):
    """The network with its first-order effects a little nearer to their prior."""
    table, prior = fitted.weights.table, fitted.prior.all_rows.mean
    n, mean = fitted.architecture.n_first, table.mean.copy()
    kept = np.float32(settings.EFFECTS_KEPT)
    mean[:, :n] = prior[:, :n] + kept * (mean[:, :n] - prior[:, :n])
    return fitted.with_table(replace(table, mean=mean))


def begun_again(fitted, problem, rng):
    """The network untrained, to be trained on all rows of a problem."""
    dense, likelihood, rows = fitted.weights.dense, fitted.likelihood, problem.rows
    weights = initial_weights(
        fitted.architecture,
        len(fitted.weights.table.mean),
        {name: value.shape for name, value in dense.items()},
        rng,
        intercept=likelihood.intercept(rows.targets, rows.weights),
        n_token_blocks=fitted.encoder.n_token_blocks,
        unread=unread_inputs(fitted.architecture, fitted.encoder),
    )
    return fitted.with_weights(weights)


def settled(fitted, problem):
    """The network with its table rows without observations settled.

    Under a prior they go to the prior itself; without one, to the mean of the column's
    vectors, weighted by how often each was seen.
    """
    counts = problem.counts
    if problem.priors is not None and problem.moves is not None:
        # What stays as it is has nothing to settle.
        counts = np.where(problem.moves > 0, counts, 1.0)
    prior = fitted.prior if problem.priors is None else problem.priors
    table = fitted.weights.table.settled(counts, problem.sizes, prior)
    return fitted.with_table(table)
