"""Rows in which tokens are compared: some of the user's, or made up where none are."""

from __future__ import annotations

import numpy as np

from .. import _settings as settings
from .._data.cells import as_objects
from .._data.columns import as_table
from .._plot._fitted import as_objects as object_array
from .._plot._fitted import cells
from .._space.profiles import ReferenceRows

__all__ = ["made_up_rows", "reference_rows", "unknown_outcome"]

# A token that no column has; where one does, it is not taken for unknown.
_UNKNOWN = "a token that fit has not seen"


def reference_rows(estimator, table, X):
    """Return the reference rows of a column, as `TokenSimilarity` draws them."""
    rng = np.random.RandomState(settings.REPORT_SEED)
    n = settings.REPORT_REFERENCE
    return ReferenceRows(estimator, table.column, X, None, n, rng)


def made_up_rows(estimator, tables):
    """Return rows that stand in for the data: every column drawn by itself.

    Tokens are drawn as often as they were seen, numbers from the quantiles that fit
    has kept.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    tables : list of TokenTable
        All its columns of tokens.
    """
    rng = np.random.default_rng(settings.REPORT_SEED)
    X = np.empty((settings.REPORT_REFERENCE, estimator.n_features_in_), dtype=object)
    for table in tables:
        share = table.counts / table.counts.sum()
        drawn = table.tokens[rng.choice(len(table), len(X), p=share)]
        X[:, table.column] = as_objects(drawn)
    numbers = np.flatnonzero(~np.asarray(estimator.is_categorical_))
    fitted = getattr(estimator, "_fitted", None)
    if len(numbers) and fitted is None:
        raise ValueError(
            f"{type(estimator).__name__} does not say which numbers its columns "
            f"{numbers.tolist()} hold: pass X, the rows that it was fitted on."
        )
    for k, column in enumerate(numbers):
        values = fitted.encoder.scales[k].typical()
        X[:, column] = rng.choice(values, len(X)).tolist()
    return X


def unknown_outcome(rows, table):
    """Return the outcomes of an unknown token, (n_rows, n_outputs), or None.

    None stands for an estimator that refuses unknown tokens.
    """
    if table.refuses_unknown or (table.codes([_UNKNOWN]) >= 0).any():
        return None
    some = [cells(rows.X, j)[rows.rows] for j in range(as_table(rows.X).shape[1])]
    X = np.column_stack([object_array(column) for column in some])
    X[:, rows.column] = _UNKNOWN
    predict = getattr(rows.estimator, "predict_proba", rows.estimator.predict)
    return np.asarray(predict(X), dtype=np.float64).reshape(len(X), -1)
