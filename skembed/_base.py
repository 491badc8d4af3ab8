"""The base of the predictors: `fit` as a list of steps, and what follows from it."""

from abc import ABC, abstractmethod
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ._attributes import FittedTables
from ._data.columns import as_table, take
from ._data.features import FeatureEncoder, choose_categorical
from ._data.rows import Observations
from ._model.activations import ACTIVATION_NAMES
from ._model.tables import KINDS
from ._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    check_sample_weight,
    feature_names,
    fit_context,
    num_samples,
)
from ._training import streams
from ._training.hooks import EarlyStopping, Hooks, Progress, SklearnCallbacks
from ._training.phases import Phase
from ._training.problem import problem_of, settled
from ._training.recipe import Recipe
from ._training.rows import rows_for
from ._training.schedule import steps_per_epoch
from ._training.start import check_vector_lengths, untrained


class BaseEmbedding(FittedTables, CallbackSupportMixin, BaseEstimator, ABC):
    """Base of the predictors that learn a vector for every token.

    A subclass says how y is encoded (`_encode_y`), which likelihood it has
    (`_likelihood_for`), and how outputs become predictions.
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
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            None,
        ],
        "max_categories": [Interval(Integral, 1, None, closed="left"), None],
        "handle_unknown": [StrOptions({"infrequent_if_exist", "prior", "error"})],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, dict, HasMethods(["on_epoch_end"]), type, None],
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

    def _phases(self, fitted, rows, problem, options):
        """How the network is trained: its phases, and the rows learned last or None."""
        return [Phase(problem, options)], None

    def _concluded(self, trained, rows, calibration=None):
        """What else is read from rows once the network is trained.

        `calibration` are rows that the last snapshot of `trained` has not learned from.
        """
        return trained.fitted

    # The fit, one line per step.

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn a vector for every token of every categorical column.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            The table: a NumPy array, a list of rows, or a data frame of pandas,
            polars or pyarrow.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The outcome.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row: k counts as k copies of it, 0 as none.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` or `y` is empty or has another shape than expected, a numeric
            column holds text or infinity, `y` is not finite, or the weights are
            negative or all zero. The estimator is then as it was before the call.

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
        if self.warm_start and hasattr(self, "_fitted"):
            return self._go_on(X, y, sample_weight, self._warm_start)
        return self._fit_afresh(X, y, sample_weight)

    def _fit_afresh(self, X, y, sample_weight, known=None, is_chunk=False):
        """The steps of a fit; `known` as in `_encode_y`."""
        seen = self._read(X, y, sample_weight, known)
        rng = self._generator()
        learned, held_out = self._split(seen, rng)
        encoder, rows = self._encode(learned)
        fitted, problem = self._untrained(encoder, rows, seen, rng)
        options = self._recipe().options(problem)
        phases, calibration = self._phases(fitted, rows, problem, options)
        hooks = self._hooks(fitted, phases, seen, held_out)
        trained = self._train(fitted, phases, rng, hooks)
        # Here only: what is unseen in a later fit has its vector from before.
        trained = replace(trained, fitted=settled(trained.fitted, problem))
        fitted = self._concluded(trained, rows, calibration)
        self._set_columns(X, seen)
        self._set_curves(trained.losses, hooks)
        self._set_fitted(fitted, streams.within_limits(rows if is_chunk else None))
        return self

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Go on learning from more rows, with new tokens among them if there are.

        The rows of the first 50,000 are kept (in the estimator, and so in its pickle)
        and learned from again with every chunk. When there are more, they are dropped:
        from then on, and from the start after a :meth:`fit`, what earlier rows taught
        is the prior of the chunk (streaming variational Bayes, Broderick et al. 2013,
        section 2), tokens that it does not hold stay as they are, and the dense
        weights move the less the more rows they have seen. The first call is a
        :meth:`fit`; it decides on the scales of the numbers and of y.

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
            first call, or for any reason that :meth:`fit` has.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor
        >>> regressor = EmbeddingRegressor(epochs=20, random_state=0)
        >>> for token, outcome in ("red", 1.0), ("blue", 4.0), ("red", 1.2):
        ...     regressor = regressor.partial_fit([[token]] * 20, [outcome] * 20)
        >>> regressor.categories_[0].tolist(), regressor.category_counts_[0].tolist()
        (['blue', 'red'], [20.0, 40.0])
        """
        if not hasattr(self, "_fitted"):
            return self._fit_afresh(X, y, sample_weight, is_chunk=True)
        return self._go_on(X, y, sample_weight, self._chunk)

    @fit_context(prefer_skip_nested_validation=True)
    def fold_in(self, X, y, sample_weight=None):
        """Learn vectors from a few more rows with everything else frozen.

        New tokens get a vector, old tokens of these rows have theirs brought up to
        date with what they knew as the prior; the dense weights, the scales and the
        tables of the numbers stay. Cheap, and the axes of the vectors do not move.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Labelled rows.
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
            fit, or for any reason that :meth:`fit` has.

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
        return self._go_on(X, y, sample_weight, self._fold_in)

    # Steps of a fit.

    def _read(self, X, y, sample_weight, known=None):
        """The rows, checked, without those of weight 0."""
        table, y, weights = self._check_rows(X, y, sample_weight)
        outcome, target = self._encode_y(y, known)
        return Seen(table, y, weights, outcome, target)

    def _check_rows(self, X, y, sample_weight):
        """Table, y and weights, checked, without the rows of weight 0."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        table = as_table(X)
        n = num_samples(table)
        if n == 0 or table.shape[1] == 0:
            what = "sample" if n == 0 else "feature"
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={tuple(table.shape)}) while a "
                "minimum of 1 is required."
            )
        y = self._check_y(y)
        check_consistent_length(table, y, sample_weight)
        if sample_weight is None:
            return table, y, np.ones(n)
        weights = check_sample_weight(
            sample_weight, np.empty((n, 1)), dtype=np.float64, ensure_non_negative=True
        )
        return without_weightless(table, y, weights)

    def _generator(self):
        """All randomness of a fit comes from this generator."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return np.random.default_rng(seed)

    def _split(self, seen, rng):
        """The rows to learn from, and those held out or None."""
        if not self.early_stopping:
            return seen, None
        n = len(seen.weights)
        n_held_out = int(round(self.validation_fraction * n))
        if n_held_out < 1 or n_held_out >= n:
            raise ValueError(
                f"early_stopping=True leaves {n_held_out} of {n} rows to stop by and "
                f"{n - n_held_out} to learn from, at a validation_fraction of "
                f"{self.validation_fraction}; both must be at least 1."
            )
        order = rng.permutation(n)
        learned, held_out = np.sort(order[n_held_out:]), np.sort(order[:n_held_out])
        return seen.rows(learned), seen.rows(held_out)

    def _encode(self, seen):
        """Encoder of the columns, and the rows encoded."""
        wanted, names = self.categorical_features, feature_names(seen.table)
        mask = choose_categorical(seen.table, wanted, names)
        check_vector_lengths(self.embedding_dim, int(mask.sum()))
        # A bin of few rows would overfit as a point.
        encoder = FeatureEncoder(mask, with_bins=self._tables.has_spread)
        encoded = encoder.fit_transform(
            seen.table, seen.weights, self.min_frequency, self.max_categories
        )
        return encoder, Observations(*encoded, seen.outcome, seen.weights)

    @property
    def _tables(self):
        """Kind of the tables."""
        return KINDS[self.prior]

    def _untrained(self, encoder, rows, seen, rng):
        """The untrained network, and the problem it is trained on."""
        likelihood, make_head = self._likelihood(seen.target), None
        if self.model is not None:
            from ._keras.head import KerasHead

            make_head = partial(KerasHead.build, self.model)
        fitted, merged = untrained(
            self, self._tables, encoder, rows, likelihood, make_head, rng
        )
        return fitted, problem_of(fitted, merged)

    def _recipe(self):
        """What the parameters say of training."""
        from ._keras.bridge import rule_and_rate

        optimizer = rule_and_rate(self.optimizer, self.learning_rate)
        return Recipe.of(self, self._tables, optimizer)

    def _train(self, fitted, phases, rng, hooks):
        """Train the network through its phases."""
        from ._keras.trainer import train

        return train(fitted, phases, rng, hooks)

    def _hooks(self, fitted, phases, seen, held_out=None):
        """What looks at the run after every epoch."""
        hooks, first = [], phases[0]
        options, n_rows = first.options, first.problem.rows.total
        if held_out is not None:
            loss, tol = self._loss_on(fitted, held_out), options.tol or 0.0
            hooks.append(EarlyStopping(loss, tol, self.n_iter_no_change))
        if self.callbacks is not None:
            from ._keras.callbacks import KerasCallbacks

            n_steps = steps_per_epoch(n_rows, options.batch_size)
            curve = hooks[0].curve if hooks else None
            hooks.append(
                KerasCallbacks(self.callbacks, fitted, options, n_steps, curve)
            )
        if getattr(self, "_skl_callbacks", None):
            context = self._init_callback_context(max_subtasks=options.epochs)
            context.call_on_fit_task_begin(estimator=self)
            hooks.append(SklearnCallbacks(self, context, fitted, seen))
        if self.verbose:
            name = type(self).__name__
            hooks.append(Progress(name, options.epochs, int(self.verbose)))
        return Hooks(hooks)

    def _loss_on(self, fitted, held_out):
        """Loss on the held-out rows as a function of the weights."""
        from ._keras.trainer import loss

        encoded = fitted.encoder.transform(held_out.table)
        rows = Observations(*encoded, held_out.outcome, held_out.weights)
        problem = problem_of(fitted, rows_for(fitted, rows))
        return lambda weights: loss(fitted.with_weights(weights), problem)

    def _set_columns(self, X, seen):
        """Set what a fit knows of the columns and of y; the first to be set."""
        for name in ("validation_loss_curve_", "n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        validate_data(self, X, skip_check_array=True, reset=True)
        for name, value in seen.target.items():
            setattr(self, name, value)

    def _set_curves(self, losses, hooks):
        """Set the loss curves and the number of epochs."""
        self.loss_curve_ = losses
        self.n_iter_ = len(losses)
        for hook in hooks.hooks:
            if isinstance(hook, EarlyStopping):
                self.validation_loss_curve_ = hook.curve

    def _set_fitted(self, fitted, kept):
        """Set the network and what it knows of tokens."""
        tokens = fitted.encoder.tokens
        self._fitted = fitted
        self._kept = kept
        self.categories_ = [index.categories for index in tokens]
        self.category_counts_ = [index.counts for index in tokens]
        self.infrequent_categories_ = [index.infrequent for index in tokens]
        self.is_categorical_ = fitted.encoder.is_categorical

    # Going on from a fit.

    def _go_on(self, X, y, sample_weight, how):
        """Train on more rows, from where the last fit ended.

        `how` turns the grown network and the rows into what is to be trained.
        """
        seen = self._read(X, y, sample_weight, known=vars(self))
        validate_data(self, X, skip_check_array=True, reset=False)
        rng = self._generator()
        next_ = how(*self._grown(self._fitted, seen))
        hooks = self._hooks(next_.fitted, [next_.phase], seen)
        trained = self._train(next_.fitted, [next_.phase], rng, hooks)
        fitted = streams.continued(trained.fitted, next_)
        if next_.says_all:  # a chunk alone says less than all rows before it
            fitted = self._concluded(replace(trained, fitted=fitted), next_.rows)
        self._set_curves(self.loss_curve_ + trained.losses, hooks)
        self._set_fitted(fitted, next_.kept)
        return self

    def _warm_start(self, fitted, rows):
        return streams.warm_start(fitted, rows, self._recipe())

    def _chunk(self, fitted, rows):
        return streams.chunk(fitted, rows, self._kept, self._recipe())

    def _fold_in(self, fitted, rows):
        return streams.fold_in(fitted, rows, self._kept, self._recipe())

    def _grown(self, fitted, seen):
        """The network with a table row for every new token, and the rows encoded."""
        fitted.likelihood.check(seen.outcome)
        encoder, encoded = fitted.encoder.grow_transform(seen.table, seen.weights)
        rows = Observations(*encoded, seen.outcome, seen.weights)
        return fitted.grown(encoder), rows

    # What the encoder asks for: a network of its own beside `_fitted`.

    def _observed(self, X, y, sample_weight):
        """Rows and outcomes as the fitted network reads them."""
        seen = self._read(X, y, sample_weight, known=vars(self))
        encoded = self._fitted.encoder.transform(seen.table)
        return Observations(*encoded, seen.outcome, seen.weights)

    def _learned_anew(self, fitted, rows, rng):
        """A network with its tokens' vectors learned anew from `rows`."""
        if not fitted.encoder.tokens:
            return fitted
        next_ = streams.anew(fitted, rows, self._recipe(), self.n_iter_, rng)
        trained = self._train(next_.fitted, [next_.phase], rng, Hooks())
        return fitted.with_table(streams.continued(trained.fitted, next_).weights.table)

    def _folded_in(self, fitted, X, y, sample_weight):
        """A network with more rows folded in, and these rows."""
        seen = self._read(X, y, sample_weight, known=vars(self))
        grown, rows = self._grown(fitted, seen)
        next_ = streams.fold_in(grown, rows, None, self._recipe())
        trained = self._train(grown, [next_.phase], self._generator(), Hooks())
        return streams.continued(trained.fitted, next_), rows

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
        """The network's output for every row, in units of its own."""
        encoded = self._encoded(X)
        return self._fitted.predictor.outputs(encoded)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_fitted")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.required = True
        return tags


class Seen(NamedTuple):
    """Checked rows of a call, as they came and as the network learns from them.

    Attributes
    ----------
    table : data frame or ndarray
    y : ndarray
    weights : ndarray of float64 of shape (n_rows,)
    outcome : ndarray of float64 of shape (n_rows, n_outputs)
    target : dict
        Fitted attributes that y teaches.
    """

    table: object
    y: np.ndarray
    weights: np.ndarray
    outcome: np.ndarray
    target: dict

    def rows(self, at):
        """The rows at these positions."""
        return Seen(
            take(self.table, at),
            self.y[at],
            self.weights[at],
            self.outcome[at],
            self.target,
        )


def without_weightless(table, y, weights):
    """Table, y and weights without the rows of weight 0."""
    used = np.flatnonzero(weights > 0)
    if len(used) == len(weights):
        return table, y, weights
    return take(table, used), y[used], weights[used]
