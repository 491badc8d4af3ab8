"""What a fitted estimator knows about the tokens of one column, read in public.

Similarity and export look at an estimator only through its documented fitted
attributes, so that they work for every predictor of the package, for a
`~sklearn.frozen.FrozenEstimator` around one, and for a class of somebody else
that carries the same attributes.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .. import _settings as settings
from .._data.columns import is_missing, read

__all__ = ["TokenTable", "column_codes", "select_table", "token_tables"]

# difflib compares the misspelt token with every other: bounded for large columns.


def is_many(tokens):
    """Say whether this is a collection of tokens and not one token."""
    if isinstance(tokens, list | tuple | set | frozenset | range):
        return True
    return getattr(tokens, "ndim", 0) > 0 or hasattr(tokens, "to_numpy")


def as_tokens(tokens):
    """Put a collection of tokens into a one-dimensional array, kinds unchanged."""
    if hasattr(tokens, "to_numpy"):
        tokens = tokens.to_numpy()
    if isinstance(tokens, np.ndarray):
        return tokens.reshape(-1)
    tokens = list(tokens)
    array = np.empty(len(tokens), dtype=object)
    array[:] = tokens
    return array


@dataclass(frozen=True, eq=False)
class TokenTable:
    """The tokens of one column with their vectors, in the order of `categories_`."""

    name: str
    column: int
    tokens: np.ndarray
    vectors: np.ndarray
    spreads: np.ndarray | None = None
    counts: np.ndarray | None = None
    prior_scale: np.ndarray | None = None
    unknown: int = -1  # row that an unknown token shares, -1 for the prior
    pooled: np.ndarray | None = None  # rows of rare tokens that share one vector
    refuses_unknown: bool = False
    _positions: dict = field(default_factory=dict, repr=False)
    missing: int = -1  # row of the missing value, -1 where fit saw none

    @classmethod
    def of_tokens(cls, tokens, name="x0", column=0, vectors=None, **more):
        """Index the tokens; `vectors` may be left out where only codes matter."""
        tokens = np.asarray(tokens)
        vectors = np.empty((len(tokens), 0)) if vectors is None else vectors
        missing = len(tokens) - 1 if len(tokens) and is_missing(tokens[-1]) else -1
        positions = {}
        if tokens.dtype.kind not in "iufbmM":
            positions = {token: j for j, token in enumerate(tokens.tolist())}
        return cls(
            name,
            column,
            tokens,
            vectors,
            _positions=positions,
            missing=missing,
            **more,
        )

    def __len__(self):
        return len(self.tokens)

    def codes(self, values):
        """Return the row of each value, int64 of shape (n,); -1 where unknown."""
        values = self._in_natural_type(as_tokens(values))
        if self._sorted_as(values):
            return self._codes_by_bisection(values)
        look_up = self._positions or {t: j for j, t in enumerate(self.tokens.tolist())}
        found = np.empty(len(values), dtype=np.int64)
        for i, value in enumerate(values.tolist()):
            if is_missing(value):
                found[i] = self.missing
            else:  # what cannot be hashed is known by what it prints, as in fit
                key = value if value.__hash__ else repr(value)
                found[i] = look_up.get(key, -1)
        return found

    def _in_natural_type(self, values):
        """Give objects the type of the tokens where they all have it."""
        if values.dtype != object or self.tokens.dtype.kind not in "iufbmM":
            return values
        try:
            if self.tokens.dtype.kind in "mM":
                return values.astype(self.tokens.dtype)
            natural = np.array(values.tolist())
        except (TypeError, ValueError, OverflowError):
            return values
        return natural if natural.ndim == 1 and self._sorted_as(natural) else values

    def _sorted_as(self, values):
        kinds = {self.tokens.dtype.kind, values.dtype.kind}
        return kinds <= set("iuf") or kinds in ({"b"}, {"m"}, {"M"})

    def _codes_by_bisection(self, values):
        n_known = len(self.tokens) - (self.missing >= 0)
        known = self.tokens[:n_known]
        if n_known == 0:
            codes = np.full(len(values), -1)
        else:
            at = np.minimum(np.searchsorted(known, values), n_known - 1)
            codes = np.where(known[at] == values, at, -1)
        return np.where(values != values, self.missing, codes).astype(np.int64)

    def known_codes(self, tokens, handle_unknown="error"):
        """Return the rows of these tokens, refusing those never seen in `fit`.

        Parameters
        ----------
        tokens : array-like of shape (n,)
            The tokens.
        handle_unknown : {"error", "prior"}
            Refuse an unknown token, or return -1 for it.
        """
        if handle_unknown not in ("error", "prior"):
            raise ValueError(
                f"handle_unknown is {handle_unknown!r}; it must be 'error' or 'prior'."
            )
        tokens = as_tokens(tokens)
        codes = self.codes(tokens)
        if handle_unknown == "error" and (codes < 0).any():
            raise ValueError(self.explain(tokens[codes < 0][0]))
        return codes

    def explain(self, token):
        """Say that a token is unknown and what would have been right."""
        token = token.item() if isinstance(token, np.generic) else token
        text = f"The token {token!r} was not seen in column {self.name!r} during fit."
        near = nearest_spellings(token, self.tokens)
        if near:
            text += f" Nearest spelling: {', '.join(repr(t) for t in near)}."
        return (
            f"{text} Pass one of the {len(self)} tokens of that column, or use the "
            "prior (a vector of zeros) with handle_unknown='prior'."
        )

    def rows(self, codes):
        """Return the vectors of these codes in float64, zeros for code -1."""
        vectors = np.asarray(self.vectors[codes], dtype=np.float64)
        vectors[np.asarray(codes) < 0] = 0.0
        return vectors

    def one_for_equal(self, codes):
        """Return codes in which all pooled tokens have the code of the first."""
        if self.pooled is None:
            return codes
        return np.where(np.isin(codes, self.pooled), self.pooled[0], codes)

    def spread_rows(self, codes):
        """Return posterior standard deviations, the prior's own for code -1."""
        spreads = np.asarray(self.spreads[codes], dtype=np.float64)
        spreads[np.asarray(codes) < 0] = self.prior_scale
        return spreads


