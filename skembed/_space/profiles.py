"""Profiles: predicted outcomes of every token in the same reference rows."""

from __future__ import annotations

import numpy as np

from .. import _settings as settings
from .._data.cells import as_objects
from .._data.columns import take
from .._data.frames import is_frame, replaced
from .token_tables import TokenTable

__all__ = ["ReferenceRows", "outcome_profiles", "profiles_in"]


class ReferenceRows:
    """Rows in which the tokens of a column are compared, one after the other.

    Parameters
    ----------
    estimator : estimator
        Fitted. `predict_proba` is used if it exists, otherwise `predict`.
    column : int
        The column whose tokens are substituted.
    X : table of shape (n_samples, n_features)
        Data from which the rows are chosen.
    sample_weight : ndarray of shape (n_samples,) or None
        Weight of each row.
    n_reference : int
        Maximum number of rows.
    rng : numpy.random.RandomState
        Chooses the rows.
    """

    def __init__(self, estimator, column, X, sample_weight, n_reference, rng):
        self.estimator = estimator
        self.column = column
        self.X = X
        self.rows, weights = _reference_rows(X, sample_weight, n_reference, rng)
        self.shares = weights / weights.sum()
        # A token within others comes with its parents.
        self._parents = getattr(estimator, "parents_", {}).get(column, {})
        if self._parents:
            k = int(np.sum(estimator.is_categorical_[:column]))
            self._table = TokenTable.of_tokens(estimator.categories_[k])

    def __len__(self):
        return len(self.rows)

    def filled(self, tokens):
        """Return the rows with every token in turn, token by token."""
        filled = _substitute(self.X, self.rows, self.column, tokens)
        for column, parents in self._parents.items():
            usual = np.append(parents, [None])[self._table.codes(tokens)]
            filled = _with(filled, column, np.repeat(usual, len(self.rows)))
        return filled

    def outcomes(self, tokens):
        """Predict with every token in turn, (n_tokens, n_rows, n_outputs)."""
        outcome = _outcome(self.estimator, self.filled(tokens))
        return outcome.reshape(len(tokens), len(self), -1)


def outcome_profiles(estimator, table, X, sample_weight, n_reference, rng):
    """Predict the outcomes of reference rows with each token in turn.

    Parameters
    ----------
    estimator : estimator
        Fitted. `predict_proba` is used if it exists, otherwise `predict`.
    table : TokenTable
        The column whose tokens are substituted.
    X : table of shape (n_samples, n_features)
        Data from which the reference rows are chosen.
    sample_weight : ndarray of shape (n_samples,) or None
        Weight of each row.
    n_reference : int
        Maximum number of reference rows.
    rng : numpy.random.RandomState
        Chooses the reference rows.

    Returns
    -------
    profiles : ndarray of shape (n_tokens, n_rows * n_outputs), float32
        Centred at the mean over the tokens by their counts, and scaled so that
        Euclidean distances are root mean square differences over rows and outputs.
    """
    rows = ReferenceRows(estimator, table.column, X, sample_weight, n_reference, rng)
    return profiles_in(rows, table)


def profiles_in(rows, table):
    """Return the profiles of the tokens of `table` in given `ReferenceRows`."""
    step = max(1, settings.PROFILE_ROWS // len(rows))
    parts, origin = [], 0.0
    for start in range(0, len(table), step):
        part = rows.outcomes(table.tokens[start : start + step])
        if start == 0:
            origin = part[0]
        # differences first: float32 is exact enough for them at any level of outcomes
        parts.append((part - origin).astype(np.float32))
    profiles = np.concatenate(parts)
    share = (table.counts / table.counts.sum()).astype(np.float32)
    profiles -= np.tensordot(share, profiles, axes=1)
    scale = np.sqrt(rows.shares / profiles.shape[2])
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
    """Repeat the rows for every token, with that token in place of their own."""
    filled = take(X, np.tile(rows, len(tokens)))
    return _with(filled, column, np.repeat(tokens, len(rows)))


def _with(filled, column, values):
    """The rows with other values in a column."""
    if is_frame(filled):
        return replaced(filled, column, as_objects(values))
    if filled.dtype.kind in "US" or values.dtype.kind != filled.dtype.kind:
        filled = filled.astype(object)
    filled[:, column] = as_objects(values) if filled.dtype == object else values
    return filled
