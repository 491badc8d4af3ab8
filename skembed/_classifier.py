"""EmbeddingClassifier."""

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.special import log_expit, log_softmax
from sklearn.base import ClassifierMixin
from sklearn.callback import with_callbacks
from sklearn.utils import check_array
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import (
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from ._base import BaseEmbedding
from ._data.sources import is_source, refuse_source
from ._model.calibration import LogOdds
from ._model.likelihoods import Bernoulli, Categorical
from ._pieces import accuracy, by_piece, predicted_pieces
from ._sklearn import StrOptions, check_y, fit_context
from ._training import streams


class EmbeddingClassifier(ClassifierMixin, BaseEmbedding):
    """Classification on tokens, with a learned vector for every token.

    Every categorical column has a table with one vector per token. The log-odds of the
    classes are a function of the vectors of a row's tokens and of the row's numbers.
    With ``prior="normal"`` every vector is a normal distribution, trained on the
    evidence lower bound. The vectors of rare tokens shrink towards the prior as far as
    the data demand, which keeps the probabilities calibrated for rare tokens, too. With
    ``prior=None`` the vectors are points, and the network has only the layers of
    `hidden_layer_sizes`.

    Read more in the :ref:`User Guide <user_guide>`.

    Parameters
    ----------
    embedding_dim : "auto", int or array-like of int, default="auto"
        Length of the vectors: one for all categorical columns or one per column.
        "auto" is ``4 * log10(n)``, rounded, but at least 4 and at most 8; `n` is the
        number of tokens (or, under a prior, of bins of a number) of the largest
        column. Under a prior it is also at least the number of classes (or of columns
        of `y`), up to 32: a token then has an effect of its own on each. Coordinates
        that the data do not need fall back to the prior (see `n_active_dims_`), so a
        generous length does little harm but to the time.
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Number of units of each hidden layer. "auto" is ``(64, 64)``, an empty tuple
        means no hidden layer.
    activation : str, callable, or list of them, default="relu"
        Activation of the hidden layers, one for all or one per layer: the name of a
        Keras activation, or a function of a tensor. Ignored if `model` is given.
    categorical_features : "auto", "all", None or array-like, default="auto"
        Columns of tokens: their names, their indices or a mask of shape (n_features,).
        "auto": every column that is not floating point; "all": every column; None: no
        column.
    multi_valued_features : "auto", array-like, dict or None, default="auto"
        Columns whose cells hold several tokens: their names, indices or a mask, where
        cells of text are split at "|"; or a dict from names or indices to delimiters
        (None for cells that are lists). Lists, sets and arrays in a column of objects,
        lists of Arrow and polars, and dicts (maps of Arrow) from tokens to weights are
        read as well. Columns of lists need not be named. "auto": only these. None: no
        column, and a column of lists is none of tokens.
    combiner : {"mean", "sum"}, default="mean"
        How the vectors of the tokens in a cell become one: their weighted mean or their
        weighted sum.
    shared_features : list of array-like, default=None
        Groups of columns, by their names or indices, that share a vocabulary, such as
        ``[["home", "away"]]``. They have the same `categories_`, and their vectors the
        same coordinates but for the first-order ones, which with their prior scales are
        of each column.
    hierarchy : dict, default=None
        What the tokens of columns are within, as ``{"zip": ["county", "state"]}``: from
        a column, by its name or index, to its parents, the nearest first. A parent
        is a column, or a mapping from tokens to parents (a dict, a Series); a data
        frame indexed by token has a parent in every column. The prior mean of a token's
        vector is the vector of its parent: an unknown token is its parent, with the
        spread of tokens about theirs. The vectors of parents are in those of their
        children; the network reads no others of them.
    token_features : dict, default=None
        What is known of tokens besides, such as ``{"film": frame}``: from a column, by
        its name or index, to a data frame with one row per token, which is the index in
        pandas and the first column elsewhere; or to a dict of its columns. Numbers
        (text vectors, too) and tokens are features. The prior mean of a token's vector
        is a map of its features, which is learned: linear, but that a few numbers act
        along curves. A token that fit has not seen is what its features say, with the
        spread of tokens about that.
    varying_slopes : dict, default=None
        Numbers that act differently by token, such as ``{"person": ["year"]}``: from a
        column of tokens, by its name or index, to columns of numbers, or to "all" of
        them. Every token has a slope of its own about the common one, under a prior
        whose scale is learned: the growth of a person's wage, ``(1 + year | person)``
        of lme4. Beyond the range of fit a slope goes on.
    varying_curves : dict, default=None
        The same with a smooth curve per token in the place of a slope, where a line is
        too little. Beyond the range of fit a curve stays where it ends.
    crosses : "auto", list of tuples or None, default=None
        Pairs of columns that are a column, too, such as ``[("agent", "country")]``:
        every pair of tokens that is in several rows has a first-order effect of its
        own, beside those of the two, under a prior whose scale is learned. It is the
        memory of a particular pair, where nothing follows from what its tokens are
        like. "auto": the pairs of columns, five at most, in which residuals of a quick
        additive fit are alike beyond doubt, also where numbers are far apart
        (`crosses_`).
    model : callable, default=None
        A head of your own in place of the hidden layers. It is a function of a dict
        with the keys "n_inputs", "n_outputs", "embedding_dims" and "n_features_in",
        and returns a ``keras.Model`` from inputs of shape (n_inputs,) to outputs of
        shape (n_outputs,). The same training loop trains it, and predictions go
        through Keras.
    prior : {"normal"} or None, default="normal"
        "normal": vectors are distributions under the prior ``Normal(0, s^2)``. The
        prior scales `s` of the first-order effects are learned, per column and output;
        those of the other coordinates are 1. None: vectors are points.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes as ``{label: weight}``, which are multiplied with the
        weights of the rows. "balanced" makes the total weights of the classes equal, in
        :meth:`partial_fit` chunk by chunk. For a 2-d `y`: a list of such dicts, one per
        output. Class weights move the predicted probabilities away from the shares in
        the data.
    optimizer : str, keras.optimizers.Optimizer or class, default="adam"
        Update rule of the dense weights and, with ``prior=None``, of the vectors:
        "adam", "rmsprop", "adagrad", "sgd", or a Keras optimizer of one of these kinds.
        Under a prior, natural-gradient steps move the vectors.
    learning_rate : "auto", float or schedule, default="auto"
        Learning rate, or a ``keras.optimizers.schedules.LearningRateSchedule``.
        "auto" is 0.005 under a prior, otherwise the rate of the optimizer. Under a
        prior a float is the highest rate: the rate warms up to it, and then falls along
        a cosine to 0.
    batch_size : "auto" or int, default="auto"
        Number of rows per step. "auto" is a power of two near a 100th of the rows,
        from 32 to 8,192. With ``epochs="auto"`` and a prior, steps of up to 512 rows
        take 2, 4 and 8 times as many after 30, 50 and 70 % of the training, up to 1,024
        and a quarter of the rows.
    epochs : "auto" or int, default="auto"
        Maximum number of passes over the data. "auto" is 40 up to 25,000 rows and
        falls slowly beyond (10 at 10 million rows), but is at least 1,000 steps and at
        most 600 passes.
    tol : "auto", float or None, default="auto"
        Training stops if the best loss of the last `n_iter_no_change` epochs is not
        lower than the best loss before them by more than `tol`. Under a prior, the rest
        of the learning-rate decay then runs in a tenth of the steps made so far. None
        never stops. "auto" is 1e-4 if `epochs` is "auto", and None otherwise.
    n_iter_no_change : int, default=10
        Number of epochs without improvement after which `tol` and `early_stopping`
        stop the training.
    early_stopping : bool, default=False
        Whether to hold out rows, stop when the loss on them no longer falls, and
        restore the weights with the lowest loss on them.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows that `early_stopping` holds out; at most about 260,000 of
        rows that are read in pieces.
    validation_rows : {"random", "last"}, default="random"
        Which rows `early_stopping` holds out; "last" is for rows in the order of time.
    min_frequency : int or float in (0, 1), default=None
        Tokens with a smaller weighted count (int) or share of the total weight (float)
        are pooled: they share one vector. None: no lower limit.
    max_categories : int, default=None
        Maximum number of vectors per column, the pooled one included. The rarest tokens
        are pooled. None: no limit.
    handle_unknown : str, default="infrequent_if_exist"
        How a token that fit has not seen is treated at prediction.
        "infrequent_if_exist": as a pooled token if the column has any, otherwise as
        "prior". "prior": as the prior, a vector of zeros (with ``prior=None`` the mean
        vector of the column). "error": as an error, which names the tokens. A missing
        value is unknown if fit saw none, and never pooled.
    warm_start : bool, default=False
        Whether another `fit` continues from the last one and adds new tokens.
    callbacks : keras.callbacks.Callback, class, or list or dict of them, default=None
        Keras callbacks. Their hooks of epochs and of training are called, those of
        batches are not. Or a :class:`Checkpoint`, from which a fit that was killed goes
        on.
    verbose : int, default=0
        1 prints about ten lines per fit, 2 prints one line per epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the order of the rows and the samples of the
        vectors. Pass an int for reproducible results.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; for a 2-d `y` the indices of its columns.
    embedding_ : ndarray of shape (n_tokens, embedding_dim), float32
        Vectors of the only categorical column, under a prior their posterior means.
        ``embedding_[j]`` belongs to ``categories_[0][j]``. Under a prior coordinate 0
        is the token's first-order effect on the log-odds (for more than two classes see
        Notes). AttributeError unless there is exactly one categorical column.
    embeddings_ : list of ndarray of shape (n_tokens_k, embedding_dim_k), float32
        The vectors of every categorical column.
    embedding_std_ : ndarray of shape (n_tokens, embedding_dim), float32
        Posterior standard deviations of the coordinates in `embedding_`.
        AttributeError with ``prior=None``.
    embeddings_std_ : list of ndarray of shape (n_tokens_k, embedding_dim_k), float32
        Posterior standard deviations of the coordinates in `embeddings_`.
    crosses_ : list of tuple of (int, int)
        The pairs of columns that are crossed, by their positions.
    slopes_ : dict of (int, int) to ndarray of shape (n_tokens_k,) or with n_outputs
        Of `varying_slopes`: for each column of tokens and of numbers, by their
        positions, how much more the output rises per unit of the number than in
        general, token by token: in log-odds.
    slopes_std_ : dict
        Posterior standard deviations of `slopes_`, with the tokens' levels as they are.
    prior_scales_ : list of ndarray of shape (embedding_dim_k,), float32
        Prior scales of every categorical column, one per coordinate.
    n_active_dims_ : list of int
        Number of coordinates in use of every categorical column. A coordinate is in use
        if its posterior variance, on average over the training rows, is less than half
        of the prior's. Only under a prior.
    categories_ : list of ndarray of shape (n_tokens_k,)
        Tokens of every categorical column, sorted; a missing value comes last.
    category_counts_ : list of ndarray of shape (n_tokens_k,), float64
        Weighted number of training rows of every token.
    infrequent_categories_ : list of ndarray or None
        The pooled tokens of every categorical column; None where there are none.
    is_categorical_ : ndarray of shape (`n_features_in_`,), bool
        Which columns are tokens.
    feature_importances_ : ndarray of shape (`n_features_in_`,), float64
        Share of every column in the variance of the output, their sum is 1: half of the
        mean square by which the output (the log-odds) changes when the
        column's cells are exchanged among training rows. Interactions count for every
        column that takes part in them; of columns that tell the same each has a part.
        :meth:`fold_in` does not change it.
    parents_ : dict of int to dict of int to ndarray of shape (n_tokens,)
        Of columns within others: for each column of parents, by their positions, the
        parent that most rows have, token by token; None where it is unknown.
    multi_valued_features_ : dict of int to str or None
        The columns of several tokens, and their delimiters.
    loss_curve_ : list of float
        Objective of every epoch, per row, in nats: the loss (``prior=None``) or the
        negative evidence lower bound.
    validation_loss_curve_ : list of float
        Log-loss of every epoch on the held-out rows, in the units of `loss_curve_`.
        Only after ``early_stopping=True``.
    n_iter_ : int
        Number of epochs.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only if all columns have names.
    model_ : keras.Model
        The trained network, built anew at every access. Its inputs are those that
        :meth:`model_inputs` returns. Keras can load a saved one without this library.

    See Also
    --------
    EmbeddingRegressor : Regression on tokens, with a description of the model.
    EmbeddingEncoder : Turns tokens into vectors for any other model.
    TokenSimilarity : Finds tokens that are alike.

    Notes
    -----
    The model and its training are those of :class:`EmbeddingRegressor` with another
    likelihood. For two classes it is Bernoulli with one logit. For more classes it is
    categorical, with a softmax over one output per class. For a 2-d `y` of zeros and
    ones it is one Bernoulli per output. With several outputs, the first
    ``min(embedding_dim, n_outputs)`` coordinates of a vector reach the outputs
    directly, through a learned matrix that a prior holds to the identity. Scales of the
    prior are learned class by class, as normal about what all classes of a column have
    in common.

    Rows with equal tokens and numbers are merged into one row with the shares of the
    classes, which leaves the objective the same.

    References
    ----------
    .. [1] M. E. Khan et al., "Fast and scalable Bayesian deep learning by
       weight-perturbation in Adam", ICML 2018, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skembed import EmbeddingClassifier
    >>> rng = np.random.default_rng(0)
    >>> share = {"red": 0.1, "green": 0.5, "lime": 0.5, "blue": 0.9}
    >>> X = rng.choice(list(share), size=(400, 1))
    >>> ripe = rng.random(400) < [share[token] for token in X[:, 0]]
    >>> y = np.where(ripe, "ripe", "unripe")
    >>> classifier = EmbeddingClassifier(random_state=0).fit(X, y)
    >>> classifier.classes_.tolist()
    ['ripe', 'unripe']
    >>> classifier.predict([["red"], ["blue"]]).tolist()
    ['unripe', 'ripe']
    >>> classifier.predict_proba([["red"], ["mauve"]]).shape
    (2, 2)
    """

    _parameter_constraints: dict = {
        **BaseEmbedding._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        embedding_dim="auto",
        hidden_layer_sizes="auto",
        activation="relu",
        *,
        categorical_features="auto",
        multi_valued_features="auto",
        combiner="mean",
        shared_features=None,
        hierarchy=None,
        token_features=None,
        varying_slopes=None,
        varying_curves=None,
        crosses=None,
        model=None,
        prior="normal",
        class_weight=None,
        optimizer="adam",
        learning_rate="auto",
        batch_size="auto",
        epochs="auto",
        tol="auto",
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        validation_rows="random",
        min_frequency=None,
        max_categories=None,
        handle_unknown="infrequent_if_exist",
        warm_start=False,
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            embedding_dim=embedding_dim,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            categorical_features=categorical_features,
            multi_valued_features=multi_valued_features,
            combiner=combiner,
            shared_features=shared_features,
            hierarchy=hierarchy,
            token_features=token_features,
            varying_slopes=varying_slopes,
            varying_curves=varying_curves,
            crosses=crosses,
            model=model,
            prior=prior,
            optimizer=optimizer,
            learning_rate=learning_rate,
            batch_size=batch_size,
            epochs=epochs,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            validation_rows=validation_rows,
            min_frequency=min_frequency,
            max_categories=max_categories,
            handle_unknown=handle_unknown,
            warm_start=warm_start,
            callbacks=callbacks,
            verbose=verbose,
            random_state=random_state,
        )
        self.class_weight = class_weight

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train on another chunk of rows, and add the new tokens in it.

        It works as :meth:`EmbeddingRegressor.partial_fit`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            The rows of the chunk.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels of all chunks. Required in the first call; optional in the
            following ones and after a `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call or differs from `classes_`, `y`
            contains other labels, or ``early_stopping=True``.

        Examples
        --------
        >>> from skembed import EmbeddingClassifier
        >>> classifier = EmbeddingClassifier(epochs=20, random_state=0)
        >>> X, y = [["red"], ["green"]] * 20, ["a", "b"] * 20
        >>> classifier = classifier.partial_fit(X, y, classes=["a", "b"])
        >>> classifier = classifier.partial_fit([["blue"]] * 20, ["b"] * 20)
        >>> classifier.categories_[0].tolist()
        ['blue', 'green', 'red']
        """
        self._refuse_early_stopping()
        fitted = hasattr(self, "_fitted")
        if classes is None:
            if not fitted:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit."
                )
            return self._go_on(X, y, sample_weight, streams.chunk)
        classes = unique_labels(classes)
        if fitted:
            if not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to "
                    f"partial_fit, was: {self.classes_!r}"
                )
            return self._go_on(X, y, sample_weight, streams.chunk)
        _refuse_one_class(self, classes)
        multilabel = type_of_target(y, input_name="y") == "multilabel-indicator"
        known = {"classes_": classes, "_is_multilabel": multilabel}
        return self._fit_afresh(X, y, sample_weight, known, is_chunk=True)

    @by_piece
    def predict(self, X):
        """Predict the most probable class.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows. Of a source, as :meth:`fit` has it, the columns of fit are read,
            and what is returned is an iterator of results, piece by piece.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels; for a 2-d `y` zeros and ones, int64.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or holds a token that fit has not
            seen and ``handle_unknown="error"``.

        Examples
        --------
        >>> from skembed import EmbeddingClassifier
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, ["a", "b", "b"] * 20
        >>> classifier = EmbeddingClassifier(random_state=0).fit(X, y)
        >>> classifier.predict([["blue"], ["red"]]).tolist()
        ['b', 'a']
        """
        f = self._outputs(X)
        if self._is_multilabel:
            return (f > 0).astype(np.int64)
        if len(self.classes_) == 2:
            return self.classes_[(f[:, 0] > 0).astype(np.intp)]
        return self.classes_[f.argmax(axis=1)]

    @by_piece
    def decision_function(self, X):
        """Compute the log-odds of the classes.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows. Of a source, as :meth:`fit` has it, the columns of fit are read,
            and what is returned is an iterator of results, piece by piece.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            For two classes the log-odds of ``classes_[1]``; for more the logarithms of
            the probabilities up to a constant per row; for a 2-d `y` the log-odds of
            every output.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or holds a token that fit has not
            seen and ``handle_unknown="error"``.

        Examples
        --------
        >>> from skembed import EmbeddingClassifier
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, ["a", "b", "b"] * 20
        >>> classifier = EmbeddingClassifier(random_state=0).fit(X, y)
        >>> (classifier.decision_function([["blue"], ["red"]]) > 0).tolist()
        [True, False]
        """
        f = self._outputs(X)
        return f[:, 0] if len(self.classes_) == 2 and not self._is_multilabel else f

    @by_piece
    def predict_proba(self, X):
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows. Of a source, as :meth:`fit` has it, the columns of fit are read,
            and what is returned is an iterator of results, piece by piece.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), float64
            In the order of `classes_`. For a 2-d `y` the probability of a one in each
            output.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or holds a token that fit has not
            seen and ``handle_unknown="error"``.

        Examples
        --------
        >>> from skembed import EmbeddingClassifier
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, ["a", "b", "b"] * 20
        >>> classifier = EmbeddingClassifier(random_state=0).fit(X, y)
        >>> p = classifier.predict_proba([["blue"], ["red"]])
        >>> p.shape, (p[:, 1] > 0.5).tolist()
        ((2, 2), [True, False])
        """
        return self._outcome(self._outputs(X))

    @by_piece
    def predict_log_proba(self, X):
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows. Of a source, as :meth:`fit` has it, the columns of fit are read,
            and what is returned is an iterator of results, piece by piece.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes), float64
            As :meth:`predict_proba`; finite where a probability rounds to 0.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or holds a token that fit has not
            seen and ``handle_unknown="error"``.

        Examples
        --------
        >>> from skembed import EmbeddingClassifier
        >>> import numpy as np
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, ["a", "b", "b"] * 20
        >>> classifier = EmbeddingClassifier(random_state=0).fit(X, y)
        >>> X = [["blue"], ["red"]]
        >>> log_p = classifier.predict_log_proba(X)
        >>> bool(np.allclose(np.exp(log_p), classifier.predict_proba(X)))
        True
        """
        f = self._outputs(X)
        if self._is_multilabel:
            return log_expit(f)
        if f.shape[1] == 1:
            return log_expit(np.concatenate([-f, f], axis=1))
        return log_softmax(f, axis=1)

    def score(self, X, y, sample_weight=None):
        """Compute the share of rows whose class is predicted.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), str or list
            Their labels; of a source the name of their column, or a list of names.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row; of a source the name of its column.

        Returns
        -------
        score : float
            From 0 to 1. Of several outcomes all have to be right.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or `y` is of another length.

        Examples
        --------
        >>> from skembed import EmbeddingClassifier
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, ["a", "b", "b"] * 20
        >>> EmbeddingClassifier(random_state=0).fit(X, y).score(X, y)
        1.0
        """
        if is_source(X):
            return accuracy(predicted_pieces(self, X, y, sample_weight))
        return super().score(X, y, sample_weight)

    def calibrate(self, X, y, sample_weight=None):
        """Bring probabilities up to date by rows that fit has not seen.

        All log-odds are multiplied by one slope and shifted, class by class, as makes
        the outcomes of these rows most likely. Below 1 the slope says that
        probabilities had been too sure. Vectors stay as they are. A weak prior holds
        the slope to 1 and the shifts to 0, so a few rows change little.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels, of the classes that fit has seen. Not all have to be there.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. `class_weight` weighs rows here as it does in fit.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, `y` has other classes, or for the
            reasons of :meth:`fit`.

        Examples
        --------
        >>> from skembed import EmbeddingClassifier
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, ["a", "b", "b"] * 20
        >>> classifier = EmbeddingClassifier(random_state=0).fit(X, y)
        >>> before = classifier.predict_proba([["red"]])[0, 0]
        >>> classifier = classifier.calibrate([["red"]] * 50, ["a", "b"] * 25)
        >>> bool(0.4 < classifier.predict_proba([["red"]])[0, 0] < before)
        True
        """
        check_is_fitted(self)
        refuse_source(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        rows = self._observed(X, y, sample_weight)
        fitted = self._fitted
        encoded = rows.encoded(slice(None))
        f = fitted.predictor.integrated(encoded, fitted.likelihood)
        learned = LogOdds.learned(fitted.likelihood, f, rows.outcome, rows.weights)
        self._fitted = replace(fitted, log_odds=learned)
        return self

    # What the base asks for.

    def _likelihood(self, learned):
        one_of_many = not learned["_is_multilabel"] and len(learned["classes_"]) > 2
        return Categorical("categorical") if one_of_many else Bernoulli("bernoulli")

    def _check_y(self, y):
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                f"Unknown label type: {kind}. A 2-d y must be an indicator matrix of "
                "zeros and ones."
            )
        if kind == "multilabel-indicator":
            y = y.toarray() if sparse.issparse(y) else y
            return check_array(y, dtype=None, input_name="y")
        return check_y(y, multi_output=False, estimator=self)

    def _weighted(self, samples):
        if self.class_weight is None:
            return samples
        y, weights = samples.y, samples.weights
        factors = _class_weights(self.class_weight, y, weights)
        if not (weights * factors > 0).any():
            raise ValueError("class_weight leaves no row with a weight above 0.")
        return samples.of_weight(factors)

    def _outcomes_seen(self, before, y, weights):
        if y.ndim == 2:
            return y[:1], None
        if before is not None:
            y = np.concatenate([before[0], y])
            weights = np.concatenate([before[1], weights])
        classes, at = np.unique(y, return_inverse=True)
        return classes, np.bincount(at, weights, len(classes))

    def _factors_seen(self, seen):
        if self.class_weight is None:
            return None
        classes, weights = seen
        if weights is None:
            raise ValueError(
                "class_weight is not supported for several outcomes of rows that are "
                "read in pieces; give the weights as a column, by sample_weight."
            )
        by_class = _class_weights(self.class_weight, classes, weights)
        return lambda y: by_class[np.searchsorted(classes, y)]

    def _encode_y(self, y, known=None):
        if known is None:
            is_1d = y.ndim == 1
            classes = np.unique(y) if is_1d else np.arange(y.shape[1])
            if is_1d:
                _refuse_one_class(self, classes)
            known = {"classes_": classes, "_is_multilabel": not is_1d}
        learned = {name: known[name] for name in ("classes_", "_is_multilabel")}
        classes = learned["classes_"]
        if learned["_is_multilabel"]:
            if y.ndim != 2 or y.shape[1] != len(classes):
                raise ValueError(
                    f"y must be an indicator matrix with {len(classes)} columns, as in "
                    f"the first fit; got shape {y.shape}."
                )
            return y.astype(np.float64), learned
        unknown = np.setdiff1d(y, classes)
        if len(unknown):
            raise ValueError(
                f"`y` has classes not in `self.classes_`: {unknown.tolist()} are not "
                f"among {classes.tolist()}."
            )
        position = np.searchsorted(classes, y)
        if len(classes) == 2:
            return position[:, None].astype(np.float64), learned
        return np.eye(len(classes))[position], learned

    def _outcome(self, f):
        """Probabilities from the network's output."""
        p = self._fitted.likelihood.mean(f)
        if self._is_multilabel or p.shape[1] > 1:
            return p
        return np.concatenate([1.0 - p, p], axis=1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _class_weights(class_weight, y, weights):
    """Weight of every row by its class."""
    if y.ndim == 2:
        return compute_sample_weight(class_weight, y)
    classes, position = np.unique(y, return_inverse=True)
    by_class = compute_class_weight(
        class_weight, classes=classes, y=y, sample_weight=weights
    )
    return by_class[position]


def _refuse_one_class(estimator, classes):
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least 2 classes in the "
            f"data, but the data contains only one class: {classes.tolist()[0]!r}."
        )
