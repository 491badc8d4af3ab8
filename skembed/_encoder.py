"""EmbeddingEncoder."""

import functools
from copy import copy

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _settings as settings
from ._cross_fit.output import EncoderOutput, blended
from ._cross_fit.outside import learned_by_fold, outside_in_memory
from ._cross_fit.pieces import (
    number_of_folds,
    of_all,
    outcomes_of_kind,
    outside_on_disk,
    refuse_positions,
    sums_and_sample,
)
from ._cross_fit.routing import router, split_params
from ._cross_fit.target_means import TokenSums
from ._cross_fit.tasks import (
    axes_of,
    first_order_axes,
    folds,
    folds_if_any,
    frozen_task,
    is_frozen,
    refuse_output,
    side_by_side,
    target_of,
    task_for,
    warn_of_shuffle,
    with_means,
)
from ._data.choice import MORE_OF_COLUMNS
from ._data.columns import as_table, is_frame, read
from ._data.encoded import Encoded
from ._data.folds import Folds
from ._data.labelled import Labelled
from ._data.sources import is_source, source_of
from ._pieces import by_piece
from ._sklearn import (
    StrOptions,
    adapter_of_container,
    check_feature_names_in,
    fit_context,
    in_container,
)
from ._versions import VersionedPickles


class EmbeddingEncoder(VersionedPickles, TransformerMixin, BaseEstimator):
    """Turn columns of tokens into columns of vectors, for any other model.

    The encoder trains a predictor with a vector for every token on `y`, and returns
    the vectors. :meth:`fit_transform` is cross-fitted, as in
    :class:`~sklearn.preprocessing.TargetEncoder`: the vectors of a row's tokens are
    learned from the other folds only, so the next model does not rely too much on
    them.

    Read more in the :ref:`User Guide <user_guide>`.

    .. note::
        ``fit(X, y).transform(X)`` does not equal ``fit_transform(X, y)``. Use
        `fit_transform` (as pipelines do) for the rows on which a model is trained.

    Parameters
    ----------
    estimator : EmbeddingRegressor, EmbeddingClassifier or FrozenEstimator, default=None
        The predictor, whose parameters determine the length of the vectors and
        everything else. None: an `EmbeddingRegressor` or an `EmbeddingClassifier`,
        depending on `y`. The encoder clones it and sets its `categorical_features` to
        those given here. A fitted one in a :class:`~sklearn.frozen.FrozenEstimator` is
        used as it is: nothing is learned, and `fit_transform` is `transform`.
    categorical_features : "all", "auto" or array-like, default="all"
        Columns to encode: their names, their indices or a mask of shape (n_features,).
        "auto": every column that is not floating point. The other columns must be
        numbers; the predictor uses them, too.
    multi_valued_features : "auto", array-like, dict or None, default="auto"
        Columns whose cells hold several tokens, as the predictors have it. A cell's
        vector is the mean (or sum) of those of its tokens. "auto": those of
        `estimator`, if one is given.
    shared_features : list of array-like, default=None
        Groups of columns that share a vocabulary, as the predictors have it. None:
        those of `estimator`, if one is given.
    hierarchy : dict, default=None
        What the tokens of a column are within, as the predictors have it. None: that of
        `estimator`, if one is given.
    token_features : dict, default=None
        What is known of tokens besides, as the predictors have it. None: that of
        `estimator`, if one is given.
    varying_slopes, varying_curves : dict, default=None
        Numbers that act differently by token, as the predictors have it. None: those of
        `estimator`, if one is given. What is returned are vectors without them.
    crosses : "auto" or list of tuples, default=None
        Pairs of columns that are a column, too, as the predictors have it. None: those
        of `estimator`, if one is given. What is returned are vectors without them.
    remainder : {"drop", "passthrough"}, default="drop"
        Whether the other columns are returned after the vectors.
    cv : int, cross-validation generator or iterable, default=5
        The folds of `fit_transform`: their number, a splitter, or (train, test) pairs
        of positions. Every row must be in exactly one test part. For an int the rows
        are shuffled by `random_state`, and the folds stratified where `y` holds
        classes (rows that are read in pieces are drawn into folds that are not). A
        splitter may ask for more: the `groups` of
        :class:`~sklearn.model_selection.GroupKFold` are passed to :meth:`fit_transform`
        and :meth:`fit`.
    output : {"mean", "mean_std", "first_order"}, default="mean"
        What is returned for a token: its vector; its vector and the standard deviations
        of the coordinates; or only its first-order effect, one number per output of the
        predictor (for more than two classes one per class, on its log-odds).
    rotation : {"principal"} or None, default="principal"
        How the vectors are rotated before they are returned. "principal": to axes in
        descending order of their effect on the outcome, in its units (log-odds for
        classes), so that distances measure what matters. Coordinates are 0 if they
        carry less than half a per cent of the effect of all columns, or if the tokens
        differ less along them than their uncertainty; the first coordinate of a column
        always stays. None: the axes of `estimator_`. Has no effect with
        ``output="first_order"`` or a `FrozenEstimator`.
    target_mean : "auto" or bool, default="auto"
        Whether every vector begins with the mean outcome of the token's rows minus that
        of all rows, shrunk towards zero according to the number of rows. There is one
        such number per output (for classes, of the probability). A vector describes the
        effect of a token when everything else is given, the mean tells where its rows
        lie, and trees do better with both. It is 0 for columns whose means explain less
        than a twentieth of the variance of the outcome. "auto": True, unless an
        `estimator` is given (then only its vectors are returned) or `output` is
        "first_order".
    target_type : {"auto", "continuous", "binary", "multiclass"}, default="auto"
        Type of `y`. "auto": floating point numbers are amounts. Whole numbers are
        classes, or amounts (with a warning) if there are more than 36 different ones:
        set "continuous" if fewer are amounts, too. Has no effect with an `estimator`.
    shuffle : bool, default="deprecated"
        Whether the rows are shuffled before they are split, for an int `cv`; they are.

        .. deprecated:: 0.1
            As in `TargetEncoder` of scikit-learn 1.9. It will be removed in 0.2: pass a
            splitter as `cv`, such as ``KFold(5, shuffle=False)``.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, of the tables learned in them and, unless it has a seed of
        its own, of the predictor.

    Attributes
    ----------
    estimator_ : EmbeddingRegressor or EmbeddingClassifier
        The trained predictor.
    categories_ : list of ndarray of shape (n_tokens_k,)
        Tokens of every encoded column, sorted; a missing value comes last.
    embeddings_ : list of ndarray of shape (n_tokens_k, n_out_k), float32
        Vectors of every encoded column, as :meth:`transform` returns them;
        ``embeddings_[k][j]`` belongs to ``categories_[k][j]``.
    embeddings_std_ : list of ndarray of shape (n_tokens_k, n_out_k), float32
        Their posterior standard deviations. AttributeError with ``prior=None``.
    category_counts_ : list of ndarray of shape (n_tokens_k,), float64
        Weighted number of training rows of every token.
    infrequent_categories_ : list of ndarray or None
        The pooled tokens of every encoded column; None where there are none.
    is_categorical_ : ndarray of shape (`n_features_in_`,), bool
        Which columns are encoded.
    parents_ : dict of int to dict of int to ndarray of shape (n_tokens,)
        Of columns within others: for each column of parents, by their positions, the
        parent that most rows have, token by token.
    multi_valued_features_ : dict of int to str or None
        The columns of several tokens, and their delimiters.
    target_type_ : str
        The type of `y`.
    classes_ : ndarray of shape (n_classes,) or None
        The labels; None for numbers.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only if all columns have names.

    See Also
    --------
    EmbeddingRegressor : The predictor for numbers.
    EmbeddingClassifier : The predictor for classes.
    sklearn.preprocessing.TargetEncoder : One number per token, shrunk by its count.

    Notes
    -----
    The predictor is trained once on all rows. Then its dense weights, its scales and
    its tables for numbers are frozen, and the tables of the tokens are learned again
    under the prior, once per fold, from the rows outside of it. The frozen weights fix
    the axes, so all tables lie in one coordinate system.

    What :meth:`transform` returns is made of the tables of the folds. Every row is in
    all but one of them. So the precisions that they add to the prior's are summed and
    divided by one less than their number; means are weighted by precision. All that
    comes out of :meth:`transform`, the mean outcomes too, stays inside the range of the
    folds. A model behind the encoder then meets no vectors outside of those that it was
    trained on. (With ``prior=None`` it is the mean of the folds, weighted by counts.
    With fewer rows than two per fold it is the table of `estimator_`.)

    Columns that interact have many optima, and every fold has to end in the same one.
    So learning starts from vectors 0.3 times as long as those of all rows. Up to twenty
    passes over the rows outside of the fold forget the rest of the start: with random
    outcomes the vectors carry no information. (With ``prior=None`` learning starts at
    random.) A token that occurs in one fold only gets the prior there, a vector of
    zeros, as do unknown tokens.

    The mean outcomes in front of the vectors are best linear predictors in a model of
    one column with random effects. Its two variances follow from an analysis of
    variance [2]_. In `fit_transform` they also come from the rows outside of the fold.

    Vectors learned along with a network are known to help other models more than the
    tokens themselves do [1]_.

    References
    ----------
    .. [1] C. Guo and F. Berkhahn, "Entity embeddings of categorical variables", 2016,
       arXiv:1604.06737, section 4.
    .. [2] S. R. Searle, G. Casella and C. E. McCulloch, "Variance Components", 1992,
       sections 3.6 and 7.4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skembed import EmbeddingEncoder, EmbeddingRegressor
    >>> rng = np.random.default_rng(0)
    >>> effect = {"red": -5.0, "green": 0.0, "lime": 0.5, "blue": 5.0}
    >>> X = rng.choice(list(effect), size=(400, 1))
    >>> y = np.array([effect[token] for token in X[:, 0]]) + rng.normal(size=400)
    >>> encoder = EmbeddingEncoder(EmbeddingRegressor(2, random_state=0))
    >>> model = make_pipeline(encoder, Ridge()).fit(X, y)
    >>> model[0].get_feature_names_out().tolist()
    ['x0_0', 'x0_1']
    >>> bool(model.score(X, y) > 0.9)
    True
    >>> vectors = model[0].transform([["blue"], ["mauve"]])
    >>> vectors[1].tolist()
    [0.0, 0.0]
    >>> model[0].inverse_transform(vectors[:1]).tolist()
    [['blue']]
    """

    _parameter_constraints: dict = {
        "estimator": [BaseEstimator, None],
        "categorical_features": ["array-like", str],
        "multi_valued_features": ["array-like", dict, StrOptions({"auto"}), None],
        "shared_features": ["array-like", None],
        "hierarchy": [dict, None],
        "token_features": [dict, None],
        "varying_slopes": [dict, None],
        "varying_curves": [dict, None],
        "crosses": [StrOptions({"auto"}), list, tuple, None],
        "remainder": [StrOptions({"drop", "passthrough"})],
        "cv": ["cv_object"],
        "output": [StrOptions({"mean", "mean_std", "first_order"})],
        "rotation": [StrOptions({"principal"}), None],
        "target_mean": [StrOptions({"auto"}), "boolean"],
        "target_type": [StrOptions({"auto", "continuous", "binary", "multiclass"})],
        "shuffle": ["boolean", StrOptions({"deprecated"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        categorical_features="all",
        multi_valued_features="auto",
        shared_features=None,
        hierarchy=None,
        token_features=None,
        varying_slopes=None,
        varying_curves=None,
        crosses=None,
        remainder="drop",
        cv=5,
        output="mean",
        rotation="principal",
        target_mean="auto",
        target_type="auto",
        shuffle="deprecated",
        random_state=None,
    ):
        self.estimator = estimator
        self.categorical_features = categorical_features
        self.multi_valued_features = multi_valued_features
        self.shared_features = shared_features
        self.hierarchy = hierarchy
        self.token_features = token_features
        self.varying_slopes = varying_slopes
        self.varying_curves = varying_curves
        self.crosses = crosses
        self.remainder = remainder
        self.cv = cv
        self.output = output
        self.rotation = rotation
        self.target_mean = target_mean
        self.target_type = target_type
        self.shuffle = shuffle
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None, **params):
        """Learn a vector for every token.

        For the rows on which another model is trained, use :meth:`fit_transform`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The table; or a source of tables, as in :meth:`EmbeddingRegressor.fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), str or list
            The outcome; of a source the name of its column, or a list of names. May be
            None only with a `FrozenEstimator`.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row; of a source the name of its column.
        **params : dict
            What the splitter `cv` asks for, such as `groups`, array-like of shape
            (n_samples,): see :meth:`get_metadata_routing`.
            Without the groups that it needs, the vectors are those of `estimator_`.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        TypeError
            If `estimator` is none that learns vectors.
        ValueError
            If `y` is of a type that has no predictor, or `X`, `y` or the weights are
            not what the predictor's ``fit`` takes.

        Examples
        --------
        >>> from skembed import EmbeddingEncoder, EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> encoder = EmbeddingEncoder(EmbeddingRegressor(2, epochs=20), random_state=0)
        >>> encoder.fit(X, y).embeddings_[0].shape
        (3, 2)
        """
        if is_source(X):
            X, y, sample_weight, rows = self._read_source(X, y, sample_weight)
            if rows is not None:
                refuse_positions(self, "fit", params)
                self._fit_in_pieces(rows, X, y, sample_weight)
                return self
        split = split_params(self, "fit", X, sample_weight, params)
        self._fit_predictor(X, y, sample_weight, split=split)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None, sample_weight=None, **params):
        """Learn a vector for every token, and encode `X` with cross-fitting.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The table; or a source of tables, as in :meth:`EmbeddingRegressor.fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), str or list
            The outcome; of a source the name of its column, or a list of names. May be
            None only with a `FrozenEstimator`.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row; of a source the name of its column.
        **params : dict
            What the splitter `cv` asks for, such as `groups`, array-like of shape
            (n_samples,): see :meth:`get_metadata_routing`.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out), float64
            As from :meth:`transform`, but the vectors of a row's tokens are learned
            from the rows outside of its fold. Of a source of more rows than are read at
            once, an iterator of such arrays, piece by piece, in the order of the rows:
            the folds have been learned before, and are not stratified.

        Raises
        ------
        TypeError
            If `estimator` is none that learns vectors.
        ValueError
            If `X` is a source of more rows than are read at once, and `cv` is not a
            number, there are `groups`, or the rows come in another order each time; if
            not every row is in exactly one test part of `cv`, if `cv` needs groups
            and there are none or the reverse, or for the reasons of :meth:`fit`.

        Examples
        --------
        >>> from skembed import EmbeddingEncoder, EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> encoder = EmbeddingEncoder(EmbeddingRegressor(2, epochs=20), random_state=0)
        >>> vectors = encoder.fit_transform(X, y)
        >>> vectors.shape
        (60, 2)
        >>> bool((vectors == encoder.transform(X)).all())  # they are cross-fitted
        False
        """
        if is_frozen(self.estimator):
            return self.fit(X).transform(X)
        if is_source(X):
            X, y, sample_weight, rows = self._read_source(X, y, sample_weight)
            if rows is not None:
                refuse_positions(self, "fit_transform", params)
                drawn, parts = self._fit_in_pieces(
                    rows, X, y, sample_weight, is_strict=True
                )
                # The pieces are those of this fit, whatever the encoder is told next.
                return copy(self)._pieces_by_fold(rows, drawn, parts)
        split = split_params(self, "fit_transform", X, sample_weight, params)
        parts = self._fit_predictor(X, y, sample_weight, make_folds=folds, split=split)
        return self._by_fold(X, [part.fold for part in parts], parts)

    def transform(self, X):
        """Encode the tokens of `X`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The table. Of a source, as in :meth:`fit`, the columns of fit are read, and
            what is returned is an iterator of results, piece by piece.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out), float64
            The vectors, column by column, followed by the columns that are passed
            through (the whole array is then float64).

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or holds a token that fit has not
            seen and the estimator has ``handle_unknown="error"``.

        Examples
        --------
        >>> from skembed import EmbeddingEncoder, EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> encoder = EmbeddingEncoder(EmbeddingRegressor(2, epochs=20), random_state=0)
        >>> encoder.fit(X, y).transform([["blue"], ["red"]]).shape
        (2, 2)
        """
        check_is_fitted(self)
        table = as_table(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        encoded = self.estimator_._encoded(X, self._fitted)
        vectors = self._vectors(encoded, self._fitted, self._sums)
        return self._with_remainder(vectors, table)

    def inverse_transform(self, X):
        """Find the nearest token of every vector, column by column.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features_out)
            As :meth:`transform` returns it. Standard deviations are ignored.

        Returns
        -------
        X_tokens : ndarray or dataframe of shape (n_samples, `n_features_in_`)
            The tokens at the smallest Euclidean distance. Of tokens with equal vectors,
            such as pooled ones, it is the first. Columns that were passed through are
            returned as they are, dropped ones as None. A data frame with the same index
            if `X` is one.

        Raises
        ------
        ValueError
            If `X` does not have as many columns as :meth:`transform` returns.

        Examples
        --------
        >>> from skembed import EmbeddingEncoder, EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> encoder = EmbeddingEncoder(EmbeddingRegressor(2, epochs=20), random_state=0)
        >>> vectors = encoder.fit(X, y).transform([["blue"], ["red"]])
        >>> encoder.inverse_transform(vectors).tolist()
        [['blue'], ['red']]
        """
        check_is_fitted(self)
        frame, X = X, check_array(X, dtype=None, input_name="X")
        n_out = len(self.get_feature_names_out())
        if X.shape[1] != n_out:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} puts out "
                f"{n_out}."
            )
        columns, start, k = [None] * self.n_features_in_, 0, 0
        for j in np.flatnonzero(self.is_categorical_):
            known = self.embeddings_[k]
            given = X[:, start : start + known.shape[1]].astype(np.float32)
            columns[j] = self.categories_[k][pairwise_distances_argmin(given, known)]
            start += known.shape[1] * (1 + (self.output == "mean_std"))
            k += 1
        for j in np.flatnonzero(~self.is_categorical_):
            columns[j] = np.full(len(X), None)
            if self.remainder == "passthrough":
                columns[j] = X[:, start]
                start += 1
        out = side_by_side(columns)
        if not is_frame(frame):
            return out
        adapter = adapter_of_container(frame)
        out = adapter.create_container(out, frame, check_feature_names_in(self))
        return out.infer_objects() if hasattr(out, "infer_objects") else out

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Learn from another chunk of rows, and add the new tokens in it.

        The first call is a :meth:`fit`. In the following ones the predictor and the
        axes stay the same. New tokens get a vector. The vectors of the known tokens in
        the chunk are updated, with their posterior so far as the prior. Those of all
        other tokens do not change.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            The rows of the chunk.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their outcomes.
        classes : array-like of shape (n_classes,), default=None
            All labels of all chunks; None: those of the first chunk.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The encoder.

        Raises
        ------
        ValueError
            If `X` does not have the columns of the first call, `y` contains other
            labels, or for the reasons of :meth:`fit`.

        Examples
        --------
        >>> from skembed import EmbeddingEncoder, EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> encoder = EmbeddingEncoder(EmbeddingRegressor(2, epochs=20), random_state=0)
        >>> encoder = encoder.partial_fit(X, y).partial_fit([["mauve"]] * 5, [3.0] * 5)
        >>> encoder.categories_[0].tolist()
        ['blue', 'green', 'mauve', 'red']
        """
        if not hasattr(self, "estimator_"):
            self._fit_predictor(X, y, sample_weight, classes)
            return self
        validate_data(self, X, skip_check_array=True, reset=False)
        predictor = self.estimator_
        fitted, rows = predictor._folded_in(self._fitted, X, y, sample_weight)
        if self._sums is not None:
            self._sums = self._sums.more(rows, fitted.code_sizes)
        self._set_fitted(fitted)
        return self

    def get_feature_names_out(self, input_features=None):
        """Get the names of the output columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of `X`; None: those seen in fit, or "x0", "x1", ...

        Returns
        -------
        names : ndarray of str of shape (n_features_out,)
            ``column_0``, ``column_1``, ... for the vectors, ``column_std_0``, ... for
            standard deviations, and the names of the columns that are passed through.
            With more than two classes, ``column_mean_class`` for the mean outcomes and,
            with ``output="first_order"``, ``column_class`` for the effects.

        Examples
        --------
        >>> from skembed import EmbeddingEncoder, EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> encoder = EmbeddingEncoder(EmbeddingRegressor(2, epochs=20), random_state=0)
        >>> encoder.fit(X, y).get_feature_names_out(["colour"]).tolist()
        ['colour_0', 'colour_1']
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        out = []
        encoded = names[self.is_categorical_]
        for name, n in zip(encoded, self._output.widths, strict=True):
            numbers = self._names_of_numbers(n)
            out += [f"{name}_{number}" for number in numbers]
            if self.output == "mean_std":
                out += [f"{name}_std_{number}" for number in numbers]
        if self.remainder == "passthrough":
            out += names[~self.is_categorical_].tolist()
        return np.array(out, dtype=object)

    def _names_of_numbers(self, n):
        """Names of the `n` numbers of a token: those of classes name the class."""
        if self.target_type_ != "multiclass":
            return range(n)
        if self.output == "first_order":
            return self.classes_
        n_means = self._output.means.shape[1]
        means = [f"mean_{label}" for label in self.classes_[:n_means]]
        return [*means, *range(n - n_means)]

    def get_metadata_routing(self):
        """Get what metadata each method takes, for itself and for `cv`.

        The splitter `cv` gets what it asks for from :meth:`fit` and
        :meth:`fit_transform`, as in :class:`~sklearn.preprocessing.TargetEncoder`.
        ``GroupKFold`` and its like ask for `groups`. With
        ``sklearn.set_config(enable_metadata_routing=True)`` a pipeline passes them
        along. `groups` are passed on without it, too, as by
        :class:`~sklearn.model_selection.GridSearchCV`.

        Returns
        -------
        routing : MetadataRouter
            What is routed.

        Examples
        --------
        >>> from sklearn.model_selection import GroupKFold
        >>> from skembed import EmbeddingEncoder
        >>> routing = EmbeddingEncoder(cv=GroupKFold()).get_metadata_routing()
        >>> routing.consumes("fit_transform", ["groups"])
        {'groups'}
        """
        return router(self)

    # What the tables know.

    @property
    def embeddings_(self):
        """Vectors of every encoded column, as `transform` returns them."""
        return self._by_category("embeddings_")

    @property
    def embeddings_std_(self):
        """Posterior standard deviations of the coordinates in `embeddings_`."""
        return self._by_category("embeddings_std_", std=True)

    def _by_category(self, name, std=False):
        # An AttributeError, as for every attribute: hasattr() is then False.
        if "_fitted" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r} before fit."
            )
        if std:
            self.estimator_._needs_posterior(name)
        tables = self._output.tables(self._fitted, self._sums, std)
        indices = self._fitted.encoder.tokens
        return [t[index.codes] for t, index in zip(tables, indices, strict=True)]

    # Steps of the fit.

    def _columns(self):
        """What the predictor is told of the columns."""
        told = {"categorical_features": self.categorical_features}
        several = self.multi_valued_features
        if not isinstance(several, str):  # "auto" leaves it to the predictor
            told["multi_valued_features"] = several
        for name in MORE_OF_COLUMNS:
            if getattr(self, name) is not None:
                told[name] = getattr(self, name)
        return told

    def _fit_predictor(
        self, X, y, sample_weight, classes=None, make_folds=folds_if_any, split=None
    ):
        """Set the fitted attributes; returns what was learned outside of each fold.

        `split` is what the splitter gets beside the rows.
        """
        warn_of_shuffle(self)
        if is_frozen(self.estimator):
            task = frozen_task(self.estimator)
            task.predictor._encoded(X)
        elif y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        else:
            task = task_for(self, X, y, classes)
            pairs = make_folds(self, X, y, task, split or {})
        predictor, y = task.predictor, task.y
        refuse_output(predictor, self)
        rows, sums, parts = None, None, []
        if not is_frozen(self.estimator):
            if classes is not None and task.classes is not None:
                predictor.partial_fit(X, y, classes, sample_weight)
                predictor._kept = None  # its own partial_fit is never called again
            else:
                predictor.fit(X, y, sample_weight)
            rows = predictor._observed(X, y, sample_weight)
            if with_means(self):
                sums = TokenSums.of(rows, predictor._fitted.code_sizes)
            outside = outside_in_memory(predictor, X, y, sample_weight, pairs, sums)
            parts = learned_by_fold(predictor, outside, self._seed())
        self._set_learned(X, predictor, task, rows, sums, parts)
        return parts

    def _set_learned(self, X, predictor, task, rows, sums, parts):
        """Set the fitted attributes.

        `rows` are those that the axes are read from, and `parts` what was learned by
        fold.
        """
        fitted = _of_folds(predictor._fitted, parts)
        if parts and sums is not None:
            sums = sums.within([part.sums for part in parts])
        axes = None
        if rows is not None and self.rotation is not None:
            if self.output != "first_order":
                axes = axes_of(fitted, rows)
        validate_data(self, X, skip_check_array=True, reset=True)
        self.estimator_ = predictor
        self.target_type_, self.classes_ = target_of(task)
        lengths = fitted.dims
        if self.output == "first_order":
            lengths = np.minimum(lengths, fitted.architecture.n_first)
            axes = first_order_axes(fitted, lengths)
        shown = np.zeros((len(lengths), 0), bool)
        if sums is not None:
            shown = sums.explained() >= settings.LEAST_MEANS
        self._output, self._sums = EncoderOutput(lengths.tolist(), axes, shown), sums
        if parts:
            fitted = self._output.within(fitted, [part.network for part in parts])
        self._set_fitted(fitted)

    def _read_source(self, X, y, sample_weight):
        """A source as what `fit` takes; and as `Labelled`, where it is too large."""
        if is_frozen(self.estimator):  # its columns are looked at
            return next(source_of(X).tables()), None, None, None
        rows = Labelled.of(X, y, sample_weight)
        found = rows.whole()
        return (X, y, sample_weight, rows) if found is None else (*found, None)

    def _fit_in_pieces(self, rows, X, y, sample_weight, is_strict=False):
        """Set the fitted attributes; returns the folds, and what was learned by fold.

        `is_strict` where each row is to be in the same fold in every pass.
        """
        warn_of_shuffle(self)
        outcomes = outcomes_of_kind(rows)
        task = task_for(self, outcomes, outcomes)
        refuse_output(task.predictor, self)
        n, seed = number_of_folds(self), self._seed()
        predictor = task.predictor.fit(X, y, sample_weight)
        look = predictor._look(rows)
        drawn = None
        if n is not None and look.n_rows >= 2 * n:
            drawn = Folds(n, seed)
        elif is_strict:
            raise ValueError(f"cv={n} needs {2 * n} rows of a weight above 0 at least.")
        by_fold, sample = sums_and_sample(predictor, rows, look, drawn)
        sums, parts, seed = None, [], self._seed()
        if with_means(self):
            sums = of_all(by_fold)
        if drawn is not None:
            centre = None if sums is None else sums.centre
            with predictor._observed_by_fold(rows, look, drawn) as (spilled, _):
                outside = outside_on_disk(
                    *(spilled, predictor._fitted, by_fold, centre, is_strict)
                )
                parts = learned_by_fold(predictor, outside, seed)
        head = next(rows.parts())[0]
        self._set_learned(head, predictor, task, sample, sums, parts)
        return drawn, parts

    def _seed(self):
        """A seed, drawn by `random_state`."""
        return check_random_state(self.random_state).randint(2**31 - 1)

    def _set_fitted(self, fitted):
        """Set the network whose tables come out, and what it knows of tokens."""
        tokens = fitted.encoder.tokens
        self._fitted = fitted
        self.categories_ = [index.categories for index in tokens]
        self.category_counts_ = [index.counts for index in tokens]
        self.infrequent_categories_ = [index.infrequent for index in tokens]
        self.is_categorical_ = fitted.encoder.is_categorical
        self.multi_valued_features_ = fitted.encoder.multi_valued
        self.parents_ = fitted.encoder.parents

    # What comes out.

    def _by_fold(self, X, places, parts):
        """Vectors of the tokens in every row, from the rows outside of its fold.

        `places` holds positions of the rows of each fold, and `parts` what was learned
        outside of it.
        """
        encoded, vectors = self.estimator_._encoded(X), None
        for test, part in zip(places, parts, strict=True):
            found = self._vectors(encoded.rows(test), part.network, part.sums)
            if vectors is None:
                vectors = np.empty((len(encoded.codes), found.shape[1]))
            vectors[test] = found
        return self._with_remainder(vectors, as_table(X))

    def _pieces_by_fold(self, rows, drawn, parts):
        """The same of rows that are read in pieces, piece by piece."""
        n = 0
        for table in rows.source.tables(rows.features):
            fold = drawn.of(np.arange(n, n + len(table)))
            n += len(table)
            places = [np.flatnonzero(fold == part.fold) for part in parts]
            yield in_container(self, self._by_fold(table, places, parts), table)

    def _vectors(self, encoded, fitted, sums):
        """Vectors of the tokens in every row, side by side.

        Of rows without numbers, codes alone will do.
        """
        if isinstance(encoded, np.ndarray):
            encoded = Encoded(encoded, None)
        kinds = [self._output.tables(fitted, sums)]
        if self.output == "mean_std":
            kinds.append(self._output.tables(fitted, sums, std=True))
        # In float64: a Ridge behind it finds float32 ill-conditioned.
        parts = [np.zeros((len(encoded.codes), 0))]
        for k, tables in enumerate(zip(*kinds, strict=True)):
            codes, factors = encoded.of_block(k)
            if factors is None:
                parts += [table[codes[:, 0]] for table in tables]
                continue
            parts.append(blended(tables[0], codes, factors))
            for spread in tables[1:]:
                variance = blended(np.square(spread), codes, np.square(factors))
                parts.append(np.sqrt(variance))
            if fitted.encoder.adds_up(k):
                for std in range(len(tables)):
                    found = self._output.of_rows(fitted, encoded, k, bool(std))
                    at = len(parts) - len(tables) + std
                    parts[at][:, -found.shape[1] :] = found
        return np.concatenate(parts, axis=1)

    def _with_remainder(self, vectors, table):
        if self.remainder == "drop" or self.is_categorical_.all():
            return vectors
        others = [
            column.floats()[:, None]
            for column, encoded in zip(read(table), self.is_categorical_, strict=True)
            if not encoded
        ]
        return np.concatenate([vectors, *others], axis=1)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.required = not is_frozen(self.estimator)
        tags.transformer_tags.preserves_dtype = []
        # The one tag by which scikit-learn's checks know that fit_transform is not
        # fit().transform(); with a random_state all of it is deterministic.
        tags.non_deterministic = True
        return tags


def _of_folds(fitted, parts):
    """The network whose vectors of tokens are made of those of the folds.

    What `transform` gives a token then lies among what `fit_transform` gave its rows. A
    fit of its own would wander a per cent or two off, and trees put a threshold into
    the gap.
    """
    if not parts:
        return fitted
    networks = [part.network for part in parts]
    return fitted.combined(networks, np.stack([part.counts for part in parts]))


def _arrays_in_containers(method):
    """A method whose arrays scikit-learn puts into containers, but not its iterators.

    The pieces of these are in containers already.
    """

    @functools.wraps(method)
    def of_any(self, X, *args, **kwargs):
        if not is_source(X):
            return method(self, X, *args, **kwargs)
        found = method.__wrapped__(self, X, *args, **kwargs)
        is_array = isinstance(found, np.ndarray)
        return in_container(self, found, X) if is_array else found

    return of_any


# Around scikit-learn's own wrapper, which would take an iterator for an array.
EmbeddingEncoder.transform = by_piece(EmbeddingEncoder.transform)
EmbeddingEncoder.fit_transform = _arrays_in_containers(EmbeddingEncoder.fit_transform)
