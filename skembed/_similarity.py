"""TokenSimilarity: how alike tokens are, by the vectors of a fitted estimator."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ._data.columns import as_table, read
from ._data.outcomes import refuse_masked_weights
from ._predictors import default_predictor
from ._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    check_feature_names_in,
    check_sample_weight,
    fit_context,
)
from ._space.checks import check_many
from ._space.metrics import METRICS, Space, pairwise, search_points
from ._space.neighbors import nearest, nearest_by_transformer
from ._space.profiles import outcome_profiles
from ._space.questions import TokenQuestionsMixin
from ._space.token_tables import column_parts, select_table, token_tables
from ._versions import VersionedPickles

__all__ = ["TokenSimilarity"]


class TokenSimilarity(
    VersionedPickles, TokenQuestionsMixin, TransformerMixin, BaseEstimator
):
    """Distances between tokens, from the vectors that an estimator learns.

    The estimator learns a vector for every token of a categorical column while it
    predicts `y`. Tokens with near vectors act alike. `transform` returns, for each row,
    the distances of its token to the tokens of the column. `most_similar`,
    `similarities`, `mix` and `probability_nearer` answer questions about tokens.

    Parameters
    ----------
    estimator : estimator, default=None
        The estimator that learns the vectors. `fit` trains a clone, `estimator_`. A
        :class:`~sklearn.frozen.FrozenEstimator` around a fitted one is used as it is.
        None is an :class:`EmbeddingRegressor` or, if `y` holds classes, an
        :class:`EmbeddingClassifier` (by
        :func:`~sklearn.utils.multiclass.type_of_target`: whole numbers are classes).
        Both then have ``categorical_features="all"``: every column is a column of
        tokens, as for :class:`~sklearn.preprocessing.OneHotEncoder`. An estimator given
        here chooses the columns itself. Only if it chooses by type ("auto") and all
        columns of `X` are floating point, all are tokens, too.
    feature : str or int, default=None
        The column of tokens to use, by name or by index in `X`. None uses all columns
        of tokens, with their blocks of output side by side.
    metric : {"euclidean", "cosine", "dot", "outcome"}, default="euclidean"
        How far apart two tokens are:

        - "euclidean": length of the difference of the vectors.
        - "cosine": one minus the cosine of the angle, 0 to 2. A vector of zeros has no
          direction and is at distance 1 of everything.
        - "dot": negative dot product. It may be negative, and a token need not be
          nearest to itself.
        - "outcome": root mean square difference between the predictions of
          `estimator_` (the probabilities, for a classifier) when the one or the other
          token stands in up to `n_reference` rows of the training data. In units of
          `y`.
    n_neighbors : int, default=None
        If given, `transform` returns a sparse graph with only the distances of the
        `n_neighbors` nearest tokens: the smallest entries of the dense output, the
        row's own token among them.
    targets : array-like or dict, default=None
        Tokens to which `transform` returns the distances, in this order. With several
        columns of tokens: a dict from a column's name or index to its targets. A column
        left out has all its tokens as targets. None uses all tokens.
    neighbors : transformer, default=None
        Proposes the neighbours instead of the exact search, for example
        :class:`~sklearn.neighbors.KNeighborsTransformer` or PyNNDescent's
        `PyNNDescentTransformer`. It is fitted on one point per target token, in a space
        where the Euclidean order is the order of `metric`, so leave its own metric
        Euclidean. Its `n_neighbors` is set to the one given here, if any. `transform`
        then returns a sparse graph. A column with so few targets that all are
        neighbours is searched exactly.
    n_reference : int, default=100
        Maximum number of rows in which the outcome metric compares predictions.
    random_state : int, RandomState instance or None, default=None
        Seed of `estimator_`, unless that has one of its own, and of the choice of the
        reference rows. Pass an int for reproducible output.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator whose vectors are used.
    targets_ : list of ndarray
        Target tokens of each column of tokens in the output.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they all are strings.

    See Also
    --------
    EmbeddingRegressor : Learns the vectors from a number.
    EmbeddingEncoder : Gives the vectors themselves, cross-fitted.

    Notes
    -----
    With ``prior="normal"`` each vector is a normal distribution
    ``Normal(embedding_, embedding_std_ ** 2)``. The probabilities treat these
    distributions as independent between tokens. They are means over 4,096 draws with a
    fixed seed, so they are reproducible, with a standard error of at most 0.008. A
    coordinate that the outcome does not need falls back to its prior. If its posterior
    variance (the mean over the tokens, weighted by their counts) is more than half of
    the prior's, it stays at its mean, unless this holds for all coordinates. For the
    outcome metric, the predictions are treated as linear in the vector.

    `transform` treats an unknown token as `estimator_` does: as a pooled rare token or
    as the prior, a vector of zeros (for the outcome metric, the mean prediction).

    References
    ----------
    .. [1] T. Mikolov et al., "Efficient estimation of word representations in vector
       space", ICLR workshop 2013, section 4 (arithmetic with vectors).

    Examples
    --------
    >>> import numpy as np
    >>> from skembed import TokenSimilarity
    >>> rng = np.random.default_rng(0)
    >>> effect = {"red": -5.0, "green": 0.0, "lime": 0.5, "blue": 5.0}
    >>> X = rng.choice(list(effect), size=(400, 1))
    >>> y = np.array([effect[token] for token in X[:, 0]]) + rng.normal(size=400)
    >>> similarity = TokenSimilarity(random_state=0).fit(X, y)
    >>> similarity.transform([["lime"], ["red"]]).shape
    (2, 4)
    >>> [token for token, distance in similarity.most_similar("lime", n=2)]
    ['green', 'blue']
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"]), None],
        "feature": [str, Integral, None],
        "metric": [StrOptions(set(METRICS))],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
        "targets": ["array-like", dict, None],
        "neighbors": [HasMethods(["fit", "transform"]), None],
        "n_reference": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        feature=None,
        metric="euclidean",
        n_neighbors=None,
        targets=None,
        neighbors=None,
        n_reference=100,
        random_state=None,
    ):
        self.estimator = estimator
        self.feature = feature
        self.metric = metric
        self.n_neighbors = n_neighbors
        self.targets = targets
        self.neighbors = neighbors
        self.n_reference = n_reference
        self.random_state = random_state

    def __sklearn_tags__(self):
        """Return tags: the input may be what the estimator accepts; y is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self.estimator is None:
            tags.input_tags.string = True
            tags.input_tags.categorical = True
            tags.input_tags.allow_nan = True
        else:
            tags.input_tags = get_tags(self.estimator).input_tags
        tags.input_tags.sparse = False
        return tags

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Fit the estimator and read the vectors of its tokens.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Tokens.
        y : array-like of shape (n_samples,)
            The outcome.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, which is passed on to the estimator.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If `y` is None, there is no column of tokens, `feature` is not one of them,
            or a target is unknown.
        TypeError
            If the estimator has no vectors of tokens after `fit`.

        Examples
        --------
        >>> from skembed import TokenSimilarity
        >>> X, y = [["a"], ["b"], ["c"]] * 20, [0.1, 1.0, 5.0] * 20
        >>> TokenSimilarity(random_state=0).fit(X, y).targets_[0].tolist()
        ['a', 'b', 'c']
        """
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        X = as_table(X)
        if sample_weight is not None:
            refuse_masked_weights(sample_weight)
            sample_weight = check_sample_weight(sample_weight, X)
        estimator = self._fit_estimator(X, y, sample_weight)
        tables = token_tables(estimator)
        if not tables:
            raise ValueError(
                f"{type(estimator).__name__} takes no column of X as tokens: "
                "set its categorical_features."
            )
        if self.feature is not None:
            tables = [select_table(tables, self.feature)]
        spaces = [self._make_space(estimator, t, X, sample_weight) for t in tables]
        targets = self._find_targets(tables)
        transformers = self._fit_neighbors(spaces, targets)
        # All fitted attributes from here on, so that what fails leaves the old ones.
        validate_data(self, X, skip_check_array=True)
        self.estimator_ = estimator
        self.targets_ = [
            table.tokens[codes] for table, codes in zip(tables, targets, strict=True)
        ]
        self._spaces = spaces
        self._target_codes = targets
        self._transformers = transformers
        return self

    def _fit_estimator(self, X, y, sample_weight):
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        if isinstance(self.estimator, FrozenEstimator):
            return self.estimator
        if self.estimator is None:
            estimator = default_predictor(y)(categorical_features="all")
        else:
            estimator = clone(self.estimator)
            by_type = getattr(estimator, "categorical_features", None)
            if isinstance(by_type, str) and by_type == "auto" and _all_float(X):
                estimator.set_params(categorical_features="all")
        seedless = estimator.get_params(deep=False).get("random_state", 0) is None
        if seedless and self.random_state is not None:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            estimator.set_params(random_state=seed)
        return estimator.fit(X, y, **weights)

    def _make_space(self, estimator, table, X, sample_weight):
        if self.metric != "outcome":
            return Space(table, self.metric)
        rng = check_random_state(self.random_state)
        profiles = outcome_profiles(
            estimator, table, X, sample_weight, self.n_reference, rng
        )
        return Space(table, self.metric, profiles)

    def _find_targets(self, tables):
        if self.targets is None:
            return [np.arange(len(table)) for table in tables]
        if not isinstance(self.targets, dict):
            if len(tables) > 1:
                names = [table.name for table in tables]
                raise ValueError(
                    "With several token columns targets must be a dict from column to "
                    f"tokens. The columns are {names}; or pick one by feature=."
                )
            check_many("targets", self.targets)
            return [tables[0].known_codes(self.targets)]
        codes = [np.arange(len(table)) for table in tables]
        for feature, tokens in self.targets.items():
            table = select_table(tables, feature)
            check_many(f"targets of column {table.name!r}", tokens)
            codes[tables.index(table)] = table.known_codes(tokens)
        return codes

    def _fit_neighbors(self, spaces, targets):
        if self.neighbors is None:
            return [None] * len(spaces)
        fitted = []
        for space, codes in zip(spaces, targets, strict=True):
            transformer = clone(self.neighbors)
            if self.n_neighbors is not None:
                transformer.set_params(n_neighbors=self.n_neighbors)
            if len(codes) <= getattr(transformer, "n_neighbors", 0) + 1:
                fitted.append(None)  # every target is a neighbour
                continue
            points = search_points(self.metric, space.points(codes))
            fitted.append(transformer.fit(points.astype(np.float32)))
        return fitted

    def transform(self, X):
        """Compute the distances from each row's token to the target tokens.

        Of a cell that holds several tokens, it is the distance from their mean (or sum,
        as the estimator's `combiner` has it).

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Tokens.

        Returns
        -------
        distances : ndarray of shape (n_samples, n_targets), float64, or sparse CSR \
matrix of that shape
            One block per column, in the order of `get_feature_names_out`. Sparse with
            `n_neighbors` or `neighbors`: only neighbours have stored entries, and a
            stored zero is a distance of zero.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit.

        Examples
        --------
        >>> from skembed import TokenSimilarity
        >>> X, y = [["a"], ["b"], ["c"]] * 20, [0.1, 1.0, 5.0] * 20
        >>> similarity = TokenSimilarity(metric="outcome", random_state=0).fit(X, y)
        >>> similarity.transform([["b"], ["c"]]).round().astype(int).tolist()
        [[1, 0, 4], [5, 4, 0]]
        """
        check_is_fitted(self)
        X = as_table(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        blocks = []
        for k, space in enumerate(self._spaces):
            codes, factors = column_parts(space.table, X)
            if codes.shape[1] == 1 and (factors == 1.0).all():
                distinct, place = np.unique(codes[:, 0], return_inverse=True)
                blocks.append(self._block(k, space.points(distinct))[place])
                continue
            points = sum(
                space.points(column) * factor[:, None]
                for column, factor in zip(codes.T, factors.T, strict=True)
            )
            blocks.append(self._block(k, space.finish(points)))
        if sparse.issparse(blocks[0]):
            return sparse.hstack(blocks, format="csr")
        return blocks[0] if len(blocks) == 1 else np.hstack(blocks)

    def _block(self, k, queries):
        """Return distances of query points to the targets of block k."""
        targets = self._spaces[k].points(self._target_codes[k])
        shape = (len(queries), len(targets))
        if self._transformers[k] is not None:
            rows, columns, gaps = nearest_by_transformer(
                self._transformers[k], self.metric, targets, queries, self.n_neighbors
            )
            return sparse.csr_matrix((gaps, (rows, columns)), shape=shape)
        if self.n_neighbors is None and self.neighbors is None:
            return pairwise(self.metric, queries, targets)
        n = min(self.n_neighbors or len(targets), len(targets))
        gaps, columns = nearest(self.metric, targets, queries, n)
        starts = np.arange(len(queries) + 1) * n
        return sparse.csr_matrix((gaps.ravel(), columns.ravel(), starts), shape=shape)

    def get_feature_names_out(self, input_features=None):
        """Get the names of the output columns: column of tokens, "_", target token.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of `X`, if `fit` saw none; otherwise they must agree.

        Returns
        -------
        names : ndarray of shape (n_output_features,), dtype=object
            For example "colour_red", or "x0_red" for columns without names.

        Examples
        --------
        >>> from skembed import TokenSimilarity
        >>> X, y = [["a"], ["b"], ["c"]] * 20, [0.1, 1.0, 5.0] * 20
        >>> similarity = TokenSimilarity(targets=["c", "a"], random_state=0).fit(X, y)
        >>> similarity.get_feature_names_out(["grade"]).tolist()
        ['grade_c', 'grade_a']
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        return np.array(
            [
                f"{names[space.table.column]}_{target}"
                for space, targets in zip(self._spaces, self.targets_, strict=True)
                for target in targets
            ],
            dtype=object,
        )


def _all_float(X):
    return all(column.is_float for column in read(X))
