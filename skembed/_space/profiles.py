"""Predicted outcomes of every token in the same rows: tokens that act alike."""

from __future__ import annotations

import numpy as np

from .. import _settings as settings
from .._data.columns import is_frame

__all__ = ["outcome_profiles"]


def outcome_profiles(estimator, table, X, sample_weight, n_reference, rng):
    """Predict the outcome of reference rows with every token put into them.

    Parameters
    ----------
    estimator : estimator
        Fitted; asked through `predict_proba` where it has one, else `predict`.
    table : TokenTable
        The column whose tokens are put in.
    X : table of shape (n_samples, n_features)
        Where the reference rows are taken from.
    sample_weight : ndarray of shape (n_samples,) or None
        How much each row counts.
    n_reference : int
        At most so many rows are used.
    rng : numpy.random.RandomState
        Chooses them.

    Returns
    -------
    profiles : ndarray of shape (n_tokens, n_rows * n_outputs), float32
        Centred at the mean over the tokens by their counts, and scaled so that
        Euclidean distances are root mean square differences over rows and outputs.
    """
    rows, weights = _reference_rows(X, sample_weight, n_reference, rng)
    step = max(1, settings.PROFILE_ROWS // len(rows))
    parts, origin = [], 0.0
    for start in range(0, len(table), step):
        tokens = table.tokens[start : start + step]
        filled = _substitute(X, rows, table.column, tokens)
        part = _outcome(estimator, filled).reshape(len(tokens), len(rows), -1)
        if start == 0:
            origin = part[0]
        # differences first: float32 holds them, whatever the level of the outcome
        parts.append((part - origin).astype(np.float32))
    profiles = np.concatenate(parts)
    share = (table.counts / table.counts.sum()).astype(np.float32)
    profiles -= np.tensordot(share, profiles, axes=1)
    scale = np.sqrt(weights / weights.sum() / profiles.shape[2])
    profiles *= scale.astype(np.float32)[:, None]
    return profiles.reshape(len(table), -1)


def _outcome(estimator, X):
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(X), dtype=np.float64)
    return np.asarray(estimator.predict(X), dtype=np.float64)


def _reference_rows(X, sample_weight, n_reference, rng):
    n, n_features = X.shape[0], X.shape[1]
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, float)
    rows = np.flatnonzero(weights)
    if n_features == 1:  # nothing else in a row that could differ
        return rows[:1], np.ones(1)
    if len(rows) <= n_reference:
        return rows, weights[rows]
    share = weights[rows] / weights[rows].sum()
    rows = np.sort(rng.choice(rows, n_reference, replace=False, p=share))
    return rows, np.ones(n_reference)


def _substitute(X, rows, column, tokens):
    """Repeat the rows for every token, the token in the place of their own."""
    rows_of_all = np.tile(rows, len(tokens))
    values = np.repeat(tokens, len(rows))
    if not is_frame(X):
        filled = X[rows_of_all]
        if filled.dtype.kind in "US" or values.dtype == object:
            filled = filled.astype(object)
        filled[:, column] = values
        return filled
    if hasattr(X, "iloc"):
        return _substitute_pandas(X, rows_of_all, column, values)
    if hasattr(X, "column_names"):
        return _substitute_pyarrow(X, rows_of_all, column, values)
    return _substitute_polars(X, rows_of_all, column, values)


def _substitute_pandas(X, rows, column, values):
    import pandas as pd

    filled = X.iloc[rows].reset_index(drop=True)
    series = pd.Series(values)
    if not isinstance(X.dtypes.iloc[column], pd.CategoricalDtype):
        series = series.astype(X.dtypes.iloc[column])
    filled.isetitem(column, series)
    return filled


def _substitute_pyarrow(X, rows, column, values):
    import pyarrow as pa

    values = values if values.dtype.kind in "mM" else values.tolist()
    filled = pa.array(values, type=X.schema.field(column).type)
    return X.take(rows).set_column(column, X.schema.field(column), filled)


def _substitute_polars(X, rows, column, values):
    import polars as pl

    name = X.columns[column]
    values = values if values.dtype.kind in "mM" else values.tolist()
    series = pl.Series(name, values, dtype=X.schema[name], strict=False)
    return X[rows].with_columns(series)
