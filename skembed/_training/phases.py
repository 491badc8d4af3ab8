"""A fit as a list of phases, each a problem and how it is trained.

To the engine, `fit`, `partial_fit`, `fold_in` and the encoder's tables learned anew are
all lists of phases.
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import _settings as settings
from .._data.rows import Observations, set_apart
from .._model.leverage import is_seen_at_once
from .parts import FirstOrder
from .problem import Options, Problem, problem_of
from .rows import rows_for
from .schedule import Schedule, steps_per_epoch


@dataclass(frozen=True, eq=False)
class Phase:
    """A stretch of training.

    Attributes
    ----------
    problem : Problem
    options : Options
    part : FirstOrder or None
        Of the network, to be trained; None: all that is not idle (see `part_read`).
    snapshot : bool
        Whether the network is kept as it stands at the end, settled (see `settled`).
    always : bool
        Whether it is run even where something has stopped the training before it.
    loosens : bool
        Whether it begins with first-order effects nearer to their prior (see
        `loosened`).
    """

    problem: Problem
    options: Options
    part: FirstOrder | None = None
    snapshot: bool = False
    always: bool = False
    loosens: bool = False


def additive_first(problem, recipe):
    """The additive part to its optimum first, and then the layers with it.

    Trained from the start, layers take first-order effects, which they extrapolate
    badly, and learn small and nested tables by heart.

    Parameters
    ----------
    problem : Problem
    recipe : Recipe

    Returns
    -------
    phases : list of Phase
    """
    options, shape = recipe.options(problem), problem.architecture
    if shape.head is not None or not shape.has_direct_terms:
        return [Phase(problem, options)]
    if _says_it_all(problem):
        return [Phase(problem, options, FirstOrder(layers_follow=False))]
    n = settings.ADDITIVE_EPOCHS * options.epochs
    if recipe.is_auto:
        enough = settings.ADDITIVE_ROWS / problem.rows.n_counted
        n = min(max(n, enough), settings.ADDITIVE_MORE * n)
    n = round(n)
    if not recipe.is_auto:  # of the epochs that are given, not beside them
        options = recipe.options(problem, options.epochs - n)
    options = replace(options, epochs=options.epochs + n)
    if not n:
        return [Phase(problem, options)]
    n_steps = n * steps_per_epoch(problem.rows.n_counted, options.batch_size)
    schedule = Schedule.over(n_steps, options.schedule.decay)
    first = replace(problem, moves=problem.moves_early)
    found = problem.likelihood.scales_stay and n >= settings.SCALES_FOUND
    problem = replace(problem, scales_stay=found)
    return [
        Phase(first, replace(options, schedule=schedule), FirstOrder(True)),
        Phase(problem, options, loosens=True),
    ]


def _says_it_all(problem):
    """Whether the first-order term of one column is all that there is to learn."""
    shape = problem.architecture
    one = len(problem.sizes) == 1 and problem.rows.numbers.shape[1] == 0
    one = one and problem.rows.blend is None  # layers tell mixed cells apart
    return one and shape.n_first == shape.n_outputs


def calibration_rows(fitted, rows):
    """Choose the rows that a fit learns last, or none where it learns all at once.

    Overfitting of the dense weights does not show in rows that they were trained on.
    It matters where there are few rows per weight, and many columns. Of very few rows
    it is computed what each has given (see `joint_leverage`), and none is set apart.

    Parameters
    ----------
    fitted : Fitted
        The untrained network.
    rows : Observations

    Returns
    -------
    last, others : Observations, or None
    """
    n_dense = sum(value.size for value in fitted.weights.dense.values())
    most, n = settings.HELD_BACK_ROWS_PER_WEIGHT * n_dense, rows.weights.sum()
    if not settings.HELD_BACK_ROWS <= n <= most:
        return None
    if len(fitted.mask) < settings.HELD_BACK_COLUMNS:
        return None
    blocks = [*rows.cells, rows.outcome]
    at, taken, left = set_apart(blocks, rows.weights, settings.HELD_BACK)
    if not taken.any() or is_seen_at_once(fitted, rows):
        return None
    return rows.counted(at, taken), rows.counted(at, left)


def last_rows(rows, fraction):
    """The last rows in their order, to be learned last, and all others."""
    n = len(rows.weights)
    n_last = round(fraction * n)
    if not 0 < n_last < n:
        raise ValueError(
            f"validation_rows='last' leaves {n_last} of {n} rows to calibrate "
            f"intervals by and {n - n_last} to learn from before them, at a "
            f"validation_fraction of {fraction}; both must be at least 1."
        )
    at = np.arange(n)
    last = (at >= n - n_last) * rows.weights
    return rows.counted(at, last), rows.counted(at, rows.weights - last)


def some_rows_last(fitted, others, problem, recipe):
    """A fit without some rows, and a phase with all of them after it.

    Parameters
    ----------
    fitted : Fitted
        The untrained network.
    others : Observations
        The rows of the first phases.
    problem : Problem
        Of all rows.
    recipe : Recipe
    """
    before = additive_first(problem_of(fitted, rows_for(fitted, others)), recipe)
    options = recipe.options(problem)
    n = max(1, round(settings.LAST_EPOCHS * options.epochs))
    n_steps = n * steps_per_epoch(problem.rows.n_counted, options.batch_size)
    schedule = Schedule.over(n_steps, "cosine")
    before[-1] = replace(before[-1], snapshot=True)
    problem = replace(problem, scales_stay=before[-1].problem.scales_stay)
    last = Phase(problem, replace(options, schedule=schedule), always=True)
    epochs = before[0].options.epochs + n
    return [
        replace(phase, options=replace(phase.options, epochs=epochs))
        for phase in (*before, last)
    ]


@dataclass(frozen=True, eq=False)
class Continued:
    """What is to be trained where a network is there already.

    Attributes
    ----------
    fitted : Fitted
        The network to go on from, with rows for new tokens.
    rows : Observations
        What is learned from.
    phases : list of Phase
    n_seen : float
        Weight of all rows seen after it.
    kept : Observations or None
        Rows to be learned from again with the next chunk.
    settles : bool
        Whether table rows without observations go to their prior afterwards.
    says_all : bool
        Whether its rows are all that the network has seen, or replace what it had.
    """

    fitted: object
    rows: Observations
    phases: list
    n_seen: float
    kept: Observations | None = None
    settles: bool = False
    says_all: bool = True
