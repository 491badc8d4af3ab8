"""What is trained, on what, and how: frozen data in NumPy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._data.rows import Rows
from .._model.likelihoods import Likelihood
from .._model.network import Architecture, Knots
from .._model.tables import PosteriorTable
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
    loss_shift : float
        Added to the reported losses: what scaling y took from them.
    priors : PosteriorTable or None
        Prior of each table row; None: the learned one of its column.
    moves : ndarray of float64 of shape (n_table_rows,) or None
        0 for table rows that stay as they are, else 1; None: all move.
    frozen : bool
        Whether everything except the tables stays as it is.
    """

    architecture: Architecture
    likelihood: Likelihood
    rows: Rows
    counts: np.ndarray
    sizes: list
    mask: np.ndarray
    knots: Knots
    loss_shift: float = 0.0
    priors: PosteriorTable | None = None
    moves: np.ndarray | None = None
    frozen: bool = False


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
        Rows per step.
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
    epochs: int
    schedule: Schedule
    tol: float | None
    patience: int


def problem_of(fitted, rows, **more):
    """Problem of a network and rows in its units; `more` are fields of `Problem`."""
    scaled = fitted.architecture.tables.has_likelihood
    scaled = scaled and fitted.likelihood.location_scale
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
        **more,
    )


def table_counts(rows, n_table_rows):
    """Weighted number of observations of every table row."""
    n_columns = rows.codes.shape[1]
    return np.bincount(
        rows.codes.ravel(),
        weights=np.repeat(rows.weights, n_columns),
        minlength=n_table_rows,
    )


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