def nearest_spellings(token, tokens, n=3):
    """Return up to `n` of `tokens` that are spelt most like `token`."""
    wanted = str(token)
    spelt = {}
    for other in tokens.tolist():
        text = str(other)
        if len(tokens) <= settings.MAX_SPELLINGS or (
            abs(len(text) - len(wanted)) <= 2 and text[:1] == wanted[:1]
        ):
            spelt.setdefault(text, other)
        if len(spelt) == settings.MAX_SPELLINGS:
            break
    lower = {}
    for text, other in spelt.items():
        lower.setdefault(text.lower(), other)
    return [lower[t] for t in difflib.get_close_matches(wanted.lower(), lower, n=n)]


def token_tables(estimator):
    """Read the token tables of a fitted estimator, one a categorical column.

    Parameters
    ----------
    estimator : estimator
        A fitted `EmbeddingRegressor`, `EmbeddingClassifier`, or an estimator that
        holds one as `estimator_` (`TokenSimilarity`, `EmbeddingEncoder`).

    Returns
    -------
    tables : list of TokenTable
        In the order of the columns.

    Raises
    ------
    TypeError
        If there are no token vectors in the fitted estimator.
    """
    check_is_fitted(estimator)
    if not hasattr(estimator, "embeddings_") and hasattr(estimator, "estimator_"):
        estimator = estimator.estimator_
    for attribute in ("embeddings_", "categories_", "is_categorical_"):
        if not hasattr(estimator, attribute):
            raise TypeError(
                f"{type(estimator).__name__} has no fitted attribute {attribute!r}. "
                "Token vectors are read from an EmbeddingRegressor, an "
                "EmbeddingClassifier or an estimator with the same attributes."
            )
    columns = np.flatnonzero(estimator.is_categorical_)
    names = getattr(estimator, "feature_names_in_", None)
    spreads = getattr(estimator, "embeddings_std_", None)
    tables = []
    for k, column in enumerate(columns):
        rule = getattr(estimator, "handle_unknown", "prior")
        pooled = _pooled_rows(estimator, k)
        joins_pool = rule == "infrequent_if_exist" and pooled is not None
        scales = getattr(estimator, "prior_scales_", None)
        table = TokenTable.of_tokens(
            estimator.categories_[k],
            name=f"x{column}" if names is None else str(names[column]),
            column=int(column),
            vectors=np.asarray(estimator.embeddings_[k]),
            spreads=None if spreads is None else np.asarray(spreads[k]),
            counts=np.asarray(estimator.category_counts_[k], dtype=np.float64),
            prior_scale=None if scales is None else np.asarray(scales[k], float),
            unknown=int(pooled[0]) if joins_pool else -1,
            pooled=pooled,
            refuses_unknown=rule == "error",
        )
        tables.append(table)
    return tables


def _pooled_rows(estimator, k):
    """Return the rows of the rare tokens that share a vector, None without any."""
    pooled = getattr(estimator, "infrequent_categories_", None)
    if pooled is None or pooled[k] is None or len(pooled[k]) == 0:
        return None
    return TokenTable.of_tokens(estimator.categories_[k]).codes(pooled[k])


def select_table(tables, feature):
    """Return the one table that `feature` names, by name or index of the column."""
    names = ", ".join(repr(t.name) for t in tables)
    if feature is None:
        if len(tables) == 1:
            return tables[0]
        raise ValueError(
            f"There are {len(tables)} token columns ({names}): say which one with "
            "feature=, by its name or by its index in X."
        )
    for table in tables:
        by_name = isinstance(feature, str) and table.name == feature
        if by_name or (not isinstance(feature, str) and table.column == feature):
            return table
    raise ValueError(
        f"feature={feature!r} is no token column. The token columns are {names} "
        f"(columns {', '.join(str(t.column) for t in tables)} of X)."
    )


def column_codes(table, X):
    """Return the row of `table` of every cell of its column in X.

    An unknown token is treated as the estimator does it: refused, in the row of the
    pooled rare tokens, or the prior (code -1).

    Parameters
    ----------
    table : TokenTable
        The column's tokens.
    X : dataframe or ndarray of shape (n_samples, n_features)
        As `_columns.as_table` returns it.
    """
    cells, distinct = read(X)[table.column].factorize()
    # a missing cell has the code -1, so its row comes last
    codes = np.append(table.codes(distinct), table.missing)
    if table.refuses_unknown:
        used = np.bincount(cells + 1, minlength=len(codes)) > 0
        strange = np.flatnonzero((codes < 0) & np.roll(used, -1))
        if len(strange):
            token = distinct[strange[0]] if strange[0] < len(distinct) else None
            raise ValueError(table.explain(token))
    codes[codes < 0] = table.unknown
    return codes[cells]
