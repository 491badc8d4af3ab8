"""The base class of the predictors: `fit` as a list of steps."""

from abc import ABC, abstractmethod
from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ._attributes import FittedTables
from ._data.choice import OF_COLUMNS
from ._data.columns import as_table
from ._data.labelled import Labelled
from ._data.outcomes import are_whole, refuse_missing
from ._data.samples import Samples
from ._data.sources import is_source, refuse_source
from ._model.activations import ACTIVATION_NAMES
from ._model.importance import with_importances
from ._model.tables import KINDS
from ._pieces import InPieces
from ._sklearn import HasMethods, Interval, StrOptions, fit_context, num_samples
from ._training import streams
from ._training.checkpoint import Checkpoint, remove_checkpoints
from ._training.phases import additive_first
from ._training.problem import settled
from ._training.recipe import Recipe
from ._training.start import untrained
from ._versions import VersionedPickles


class BaseEmbedding(
    FittedTables, InPieces, VersionedPickles, CallbackSupportMixin, BaseEstimator, ABC
):
    """Base of the predictors that learn a vector for every token.

    A subclass defines how y is encoded (`_encode_y`), which likelihood it has
    (`_likelihood`), and how outputs become predictions.
    """

    _parameter_constraints: dict = {
        "embedding_dim": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            "array-like",
        ],
        "hidden_layer_sizes": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            "array-like",
        ],
        "activation": [StrOptions(set(ACTIVATION_NAMES)), callable, list, tuple],
        "categorical_features": ["array-like", str, None],
        "multi_valued_features": ["array-like", dict, StrOptions({"auto"}), None],
        "combiner": [StrOptions({"mean", "sum"})],
        "shared_features": ["array-like", None],
        "hierarchy": [dict, None],
        "token_features": [dict, None],
        "varying_slopes": [dict, None],
        "varying_curves": [dict, None],
        "crosses": [StrOptions({"auto"}), list, tuple, None],
        "model": [callable, None],
        "prior": [StrOptions({"normal"}), None],
        "optimizer": [str, HasMethods(["get_config"]), type],
        "learning_rate": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
            HasMethods(["get_config", "__call__"]),
        ],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "tol": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "validation_rows": [StrOptions({"random", "last"})],
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            None,
        ],
        "max_categories": [Interval(Integral, 1, None, closed="left"), None],
        "handle_unknown": [StrOptions({"infrequent_if_exist", "prior", "error"})],
        "warm_start": ["boolean"],
        "callbacks": [
            *(list, tuple, dict, type, None),
            *(HasMethods(["on_epoch_end"]), Checkpoint),
        ],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _kept = None  # rows of a stream that partial_fit learns from again

    def __init__(
        self,
        embedding_dim,
        hidden_layer_sizes,
        activation,
        categorical_features,
        multi_valued_features,
        combiner,
        shared_features,
        hierarchy,
        token_features,
        varying_slopes,
        varying_curves,
        crosses,
        model,
        prior,
        optimizer,
        learning_rate,
        batch_size,
        epochs,
        tol,
        n_iter_no_change,
        early_stopping,
        validation_fraction,
        validation_rows,
        min_frequency,
        max_categories,
        handle_unknown,
        warm_start,
        callbacks,
        verbose,
        random_state,
    ):
        self.embedding_dim = embedding_dim
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.categorical_features = categorical_features
        self.multi_valued_features = multi_valued_features
        self.combiner = combiner
        self.shared_features = shared_features
        self.hierarchy = hierarchy
        self.token_features = token_features
        self.varying_slopes = varying_slopes
        self.varying_curves = varying_curves
        self.crosses = crosses
        self.model = model
        self.prior = prior
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_rows = validation_rows
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    # What a subclass says.

    @abstractmethod
    def _likelihood(self, learned):
        """Likelihood of y, given the attributes that `_encode_y` learned."""

    @abstractmethod
    def _encode_y(self, y, known=None):
        """y as float64 (n_samples, n_outputs), and the attributes it teaches.

        With `known`, a dict of such attributes, y is read as they say.
        """

    def _phases(self, fitted, rows, problem):
        """How the network is trained: its phases, and the rows learned last or None."""
        return additive_first(problem, self._recipe()), None

    def _concluded(self, trained, rows, calibration=None):
        """What else is read from rows once the network is trained.

        `calibration` are rows that the last snapshot of `trained` has not learned from;
        if it has none, the trained network itself.
        """
        return trained.fitted

    # The fit, one line per step.

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn a vector for every token of every categorical column.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The data: a NumPy array, a list of rows, or a data frame of pandas, polars
            or pyarrow. Or a source of rows that need not fit into memory: paths of
            Parquet files, a dataset of pyarrow, a LazyFrame of polars, or an object
            whose ``iter()`` gives data frames anew each time. Read more in
            :ref:`files`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), str or list
            The outcome; of a source the name of its column, or a list of names.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row: weight k is the same as k copies, 0 the same as no row.
            Of a source the name of its column.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` or `y` is empty or has the wrong shape, a numeric column contains
            text or infinity, `y` is not finite, or the weights are negative or all
            zero. The estimator then stays as it was before the call.
        TypeError
            If `X` is a source that can be read once only, or `y` is then no name.
        OSError
            If a file cannot be read, or the disk has no room for the codes of its rows.

        Examples
        --------
        >>> from skembed import EmbeddingClassifier, EmbeddingRegressor
        >>> X = [["red"], ["green"], ["blue"]] * 20
        >>> regressor = EmbeddingRegressor(epochs=20).fit(X, [1.0, 2.0, 4.0] * 20)
        >>> regressor.embedding_.shape
        (3, 4)
        >>> classifier = EmbeddingClassifier(epochs=20).fit(X, ["a", "a", "b"] * 20)
        >>> classifier.classes_.tolist()
        ['a', 'b']
        """
        if is_source(X):
            rows = Labelled.of(X, y, sample_weight)
            found = rows.whole()
            if found is None:
                return self._fit_in_pieces(rows)
            X, y, sample_weight = found
        if self.warm_start and hasattr(self, "_fitted"):
            return self._go_on(X, y, sample_weight, streams.warm_start)
        return self._fit_afresh(X, y, sample_weight)

    def _fit_afresh(self, X, y, sample_weight, known=None, is_chunk=False):
        """The steps of a fit; `known` as in `_encode_y`."""
        samples = self._read(X, y, sample_weight, known, is_chunk)
        rng = self._generator()
        learned, held_out = samples, None
        if self.early_stopping:
            learned, held_out = self._split(samples, rng)
        encoder, rows = learned.encode(*self._columns_told(), *self._limits())
        fitted, problem = self._untrained(encoder, rows, samples.target, rng)
        phases, calibration = self._phases(fitted, rows, problem)
        if held_out is not None:
            calibration = held_out = held_out.encode_by(fitted.encoder)
        trained, curves = self._train(fitted, phases, rng, samples, held_out)
        # Only here: tokens without rows in a later fit keep their vector from before.
        trained = replace(trained, fitted=settled(trained.fitted, problem))
        trained = replace(trained, fitted=with_importances(trained.fitted, rows))
        fitted = self._concluded(trained, rows, calibration)
        self._set_columns(X, samples.target)
        self._set_curves(**curves)
        self._set_fitted(fitted, streams.within_limits(rows if is_chunk else None))
        return self

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train on another chunk of rows, and add the new tokens in it.

        Up to 50,000 rows in all, the estimator keeps the rows (also in its pickle) and
        trains on all of them again with every chunk; each time that they have doubled,
        from the start. When there are more, it drops them. From then on, and from the
        start after a :meth:`fit`, the posterior after the earlier rows is the prior of
        the chunk (streaming variational Bayes, Broderick et al. 2013, section 2).
        Tokens that the chunk does not contain stay as they are. The dense weights move
        less the more rows they have been trained on. The first call is a :meth:`fit`,
        and determines the scales of the numbers and of `y`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            The rows of the chunk.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their outcomes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If `X` does not have the columns, or `y` not the number of outcomes, of the
            first call, if ``early_stopping=True``, or for the reasons of :meth:`fit`.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor
        >>> regressor = EmbeddingRegressor(epochs=20, random_state=0)
        >>> for token, outcome in ("red", 1.0), ("blue", 4.0), ("red", 1.2):
        ...     regressor = regressor.partial_fit([[token]] * 20, [outcome] * 20)
        >>> regressor.categories_[0].tolist(), regressor.category_counts_[0].tolist()
        (['blue', 'red'], [20.0, 40.0])
        """
        self._refuse_early_stopping()
        if not hasattr(self, "_fitted"):
            return self._fit_afresh(X, y, sample_weight, is_chunk=True)
        return self._go_on(X, y, sample_weight, streams.chunk)

    @fit_context(prefer_skip_nested_validation=True)
    def fold_in(self, X, y, sample_weight=None):
        """Learn vectors from a few more rows, with everything else frozen.

        New tokens get a vector. The vectors of known tokens in these rows are updated,
        with their posterior so far as the prior. The dense weights, the scales and the
        tables of the numbers do not change. This is fast, and the axes of the vectors
        keep their meaning.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their outcomes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If `X` does not have the columns, or `y` not the number of outcomes, of
            fit, or for the reasons of :meth:`fit`.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(random_state=0).fit(X, y)
        >>> before = regressor.predict([["mauve"]])
        >>> regressor = regressor.fold_in([["mauve"]] * 5, [3.8, 3.9, 4.0, 4.1, 4.2])
        >>> bool(regressor.predict([["mauve"]]) > before)
        True
        """
        check_is_fitted(self)
        return self._go_on(X, y, sample_weight, streams.fold_in)

    # Steps of a fit.

    def _read(self, X, y, sample_weight, known=None, is_chunk=False):
        """The rows, checked, without those of weight 0; `known` as in `_encode_y`."""
        refuse_source(X)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        refuse_missing(y)
        y = self._check_y(y)
        samples = self._weighted(Samples.checked(X, y, sample_weight, is_chunk))
        outcome, target = self._encode_y(samples.y, known)
        return replace(samples, outcome=outcome, target=target)

    def _split(self, samples, rng):
        """The rows to learn from, and those that are held out."""
        rng = None if self.validation_rows == "last" else rng
        return samples.split(self.validation_fraction, rng)

    def _weighted(self, samples):
        """The rows, with whatever else weighs them."""
        return samples

    def _generator(self):
        """All randomness of a fit comes from this generator."""
        return np.random.default_rng(self._seed())

    def _seed(self):
        return check_random_state(self.random_state).randint(np.iinfo(np.int32).max)

    def _columns_told(self):
        """What the parameters say of the columns; whether numbers come in bins, too."""
        told = {name: getattr(self, name) for name in OF_COLUMNS}
        # A bin of few rows would overfit as a point.
        return told, self._tables.has_spread

    def _limits(self):
        """Which tokens are pooled."""
        return self.min_frequency, self.max_categories

    def _outcomes_seen(self, before, y, weights):
        """Outcomes that stand for all so far, and their weights or None.

        `before` is what came of earlier ones, or None.
        """
        y = y if before is None else np.concatenate([before[0], y])
        # By it rates are told from counts.
        broken = y[~are_whole(y)][:1]
        return np.concatenate([[y.min(axis=0), y.max(axis=0)], broken]), None

    def _factors_seen(self, seen):
        """A function of outcomes that gives what else weighs their rows, or None."""
        return None

    @property
    def _tables(self):
        """Kind of the tables."""
        return KINDS[self.prior]

    def _untrained(self, encoder, rows, target, rng):
        """The untrained network, and the problem it is trained on."""
        make_head = None
        if self.model is not None:
            from ._keras.head import KerasHead

            make_head = partial(KerasHead.build, self.model)
        likelihood = self._likelihood(target)
        return untrained(self, self._tables, encoder, rows, likelihood, make_head, rng)

    def _recipe(self):
        """What the parameters say of training."""
        from ._keras.bridge import rule_and_rate

        optimizer = rule_and_rate(self.optimizer, self.learning_rate)
        return Recipe.of(self, self._tables, optimizer)

    def _train(self, fitted, phases, rng, samples, held_out=None, others=None):
        """The trained network, and the curves of its training."""
        from ._keras.group import NOBODY
        from ._keras.trainer import train
        from ._keras.watching import hooks_of

        others = NOBODY if others is None else others
        hooks = hooks_of(self, fitted, phases, samples, held_out, others)
        trained = train(fitted, phases, rng, hooks, others)
        return trained, {"losses": trained.losses, "validation": hooks.validation_curve}

    def _set_columns(self, X, target):
        """Set what a fit knows of the columns and of y; the first to be set."""
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        validate_data(self, X, skip_check_array=True, reset=True)
        for name, value in target.items():
            setattr(self, name, value)

    def _set_curves(self, losses, validation):
        """Set the loss curves and the number of epochs."""
        self.__dict__.pop("validation_loss_curve_", None)
        self.loss_curve_ = losses
        self.n_iter_ = len(losses)
        if validation is not None:
            self.validation_loss_curve_ = validation

    def _longer(self, losses, validation):
        """The curves so far with those of more epochs; NaN where none was held out."""
        before = getattr(self, "validation_loss_curve_", None)
        if before is not None or validation is not None:
            before = [np.nan] * self.n_iter_ if before is None else before
            validation = [np.nan] * len(losses) if validation is None else validation
            validation = before + validation
        return {"losses": self.loss_curve_ + losses, "validation": validation}

    def _refuse_early_stopping(self):
        """Raise if a chunk is to be stopped by rows held out."""
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: it would hold out "
                "rows of every chunk. Set early_stopping=False, or use fit, with "
                "warm_start=True to go on."
            )

    def _set_fitted(self, fitted, kept):
        """Set the network and what it knows of tokens."""
        tokens = fitted.encoder.tokens
        self._fitted = fitted
        self._kept = kept
        self.categories_ = [index.categories for index in tokens]
        self.category_counts_ = [index.counts for index in tokens]
        self.infrequent_categories_ = [index.infrequent for index in tokens]
        self.is_categorical_ = fitted.encoder.is_categorical
        self.multi_valued_features_ = fitted.encoder.multi_valued
        self.parents_ = fitted.encoder.parents
        remove_checkpoints(self.callbacks)

    # Going on from a fit.

    def _go_on(self, X, y, sample_weight, how):
        """Train on more rows, from where the last fit ended.

        `how` is one of `streams.warm_start`, `chunk` and `fold_in`.
        """
        is_chunk = how is not streams.warm_start
        samples = self._read(X, y, sample_weight, vars(self), is_chunk)
        rng = self._generator()
        validate_data(self, X, skip_check_array=True, reset=False)
        learned, held_out = samples, None
        if self.early_stopping and not is_chunk:
            learned, held_out = self._split(samples, rng)
        next_ = how(self._fitted, learned, self._kept, self._recipe(), rng)
        if held_out is not None:
            held_out = held_out.encode_by(next_.fitted.encoder)
        trained, curves = self._train(
            next_.fitted, next_.phases, rng, samples, held_out
        )
        fitted = streams.continued(trained.fitted, next_)
        if next_.says_all:  # a chunk alone says less than all rows before it
            fitted = with_importances(fitted, next_.rows)
            trained = replace(trained, fitted=fitted)
            fitted = self._concluded(trained, next_.rows, held_out)
        self._set_curves(**self._longer(**curves))
        self._set_fitted(fitted, next_.kept)
        return self

    # What the encoder asks for: networks of its own beside `_fitted`.

    def _observed(self, X, y, sample_weight):
        """Rows and outcomes as the fitted network reads them."""
        samples = self._read(X, y, sample_weight, known=vars(self))
        return samples.encode_by(self._fitted.encoder)

    def _learned_anew(self, fitted, rows, rng):
        """A network with its tokens' vectors learned anew from merged rows."""
        if not fitted.encoder.tokens:
            return fitted
        next_ = streams.anew(fitted, rows, self._recipe(), self.n_iter_, rng)
        return fitted.with_table(self._continued(next_, rng).weights.table)

    def _folded_in(self, fitted, X, y, sample_weight):
        """A network with more rows folded in, and these rows."""
        samples = self._read(X, y, sample_weight, known=vars(self))
        rng = self._generator()
        next_ = streams.fold_in(fitted, samples, None, self._recipe(), rng)
        return self._continued(next_, rng), next_.rows

    def _continued(self, next_, rng):
        from ._keras.trainer import train

        trained = train(next_.fitted, next_.phases, rng)
        return streams.continued(trained.fitted, next_)

    # Predictions.

    def _encoded(self, X, fitted=None):
        """The rows of X, checked and encoded as `fitted` (or the fit) has them."""
        check_is_fitted(self)
        fitted = self._fitted if fitted is None else fitted
        table = as_table(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        if num_samples(table) == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape={tuple(table.shape)}) while a "
                "minimum of 1 is required."
            )
        encoder = fitted.encoder
        if self.handle_unknown == "error":
            encoder.refuse_unknown(table)
        return encoder.transform(table, self.handle_unknown == "infrequent_if_exist")

    def _outputs(self, X):
        """The network's output for every row, its vectors' spread integrated out."""
        encoded, fitted = self._encoded(X), self._fitted
        f = fitted.predictor.integrated(encoded, fitted.likelihood)
        return f if fitted.log_odds is None else fitted.log_odds(f)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_fitted")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.required = True
        return tags
