"""The base of the predictors: `fit` as a list of steps, and what follows from it."""

from abc import ABC, abstractmethod
from dataclasses import replace
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _fitting
from ._attributes import FittedTables
from ._data.columns import as_table, take
from ._data.features import FeatureEncoder, choose_categorical
from ._data.rows import Observations
from ._model.activations import ACTIVATION_NAMES
from ._model.network import Knots, initial_weights
from ._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    check_sample_weight,
    feature_names,
    fit_context,
    num_samples,
)
from ._training.hooks import EarlyStopping, Hooks, Progress, SklearnCallbacks


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

    def _held_back(self, fitted, seen):
        """Rows that are to be learned last, to see first how they are predicted."""
        return None

    def _look_back(self, fitted, seen, before=None):
        """What else some rows say once the network is trained.

        They are training rows, or rows that the network `before` had not learned yet.
        """
        return fitted

    # The fit, one line a step.

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
            return self._update(X, y, sample_weight, anchored=False)
        return self._fit_afresh(X, y, sample_weight)

    def _fit_afresh(self, X, y, sample_weight, known=None, is_chunk=False):
        """The steps of a fit; `known` as in `_encode_y`."""
        table, y, weights = self._check_rows(X, y, sample_weight)
        outcome, learned = self._encode_y(y, known)
        likelihood = self._likelihood(learned)
        rng = self._generator()
        kept, held_out = self._split(len(outcome), rng)
        encoder, encoded = self._encode(X, take(table, kept), weights[kept])
        rows = Observations(*encoded, outcome[kept], weights[kept])
        fitted, problem = self._start(encoder, rows, likelihood, rng)
        validation = self._held_out(
            fitted, take(table, held_out), outcome[held_out], weights[held_out]
        )
        back = self._held_back(fitted, rows)
        seen = _Seen(table, y, weights, learned)
        fitted, before, history = self._train(
            fitted, problem, rng, validation, seen, back
        )
        # Here only: what is unseen in a later fit has its vector from before.
        fitted = _fitting.settled(fitted, problem)
        fitted = self._look_back(fitted, back.rows if back else rows, before)
        self._finish(X, fitted, history, learned)
        self._kept = _fitting.within_limits(rows if is_chunk else None)
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
        return self._update(X, y, sample_weight, anchored=True)

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
        return self._update(X, y, sample_weight, anchored=True, frozen=True)

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
        used = np.flatnonzero(weights > 0)
        if len(used) == n:
            return table, y, weights
        return take(table, used), y[used], weights[used]

    def _generator(self):
        """All randomness of a fit comes from this generator."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return np.random.default_rng(seed)

    def _split(self, n, rng):
        """Positions of the rows to learn from, and of those held out."""
        n_held_out = (
            int(round(self.validation_fraction * n)) if self.early_stopping else 0
        )
        if self.early_stopping and (n_held_out < 1 or n_held_out >= n):
            raise ValueError(
                f"early_stopping=True leaves {n_held_out} of {n} rows to stop by and "
                f"{n - n_held_out} to learn from, at a validation_fraction of "
                f"{self.validation_fraction}; both must be at least 1."
            )
        order = rng.permutation(n) if n_held_out else np.arange(n)
        return np.sort(order[n_held_out:]), np.sort(order[:n_held_out])

    def _encode(self, X, table, weights):
        """Encoder of the columns, and the rows encoded."""
        mask = choose_categorical(table, self.categorical_features, feature_names(X))
        _fitting.column_dims(self, int(mask.sum()))
        encoder = FeatureEncoder(mask, with_bins=self.prior is not None)
        encoded = encoder.fit_transform(
            table, weights, self.min_frequency, self.max_categories
        )
        return encoder, encoded

    def _start(self, encoder, seen, likelihood, rng):
        """The untrained network, and the problem it is trained on."""
        likelihood.check(seen.outcome)
        sizes = encoder.column_sizes
        offsets = np.cumsum([0, *sizes])[:-1]
        rows, origin = _fitting.training_rows(seen, offsets, likelihood)
        centre, scale = _fitting.centre_and_scale(
            rows, origin, likelihood, self.prior is not None
        )
        rows = _fitting.standardised(rows, origin, likelihood, centre, scale)
        knots = Knots(*encoder.knots)
        shape, mask = _fitting.architecture(self, seen.outcome.shape[1], sizes, None)
        n_inputs = shape.n_inputs(len(sizes), seen.numbers.shape[1], len(knots.low))
        if self.model is not None:
            shape = shape._replace(head=self._own_head(shape, n_inputs, encoder))
        shapes = shape.weight_shapes(len(sizes), seen.numbers.shape[1], len(knots.low))
        intercept = 0.0
        if shape.posterior:
            intercept = likelihood.intercept(rows.targets, rows.weights)
        initial = initial_weights(shape, sizes, shapes, rng, intercept=intercept)
        fitted = _fitting.Fitted(
            encoder, shape, initial, mask, likelihood, centre, scale, rows.total
        )
        return fitted, _fitting.problem(fitted, rows)

    def _own_head(self, shape, n_inputs, encoder):
        from ._keras.head import KerasHead

        return KerasHead.build(
            self.model,
            {
                "n_inputs": n_inputs,
                "n_outputs": shape.n_outputs,
                "embedding_dims": [shape.width] * len(encoder.column_sizes),
                "n_features_in": len(encoder.is_categorical),
            },
        )

    def _held_out(self, fitted, table, outcome, weights):
        """Loss on the held-out rows as a function of the weights, or None."""
        if not self.early_stopping:
            return None
        from ._keras import trainer

        rows = Observations(*fitted.encoder.transform(table), outcome, weights)
        problem = _fitting.problem(fitted, _fitting.more_rows(fitted, rows))
        return lambda weights: trainer.loss(replace(fitted, weights=weights), problem)

    def _train(
        self, fitted, problem, rng, validation=None, seen=None, back=None, **settings
    ):
        """Train the network.

        Returns it with its new weights, as it was before it learned the rows held
        back (None if there are none), and the history of the run.
        """
        from ._keras import trainer

        options = _fitting.options(self, problem, rng, **settings)
        first, before = problem, None
        if back is not None:
            first = back.problem
            options, last = _fitting.in_two(options, first, problem)
        run = trainer.Run(first, options)
        run.start(fitted.weights)
        hooks = options.look = self._hooks(fitted, run, validation, seen)
        run.train()
        if back is not None:
            if run.stopped:  # the hooks have seen the end; all rows are learned still
                hooks.finish(run)
                hooks = Hooks([])
            before = replace(fitted, weights=run.weights())
            before = _fitting.settled(before, first)
            last.look = hooks
            run = run.go_on(problem, last)
            run.train()
        hooks.finish(run)
        history = {"loss_curve_": run.loss_curve}
        if validation is not None:
            history["validation_loss_curve_"] = hooks.hooks[0].curve
        return replace(fitted, weights=run.weights()), before, history

    def _hooks(self, fitted, run, validation, seen):
        """What looks at the run after every epoch."""
        hooks, epochs = [], run.options.epochs
        if validation is not None:
            tol = run.options.tol or 0.0
            hooks.append(EarlyStopping(validation, tol, self.n_iter_no_change))
        if self.callbacks is not None:
            from ._keras.callbacks import KerasCallbacks

            curve = hooks[0].curve if hooks else None
            hooks.append(KerasCallbacks(self.callbacks, fitted, run, curve))
        if getattr(self, "_skl_callbacks", None):
            context = self._init_callback_context(max_subtasks=epochs)
            context.call_on_fit_task_begin(estimator=self)
            hooks.append(SklearnCallbacks(self, context, fitted, seen))
        if self.verbose:
            hooks.append(Progress(type(self).__name__, epochs, int(self.verbose)))
        return Hooks(hooks)

    def _finish(self, X, fitted, history, learned):
        """Set the fitted attributes: all of them, or (after an error) none."""
        for name in ("validation_loss_curve_", "n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        validate_data(self, X, skip_check_array=True, reset=True)
        vars(self).update(learned, **history)
        self._set_fitted(fitted)
        return self

    def _set_fitted(self, fitted):
        tokens = fitted.encoder.tokens
        self._fitted = fitted
        self.n_iter_ = len(self.loss_curve_)
        self.categories_ = [index.categories for index in tokens]
        self.category_counts_ = [index.counts for index in tokens]
        self.infrequent_categories_ = [index.infrequent for index in tokens]
        self.is_categorical_ = fitted.encoder.is_categorical

    # Going on from a fit.

    def _update(self, X, y, sample_weight, anchored, frozen=False):
        """Train on more rows, from where the last fit ended.

        What came before is the prior (`anchored`), or is learned from again where its
        rows are kept.
        """
        fitted = self._fitted
        table, y, weights = self._check_rows(X, y, sample_weight)
        validate_data(self, X, skip_check_array=True, reset=False)
        outcome, _ = self._encode_y(y, known=vars(self))
        fitted.likelihood.check(outcome)
        rng = self._generator()
        encoder, encoded = fitted.encoder.grow_transform(table, weights)
        grown = _fitting.grown(fitted, encoder)
        rows, kept = Observations(*encoded, outcome, weights), None
        if anchored and self._kept is not None:
            kept = _fitting.within_limits(self._kept.more(*rows))
        replayed = kept is not None and not frozen
        if replayed:
            rows = kept
        problem = _fitting.problem(grown, _fitting.more_rows(grown, rows))
        anchored = anchored and not replayed and fitted.architecture.posterior
        if anchored:
            problem.priors = (grown.weights.mean, grown.weights.precision)
        if frozen:
            problem.frozen = True
            problem.row_multiplier = _fitting.tokens_only(encoder)
        n_seen = problem.rows.total + (0.0 if replayed else fitted.n_seen)
        trained, _, history = self._train(
            grown,
            problem,
            rng,
            seen=_Seen(table, y, weights, {}),
            rate_factor=problem.rows.total / n_seen if anchored else 1.0,
            replayed=replayed,
        )
        if replayed:
            trained = _fitting.settled(trained, problem)
        trained = replace(trained, n_seen=n_seen)
        if not (frozen or anchored):  # a chunk alone says less than all rows before it
            trained = self._look_back(trained, rows)
        history["loss_curve_"] = self.loss_curve_ + history["loss_curve_"]
        vars(self).update(history, _kept=kept)
        self._set_fitted(trained)
        return self

    def _observations(self, X, y, sample_weight):
        """Rows and outcomes as the fitted network reads them."""
        table, y, weights = self._check_rows(X, y, sample_weight)
        outcome, _ = self._encode_y(y, known=vars(self))
        return Observations(*self._fitted.encoder.transform(table), outcome, weights)

    def _relearned(self, rows, rng):
        """The network with its tables learned anew from `rows`, all else frozen.

        The tokens start from the prior: what other rows taught is in the dense
        weights, the scales and the tables of the numbers only.
        """
        from ._keras import trainer

        fitted = self._fitted
        if not fitted.encoder.tokens:
            return fitted
        problem = _fitting.problem(fitted, _fitting.more_rows(fitted, rows))
        problem.frozen = True
        problem.row_multiplier = _fitting.tokens_only(fitted.encoder)
        start, problem.priors = _fitting.fresh_tables(fitted, rng)
        run = trainer.Run(problem, _fitting.fresh_options(self, problem, rng))
        run.start(start)
        run.train()
        learned = _fitting.settled(replace(fitted, weights=run.weights()), problem)
        weights = learned.weights
        kept = fitted.weights.with_rows(weights.mean, weights.precision)
        return replace(fitted, weights=kept)

    # Predictions.

    def _encoded(self, X):
        """The rows of X, checked and encoded."""
        check_is_fitted(self)
        table = as_table(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        if num_samples(table) == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape={tuple(table.shape)}) while a "
                "minimum of 1 is required."
            )
        encoder = self._fitted.encoder
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


class _Seen(NamedTuple):
    """What callbacks of scikit-learn may look at: the rows, and attributes of y."""

    X: object
    y: np.ndarray
    weights: np.ndarray
    learned: dict
