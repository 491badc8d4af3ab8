"""The tokens and vectors of one column, read from public fitted attributes.

Similarity and export read an estimator only through its documented fitted attributes.
So they work for every predictor of the package, for a
`~sklearn.frozen.FrozenEstimator` around one, and for any other class with the same
attributes.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .. import _settings as settings
from .._data.cells import MISSING, Refused, text
from .._data.columns import as_tokens, read
from .._data.lookup import Vocabulary
from .._data.several import OneToken, SeveralTokens
from .._data.wording import several, shown

__all__ = [
    "TokenTable",
    "column_codes",
    "column_parts",
    "column_values",
    "select_table",
    "token_tables",
]


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
    reader: object = OneToken()  # how its cells are read
    _vocabulary: Vocabulary = field(default=None, repr=False)

    @classmethod
    def of_tokens(cls, tokens, name="x0", column=0, vectors=None, **more):
        """Index the tokens; `vectors` may be left out if only codes are needed."""
        tokens = np.asarray(tokens)
        vectors = np.empty((len(tokens), 0)) if vectors is None else vectors
        vocabulary = Vocabulary(tokens)
        return cls(name, column, tokens, vectors, _vocabulary=vocabulary, **more)

    @property
    def missing(self):
        """Row of the missing value, -1 where fit saw none."""
        return self._vocabulary.missing

    def __len__(self):
        return len(self.tokens)

    def codes(self, values):
        """Return the row of each value, int64 of shape (n,); -1 where unknown."""
        try:
            return self._vocabulary.codes(as_tokens(values))
        except Refused as refused:
            raise refused.named(self.name) from None

    def known_positions(self, distinct):
        """Return the row of each distinct value that a column's `factorize` found."""
        return self._vocabulary.positions(distinct)

    def known_codes(self, tokens, handle_unknown=None):
        """Return the codes of these tokens, refusing unknown ones.

        Parameters
        ----------
        tokens : array-like of shape (n,)
            The tokens.
        handle_unknown : {"error", "prior"}, default=None
            Refuse an unknown token, or return -1 for it. None refuses it where the
            user has no choice.
        """
        known = isinstance(handle_unknown, str | None)
        if not known or handle_unknown not in (None, "error", "prior"):
            raise ValueError(
                f"handle_unknown is {shown(handle_unknown)}; it must be 'error' or "
                "'prior'."
            )
        tokens = as_tokens(tokens)
        codes = self.codes(tokens)
        if handle_unknown != "prior" and (codes < 0).any():
            token = tokens[codes < 0][0]
            raise ValueError(self.explain(token, has_choice=handle_unknown is not None))
        return codes

    def explain(self, token, *, has_choice=False):
        """Return a message that a token is unknown, with the nearest spellings."""
        token = token.item() if isinstance(token, np.generic) else token
        message = (
            f"The token {shown(token)} was not seen in column {shown(self.name)} "
            "during fit."
        )
        near = nearest_spellings(token, self.tokens)
        if near:
            message += f" Nearest spelling: {', '.join(map(shown, near))}."
        message += f" Pass one of the {len(self)} tokens of that column"
        if has_choice:
            message += (
                ", or use the prior (a vector of zeros) with handle_unknown='prior'"
            )
        return f"{message}."

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
    wanted = text(token)
    if len(wanted) > settings.SHOWN:  # no slip of the keyboard
        return []
    spelt = {}
    for other in tokens.tolist():
        spelling = text(other)
        if len(tokens) <= settings.MAX_SPELLINGS or (
            abs(len(spelling) - len(wanted)) <= 2 and spelling[:1] == wanted[:1]
        ):
            spelt.setdefault(spelling[: 2 * settings.SHOWN], other)
        if len(spelt) == settings.MAX_SPELLINGS:
            break
    lower = {}
    for spelling, other in spelt.items():
        lower.setdefault(spelling.lower(), other)
    return [lower[t] for t in difflib.get_close_matches(wanted.lower(), lower, n=n)]


def token_tables(estimator):
    """Read the token tables of a fitted estimator, one per categorical column.

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
        If the fitted estimator has no token vectors.
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
            reader=_reader(estimator, int(column)),
        )
        tables.append(table)
    return tables


def _reader(estimator, column):
    """How the cells of a column are read."""
    delimiters = getattr(estimator, "multi_valued_features_", {})
    if column not in delimiters:
        return OneToken()
    combiner = getattr(estimator, "combiner", "mean")
    return SeveralTokens(delimiters[column], combiner)


def _pooled_rows(estimator, k):
    """Return the rows of the rare tokens that share a vector, None without any."""
    pooled = getattr(estimator, "infrequent_categories_", None)
    if pooled is None or pooled[k] is None or len(pooled[k]) == 0:
        return None
    return TokenTable.of_tokens(estimator.categories_[k]).codes(pooled[k])


def select_table(tables, feature):
    """Return the table of the column that `feature` names, by name or index."""
    names = several([t.name for t in tables])
    if feature is None:
        if len(tables) == 1:
            return tables[0]
        raise ValueError(
            f"There are {len(tables)} token columns ({names}): say which one with "
            "feature=, by its name or by its index in X."
        )
    for table in tables:
        by_name = isinstance(feature, str) and table.name == feature
        by_index = isinstance(feature, Integral) and not isinstance(feature, bool)
        if by_name or (by_index and table.column == feature):
            return table
    raise ValueError(
        f"feature={shown(feature)} is no token column. The token columns are {names} "
        f"(columns {several([t.column for t in tables])} of X)."
    )


def column_codes(table, X):
    """Return the code in `table` of every cell of its column in X.

    Of a column whose cells hold several tokens, the code of every token of every cell.
    Unknown tokens are treated as the estimator treats them: refused, with the code of
    the pooled rare tokens, or as the prior (code -1).

    Parameters
    ----------
    table : TokenTable
        The column's tokens.
    X : dataframe or ndarray of shape (n_samples, n_features)
        As `_data.columns.as_table` returns it.
    """
    return _codes(table, table.reader.read(read(X)[table.column]))


def column_values(table, X):
    """Return the codes as `column_codes`, and the row of X that each is in."""
    column = table.reader.read(read(X)[table.column])
    codes = _codes(table, column)
    return codes, getattr(column, "rows", np.arange(len(codes)))


def column_parts(table, X):
    """Return codes and factors, (n_samples, n_slots) each, of the cells of a column."""
    column = table.reader.read(read(X)[table.column])
    return table.reader.part(column, _codes(table, column), -1)


def _codes(table, column):
    cells, distinct = column.factorize()
    # a missing cell has the code -1, so its row comes last
    codes = np.append(table.known_positions(distinct), table.missing)
    if table.refuses_unknown:
        used = np.bincount(cells + 1, minlength=len(codes)) > 0
        strange = np.flatnonzero((codes < 0) & np.roll(used, -1))
        if len(strange):
            token = distinct[strange[0]] if strange[0] < len(distinct) else MISSING
            raise ValueError(table.explain(token))
    codes[codes < 0] = table.unknown
    return codes[cells]
