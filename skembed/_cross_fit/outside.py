"""What is learned anew for each fold: vectors and mean outcomes of the rows outside."""

from typing import NamedTuple

import numpy as np

from .._data.columns import as_table, take
from .._training.rows import rows_for
from .target_means import TokenSums
from .tasks import counts_of


class Outside(NamedTuple):
    """The rows outside of a fold.

    Attributes
    ----------
    fold : object
        Whatever says which rows are in it.
    rows : Rows or JoinedRows
    counts : ndarray of float64 of shape (n_table_rows,)
        Weight of the rows behind every row of the table.
    sums : TokenSums or None
        Of these rows.
    """

    fold: object
    rows: object
    counts: np.ndarray
    sums: TokenSums | None


class Learned(NamedTuple):
    """What has been learned outside of a fold.

    Attributes
    ----------
    fold, counts, sums
        As in `Outside`.
    network : Fitted
    """

    fold: object
    network: object
    counts: np.ndarray
    sums: TokenSums | None


def outside_in_memory(predictor, X, y, sample_weight, pairs, sums):
    """The rows outside of each fold, `pairs` being positions outside and inside.

    Parameters
    ----------
    predictor : BaseEmbedding
        Fitted on all rows.
    X, y, sample_weight
        All rows.
    pairs : list of (ndarray, ndarray)
    sums : TokenSums or None
        Of all rows.

    Yields
    ------
    outside : Outside
    """
    table, fitted = as_table(X), predictor._fitted
    for train, test in pairs:
        weights = sample_weight
        if weights is not None:
            weights = np.asarray(weights)[train]
        found = predictor._observed(take(table, train), y[train], weights)
        own = sums and TokenSums.of(found, fitted.code_sizes, sums.centre)
        yield Outside(test, rows_for(fitted, found), counts_of(fitted, found), own)


def learned_by_fold(predictor, outside, seed):
    """What is learned of the rows outside of each fold, all else being frozen.

    Parameters
    ----------
    predictor : BaseEmbedding
        Fitted on all rows.
    outside : iterable of Outside
    seed : int
        The same for every fold.

    Returns
    -------
    learned : list of Learned
    """
    learned = []
    for fold, rows, counts, sums in outside:
        rng = np.random.default_rng(seed)
        network = predictor._learned_anew(predictor._fitted, rows, rng)
        learned.append(Learned(fold, network, counts, sums))
    return learned
