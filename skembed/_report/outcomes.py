"""Outcomes of the rows of each token: their means, and some of them to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier

from .. import _settings as settings

__all__ = ["RowOutcomes", "as_outcomes", "row_outcomes"]


@dataclass(frozen=True, eq=False)
class RowOutcomes:
    """What was observed in the rows of the tokens of a column.

    Attributes
    ----------
    n_rows : ndarray of int64 of shape (n_tokens,)
        Rows of each token in the X that was given.
    mean : ndarray of shape (n_tokens, n_outputs)
        Their mean outcome (the shares of the classes), NaN without rows.
    starts : ndarray of int64 of shape (n_tokens + 1,)
        Where each token's outcomes begin in `values`.
    values : ndarray of float32 of shape (n_values,) or None
        Outcomes of some of its rows, in ascending order; None where there are classes
        or several outcomes.
    """

    n_rows: np.ndarray
    mean: np.ndarray
    starts: np.ndarray
    values: np.ndarray | None


def as_outcomes(estimator, y):
    """Return y as the estimator predicts it, float64 (n_rows, n_outputs).

    Classes become one indicator per class.
    """
    if is_classifier(estimator):
        classes = np.asarray(estimator.classes_)
        return (np.asarray(y).reshape(-1, 1) == classes[None, :]).astype(np.float64)
    y = np.asarray(y, dtype=np.float64)
    return y.reshape(len(y), -1)


def row_outcomes(codes, outcomes, n_tokens):
    """Sort the outcomes of rows by token.

    Parameters
    ----------
    codes : ndarray of int64 of shape (n_rows,)
        Token of each row; rows of others have -1.
    outcomes : ndarray of shape (n_rows, n_outputs)
    n_tokens : int
    """
    known = codes >= 0
    codes, outcomes = codes[known], outcomes[known]
    n_rows = np.bincount(codes, minlength=n_tokens)
    sums = [np.bincount(codes, column, n_tokens) for column in outcomes.T]
    with np.errstate(invalid="ignore"):
        mean = np.stack(sums, axis=1) / n_rows[:, None]
    if outcomes.shape[1] > 1:
        return RowOutcomes(n_rows, mean, np.zeros(n_tokens + 1, np.int64), None)
    most = _most_per_token(n_rows)
    order = np.lexsort((outcomes[:, 0], codes))
    first = np.cumsum(n_rows) - n_rows
    kept = np.minimum(n_rows, most)
    starts = np.concatenate([[0], np.cumsum(kept)])
    # Of many outcomes every so-manieth, from the least to the greatest.
    rank = np.arange(starts[-1]) - np.repeat(starts[:-1], kept)
    spread = np.repeat(
        np.where(kept > 1, (n_rows - 1) / np.maximum(kept - 1, 1), 0), kept
    )
    at = np.repeat(first, kept) + np.round(rank * spread).astype(np.int64)
    values = outcomes[order[at], 0].astype(np.float32)
    return RowOutcomes(n_rows, mean, starts, values)


def _most_per_token(n_rows):
    """Return how many outcomes of a token may be kept, so that all take little room."""
    budget = settings.REPORT_LIST_BYTES // 4
    most = settings.REPORT_OUTCOMES
    while most > 2 and np.minimum(n_rows, most).sum() > budget:
        most = int(most * 0.8)
    return most
