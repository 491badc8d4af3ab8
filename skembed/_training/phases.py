"""A fit as a list of phases, each a problem and how it is trained.

To the engine, `fit`, `partial_fit`, `fold_in` and the encoder's tables learned anew are
all lists of phases.
"""

from dataclasses import dataclass, replace

from .. import _settings as settings
from .._data.rows import Observations, set_apart
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
    snapshot : bool
        Whether the network is kept as it stands at the end, settled (see `settled`).
    """

    problem: Problem
    options: Options
    snapshot: bool = False


def calibration_rows(fitted, rows):
    """Choose the rows that a fit learns last, or none where it learns all at once.

    Overfitting of the dense weights does not show in rows that they were trained on.
    It matters where there are few rows per weight, and many columns.

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
    blocks = [rows.codes, rows.numbers, rows.outcome]
    at, taken, left = set_apart(blocks, rows.weights, settings.HELD_BACK)
    if not taken.any():
        return None
    return rows.counted(at, taken), rows.counted(at, left)


def some_rows_last(fitted, others, problem, options):
    """Two phases: one without some rows, and one with all of them after it.

    Parameters
    ----------
    fitted : Fitted
        The untrained network.
    others : Observations
        The rows of the first phase.
    problem, options : Problem, Options
        Of all rows.
    """
    first = problem_of(fitted, rows_for(fitted, others))
    n_first = options.epochs
    n_last = max(1, round(settings.LAST_EPOCHS * n_first))
    options = replace(options, epochs=n_first + n_last)
    n_steps = [
        n * steps_per_epoch(part.rows.n_counted, options.batch_size)
        for n, part in ((n_first, first), (n_last, problem))
    ]
    old = options.schedule
    begun = Schedule.over(n_steps[0], old.decay, old.warm, old.cold)
    last = Schedule.over(n_steps[1], "cosine", cold=1.0)
    return [
        Phase(first, replace(options, schedule=begun), snapshot=True),
        Phase(problem, replace(options, schedule=last)),
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
    phase : Phase
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
    phase: Phase
    n_seen: float
    kept: Observations | None = None
    settles: bool = False
    says_all: bool = True
