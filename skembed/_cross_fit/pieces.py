"""What an encoder needs of rows that are read in pieces: folds, means, and a sample."""

from functools import reduce
from numbers import Integral

import numpy as np
from sklearn.model_selection import check_cv

from .. import _settings as settings
from .._data.spill import JoinedRows
from .._training.problem import table_counts
from .outside import Outside
from .target_means import TokenSums


def outcomes_of_kind(rows):
    """Outcomes that tell of which kind all of them are: each one once, or some numbers.

    Parameters
    ----------
    rows : Labelled
    """
    found = None
    for _, y, _ in rows.parts(rows.outcomes):
        if y.ndim == 2 or y.dtype.kind == "f":
            return y
        found = np.unique(y if found is None else np.concatenate([found, y]))
    return found


def number_of_folds(encoder):
    """How many folds its `cv` asks for; None where it wants to see all rows."""
    is_number = encoder.cv is None or isinstance(encoder.cv, Integral)
    if not (is_number and encoder.shuffle):
        return None
    return check_cv(encoder.cv).get_n_splits()


def refuse_positions(encoder, method, params):
    """Raise if folds are to be made of positions of rows that are not in memory.

    Parameters
    ----------
    encoder : EmbeddingEncoder
    method : str
    params : dict
        What the method got for the splitter.
    """
    why = f"more than are read at once ({settings.IN_MEMORY_CELLS:,} cells)"
    given = sorted(name for name, value in params.items() if value is not None)
    if given:
        raise ValueError(
            f"{', '.join(given)} and a splitter tell rows apart by their positions in "
            f"memory, and these are {why}. Pass the number of folds as cv, or fit on "
            "some groups and transform others."
        )
    if method == "fit_transform" and number_of_folds(encoder) is None:
        what = f"cv={encoder.cv!r}" if encoder.shuffle else "shuffle=False"
        raise ValueError(
            f"{what} makes folds of the positions of rows in memory, and these are "
            f"{why}. Pass the number of folds, such as cv=5: rows are then drawn into "
            "them by random_state."
        )


def sums_and_sample(predictor, rows, look, folds=None):
    """Sums of outcomes by token, fold by fold, and some of the rows.

    Parameters
    ----------
    predictor : BaseEmbedding
        Fitted on these rows.
    rows : Labelled
    look : Look
    folds : Folds, default=None
        None: all rows are in one.

    Returns
    -------
    sums : list of TokenSums
        Of each fold, about one centre.
    sample : Observations
    """
    sizes, rng = predictor._fitted.code_sizes, np.random.default_rng(0)
    share = min(
        1.0, settings.AXES_SPARE * settings.AXES_ROWS / predictor._fitted.n_seen
    )
    sums, sample = None, None
    for places, found in predictor._observed_in_pieces(rows, look):
        if sums is None:
            centre = np.average(found.outcome, axis=0, weights=found.weights)
            none = found.counted(np.arange(0), np.zeros(0))
            sums = [TokenSums.of(none, sizes, centre)] * (folds.n if folds else 1)
        fold = folds.of(places) if folds else np.zeros(len(places), int)
        for k in np.unique(fold):
            at = np.flatnonzero(fold == k)
            sums[k] = sums[k].more(found.counted(at, found.weights[at]), sizes)
        at = np.flatnonzero(rng.random(len(found.weights)) < share)
        some = found.counted(at, found.weights[at])
        sample = some if sample is None else sample.more(some)
    return sums, sample


def of_all(sums):
    """The sums of all folds together."""
    return reduce(TokenSums.plus, sums).recentred()


def outside_on_disk(parts, fitted, sums, centre, is_strict):
    """The rows outside of each fold, as they lie on the disk.

    Parameters
    ----------
    parts : list of SpilledRows
        The rows of each fold.
    fitted : Fitted
    sums : list of TokenSums
        Of each fold.
    centre : ndarray of shape (n_outputs,) or None
        What means are counted from; None: there are to be none.
    is_strict : bool
        Whether rows that have changed their folds since `sums` are refused.

    Yields
    ------
    outside : Outside
    """
    n_table_rows = len(fitted.weights.table.mean)
    counts = [table_counts(part, n_table_rows) for part in parts]
    if is_strict:
        _refuse_another_order(counts, sums)
    for k in range(len(parts)):
        others = [i for i in range(len(parts)) if i != k]
        yield Outside(
            k,
            JoinedRows([parts[i] for i in others]),
            sum(counts[i] for i in others),
            None if centre is None else _about(centre, [sums[i] for i in others]),
        )


def _about(centre, sums):
    return reduce(TokenSums.plus, sums).recentred(centre)


def _refuse_another_order(counts, sums):
    """Raise if the tokens of the folds are not those of the pass before."""
    for now, before in zip(counts, sums, strict=True):
        before = np.concatenate([np.zeros(0), *before.counts])
        if not np.allclose(now[: len(before)], before, rtol=1e-3):
            raise ValueError(
                "X gives its rows in another order each time, so that no row stays in "
                "its fold. Sort it by a column that tells rows apart, or write it to a "
                "file first."
            )
