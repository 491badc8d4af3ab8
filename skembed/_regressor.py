"""EmbeddingRegressor."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ._base import BaseEmbedding
from ._data.outcomes import are_whole, refuse_huge
from ._data.sources import is_source, refuse_source
from ._model.leverage import is_seen_at_once
from ._model.likelihoods import REGRESSION_LOSSES, regression_likelihood
from ._model.scatter import (
    moments,
    noise_scale,
    outcome,
    quantiles,
    up_to_date,
    with_scatter,
    with_scatter_of,
)
from ._pieces import by_piece, determination, predicted_pieces
from ._sklearn import Interval, StrOptions, check_y
from ._training.phases import calibration_rows, last_rows, some_rows_last


class EmbeddingRegressor(RegressorMixin, BaseEmbedding):
    r"""Regression on tokens, with a learned vector for every token.

    Every categorical column has a table with one vector per token. The prediction is a
    function of the vectors of a row's tokens and of the row's numbers. With
    ``prior="normal"`` every vector is a normal distribution, trained on the evidence
    lower bound: the vectors of rare tokens shrink towards the prior as far as the data
    demand, unknown tokens get the prior, and vectors and predictions have standard
    deviations. With ``prior=None`` the vectors are points, and the network has only the
    layers of `hidden_layer_sizes`.

    Read more in the :ref:`User Guide <user_guide>`.

    Parameters
    ----------
    embedding_dim : "auto", int or array-like of int, default="auto"
        Length of the vectors: one for all categorical columns or one per column.
        "auto" is ``4 * log10(n)``, rounded, but at least 4 and at most 8; `n` is the
        number of tokens (or, under a prior, of bins of a number) of the largest
        column. Under a prior it is also at least the number of columns of `y`, up to
        32: a token then has an effect of its own on each. Coordinates that the data do
        not need fall back to the prior (see `n_active_dims_`), so a generous length
        does little harm but to the time.
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
    loss : str, default="squared_error"
        The loss to minimise: "squared_error", "absolute_error", "huber", "quantile",
        "poisson" or "gamma". Under a prior it is the corresponding negative
        log-likelihood: normal, Laplace, Huber's least favourable density (bend at 1.35
        noise scales; in units of `y` without a prior), asymmetric Laplace, Poisson,
        gamma. The last two have a log link and need ``y >= 0``. With "poisson", whole
        numbers are counts whose rates may scatter, which is learned (a negative
        binomial likelihood); others are rates, with the exposures as `sample_weight`.
    quantile : float in (0, 1), default=None
        The quantile to predict, for ``loss="quantile"`` only.
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
        most 600 passes. Where there are calibration rows (see `predict_interval`),
        three tenths are added.
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
        Which rows are held out. "last" is for rows in the order of time: then
        `early_stopping` looks at the last rows, and without it the last rows are
        learned last, on data sets of any size, and :meth:`predict_interval` follows
        the residuals that they had before. So intervals say how far predictions are off
        later, not how far they are off among the rows that were learned.
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
    embedding_ : ndarray of shape (n_tokens, embedding_dim), float32
        Vectors of the only categorical column, under a prior their posterior means.
        ``embedding_[j]`` belongs to ``categories_[0][j]``. Under a prior coordinate 0
        is added to the output directly, in standard deviations of `y` (with a log link:
        in units of the log). It is the token's first-order effect, apart from what the
        layers add. AttributeError unless there is exactly one categorical column.
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
        general, token by token: in units of `y`, with a log link of its log.
    slopes_std_ : dict
        Posterior standard deviations of `slopes_`, with the tokens' levels as they are.
    prior_scales_ : list of ndarray of shape (embedding_dim_k,), float32
        Prior scales of every categorical column, one per coordinate.
    noise_scale_ : float, or ndarray of shape (n_outputs,) for a 2-d y
        Learned noise scale, in units of `y`: the standard deviation
        ("squared_error"), the mean absolute deviation ("absolute_error") or the scale
        of the density ("huber", "quantile"). Without unit it is the coefficient of
        variation for "gamma", and that of the rates of whole numbers for "poisson":
        near 0 where they scatter as Poisson's do. AttributeError for "poisson" with
        other outcomes, and with ``prior=None``.
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
        mean square by which the output (of log links: the logarithm) changes when the
        column's cells are exchanged among training rows. Interactions count for every
        column that takes part in them; of columns that tell the same each has a part.
        :meth:`fold_in` does not change it.
    parents_ : dict of int to dict of int to ndarray of shape (n_tokens,)
        Of columns within others: for each column of parents, by their positions, the
        parent that most rows have, token by token; None where it is unknown.
    multi_valued_features_ : dict of int to str or None
        The columns of several tokens, and their delimiters.
    loss_curve_ : list of float
        Objective of every epoch, per row: the loss (``prior=None``) or the negative
        evidence lower bound in nats, for `y` in its own units.
    validation_loss_curve_ : list of float
        Loss of every epoch on the held-out rows, in the units of `loss_curve_`: the
        loss, or the negative log-likelihood of the predictions at the scale of the
        noise that fits these rows best. Only after ``early_stopping=True``.
    n_iter_ : int
        Number of epochs.
    n_outputs_ : int
        Number of outcomes, 1 for a 1-d y.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only if all columns have names.
    model_ : keras.Model
        The trained network, built anew at every access. Its inputs are those that
        :meth:`model_inputs` returns. Keras can load a saved one without this library.

    See Also
    --------
    EmbeddingClassifier : Classification on tokens.
    EmbeddingEncoder : Turns tokens into vectors for any other model.
    TokenSimilarity : Finds tokens that are alike.
    sklearn.preprocessing.TargetEncoder : One number per token, shrunk by its count.

    Notes
    -----
    With ``prior="normal"`` the posterior of a token's vector is approximated by
    :math:`q(e_v) = \mathrm{Normal}(\mu_v, \mathrm{diag}\,\sigma_v^2)`. Training
    minimises

    .. math::

        \sum_i w_i\, \mathrm{E}_q[-\log p(y_i \mid f(e(i), z_i))]
        + \sum_v \mathrm{KL}(q(e_v) \,\|\, \mathrm{Normal}(0, s^2)),

    the negative evidence lower bound [1]_, with one sample of the vectors for every
    use. Of each token's term in the second sum, a batch carries the share of the
    token's rows that it holds. So a batch changes only the vectors of its own tokens.
    Natural-gradient steps with Gauss-Newton curvature move them [2]_, and `optimizer`
    moves the dense weights. The prior scales are moved towards the optimum of the
    evidence, with the vectors integrated out. The additive part of the function is
    trained first, then all of it. The noise scale is learned with the dense weights. A
    weak normal prior holds the kernels of the layers near their random start, to reduce
    overfitting on small data sets.

    The function is :math:`f = b + \sum_k e_{k,0} + \beta^T z + \mathrm{MLP}(e, z)`,
    where `e` are the vectors of a row's tokens and `z` its numbers. Numbers are
    standardised, and squashed smoothly into (-3, 3) [3]_. The MLP also gets their
    piecewise-linear encoding [4]_, and the quantile bins of a number are one more
    column of tokens. With ``prior=None`` there is only the MLP of vectors and squashed
    numbers.

    Equal rows are merged into one with the sum of their weights. So a weight of k is
    the same as k copies, and the order of the rows does not matter. After fit the state
    is NumPy only: a fitted estimator can be loaded and used without TensorFlow (except
    with `model`).

    References
    ----------
    .. [1] D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014,
       section 2.3.
    .. [2] M. E. Khan et al., "Fast and scalable Bayesian deep learning by
       weight-perturbation in Adam", ICML 2018, section 3.
    .. [3] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong
       pre-tuned MLPs and boosted trees on tabular data", NeurIPS 2024, section 3.
    .. [4] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skembed import EmbeddingRegressor
    >>> rng = np.random.default_rng(0)
    >>> effect = {"red": -5.0, "green": 0.0, "lime": 0.5, "blue": 5.0}
    >>> X = rng.choice(list(effect), size=(400, 1))
    >>> y = np.array([effect[token] for token in X[:, 0]]) + rng.normal(size=400)
    >>> regressor = EmbeddingRegressor(random_state=0).fit(X, y)
    >>> regressor.categories_[0].tolist()
    ['blue', 'green', 'lime', 'red']
    >>> regressor.embedding_.shape
    (4, 4)
    >>> prediction, std = regressor.predict([["red"], ["mauve"]], return_std=True)
    >>> bool(std[1] > std[0])  # a colour that was never seen
    True
    """

    _parameter_constraints: dict = {
        **BaseEmbedding._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION_LOSSES))],
        "quantile": [Interval(Real, 0, 1, closed="neither"), None],
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
        loss="squared_error",
        quantile=None,
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
        self.loss = loss
        self.quantile = quantile

    def _likelihood(self, learned):
        return regression_likelihood(self.loss, self.quantile, learned["_y_are_counts"])

    def _check_y(self, y):
        return check_y(y, multi_output=True, y_numeric=True, estimator=self)

    def _encode_y(self, y, known=None):
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if known is not None and known["n_outputs_"] != n_outputs:
            raise ValueError(
                f"y has {n_outputs} outputs, but this {type(self).__name__} was fitted "
                f"with {known['n_outputs_']}."
            )
        outcome = np.asarray(y, dtype=np.float64).reshape(len(y), n_outputs)
        refuse_huge(outcome)
        # Points have no noise beside them.
        are_counts = self.loss == "poisson" and self.prior is not None
        are_counts = are_counts and bool(are_whole(outcome).all())
        target = {"n_outputs_": n_outputs, "_y_is_1d": y.ndim == 1}
        return outcome, {**target, "_y_are_counts": are_counts}

    @by_piece
    def predict(self, X, return_std=False):
        """Predict the outcome.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows. Of a source, as :meth:`fit` has it, the columns of fit are read,
            and what is returned is an iterator of results, piece by piece.
        return_std : bool, default=False
            Whether to return :meth:`predict_std` as well. Needs ``prior="normal"``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            The outcome's mean; for ``loss="absolute_error"`` the median, for "quantile"
            the quantile. For the losses with a log link, "poisson" and "gamma", it is
            the mean over the posterior of the vectors too; for the others that is the
            prediction with every vector at its posterior mean.
        std : ndarray of the shape of `y`, float64
            Standard deviation of an outcome about it, noise included. Only with
            ``return_std=True``.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or holds a token that fit has not
            seen and ``handle_unknown="error"``.
        AttributeError
            If ``return_std=True`` and the estimator was fitted with ``prior=None``.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(random_state=0).fit(X, y)
        >>> regressor.predict([["blue"], ["red"]]).round().tolist()
        [4.0, 1.0]
        >>> mean, std = regressor.predict([["blue"], ["mauve"]], return_std=True)
        >>> bool(std[1] > std[0])  # a colour that was never seen
        True
        """
        encoded, fitted = self._encoded(X), self._fitted
        f = fitted.predictor.integrated(encoded, fitted.likelihood)
        predicted = self._shaped(outcome(fitted, f))
        if not return_std:
            return predicted
        self._needs_posterior("The standard deviation of a prediction")
        _, own, noise = moments(fitted, encoded)
        return predicted, self._shaped(np.sqrt(own + noise))

    @by_piece
    def predict_std(self, X, *, include_noise=True):
        """Compute the standard deviation of the prediction.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows. Of a source, as :meth:`fit` has it, the columns of fit are read,
            and what is returned is an iterator of results, piece by piece.
        include_noise : bool, default=True
            True: the standard deviation of an outcome about its prediction. False: that
            of the mean alone, from the posterior of the vectors (the dense weights are
            treated as known).

        Returns
        -------
        std : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            In units of `y`. Computed from 128 draws of the vectors, the same in every
            call, and from the noise that rows like this one have. Beyond the range of
            a number that fit has seen it grows with the distance, as fast as outcomes
            drift along that number in the rows of fit.

        Raises
        ------
        AttributeError
            If the estimator was fitted with ``prior=None``.
        ValueError
            If `X` does not have the columns of fit, or holds a token that fit has not
            seen and ``handle_unknown="error"``.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
        >>> of_outcome = regressor.predict_std([["blue"], ["red"]])
        >>> of_mean = regressor.predict_std([["blue"], ["red"]], include_noise=False)
        >>> (of_mean < of_outcome).tolist()
        [True, True]
        """
        check_is_fitted(self)
        fitted = self._needs_posterior("The standard deviation of a prediction")
        _, own, noise = moments(fitted, self._encoded(X))
        return self._shaped(np.sqrt(own + noise if include_noise else own))

    @by_piece
    def predict_interval(self, X, coverage=0.9):
        """Compute an interval that contains the outcome with a given probability.

        The width of the interval comes from :meth:`predict_std`, which knows how rows
        differ. Its shape comes from quantiles of residuals, which depend on how rare
        the tokens of a row are. So the noise need not be normal. (These are the
        residuals of split conformal prediction with a normalised score, Lei et al.
        2018, "Distribution-free predictive inference for regression", section 5.2.)

        The residuals are those that training rows would have if they had not been
        learned: computed for all vectors and weights at once on up to some thousand
        rows; on more rows as long as there are at most two rows per dense weight, at
        least four columns and ``epochs="auto"``, those of a tenth of the rows, which
        are predicted before the network is trained on them and learned last; on still
        more rows corrected vector by vector. With ``validation_rows="last"`` they are
        those of the last rows, with ``early_stopping=True`` on more than some thousand
        rows those of the rows held out, and after :meth:`calibrate` those of its rows.
        Read more in :ref:`calibration-rows`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows. Of a source, as :meth:`fit` has it, the columns of fit are read,
            and what is returned is an iterator of results, piece by piece.
        coverage : float in (0, 1), default=0.9
            Share of outcomes that should lie inside. As many should lie below as above.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, 2, n_outputs), float64
            Lower and upper end, in units of `y`.

        Raises
        ------
        AttributeError
            If the estimator was fitted with ``prior=None``.
        ValueError
            If `coverage` is not between 0 and 1.

        Examples
        --------
        >>> import numpy as np
        >>> from skembed import EmbeddingRegressor
        >>> rng = np.random.default_rng(0)
        >>> shops = rng.choice(["north", "south"], size=(600, 1))
        >>> sales = np.where(shops[:, 0] == "north", 30, 20) + rng.exponential(4, 600)
        >>> model = EmbeddingRegressor(random_state=0).fit(shops, sales)
        >>> lower, upper = model.predict_interval([["north"]], coverage=0.8)[0]
        >>> bool(29 < lower < 31 and 37 < upper < 42)
        True
        """
        check_is_fitted(self)
        fitted = self._needs_posterior("An interval of predictions")
        if not 0.0 < coverage < 1.0:
            raise ValueError(
                f"coverage must be between 0 and 1, both exclusive; got {coverage!r}."
            )
        levels = 0.5 * (1.0 - coverage), 0.5 * (1.0 + coverage)
        ends = quantiles(fitted, self._encoded(X), levels)
        interval = np.stack(ends, axis=1)
        return interval[:, :, 0] if self._y_is_1d else interval

    def score(self, X, y, sample_weight=None):
        """Compute the share of the variance of `y` that predictions explain, R2.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features), or source
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), str or list
            Their outcomes; of a source the name of their column, or a list of names.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row; of a source the name of its column.

        Returns
        -------
        score : float
            1 at best; 0 for a constant prediction of the mean. Of several outcomes the
            mean of theirs.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or `y` is of another length.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(random_state=0).fit(X, y)
        >>> regressor.score(X, y) > 0.99
        True
        """
        if is_source(X):
            return determination(predicted_pieces(self, X, y, sample_weight))
        return super().score(X, y, sample_weight)

    def calibrate(self, X, y, sample_weight=None):
        """Bring intervals up to date by rows that fit has not seen, such as new ones.

        The residuals of these rows replace those of fit: they determine how large the
        noise is (:meth:`predict_std`), and the shape of :meth:`predict_interval`.
        Vectors and predictions stay as they are. Where the world has moved on since
        fit, residuals of later rows show by how much predictions are off now, which no
        row of fit could tell. Half of a shift that they share is taken to last, and the
        rest is scatter. Beyond the range of a number intervals go on to grow.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            The rows. A hundred are enough for intervals that hold 80 %.
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
        AttributeError
            If the estimator was fitted with ``prior=None``.
        ValueError
            If `X` does not have the columns, or `y` not the number of outcomes, of
            fit, or for the reasons of :meth:`fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from skembed import EmbeddingRegressor
        >>> rng = np.random.default_rng(0)
        >>> shops = rng.choice(["north", "south"], size=(600, 1))
        >>> sales = np.where(shops[:, 0] == "north", 30, 20) + rng.normal(0, 1, 600)
        >>> model = EmbeddingRegressor(random_state=0).fit(shops, sales)
        >>> before = np.ptp(model.predict_interval([["north"]]))
        >>> later = sales + rng.normal(0, 3, 600)
        >>> after = np.ptp(model.calibrate(shops, later).predict_interval([["north"]]))
        >>> bool(2 * before < after < 4 * before)
        True
        """
        check_is_fitted(self)
        fitted = self._needs_posterior("A calibrated interval")
        refuse_source(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        rows = self._observed(X, y, sample_weight)
        self._fitted = up_to_date(fitted, rows)
        return self

    def _phases(self, fitted, rows, problem):
        found = self._rows_last(fitted, rows)
        if found is None:
            return super()._phases(fitted, rows, problem)
        calibration, others = found
        return some_rows_last(fitted, others, problem, self._recipe()), calibration

    def _rows_last(self, fitted, rows):
        """Rows to calibrate intervals by, learned last, and all others; or None."""
        if self.early_stopping or not self._tables.has_likelihood:
            return None
        # A schedule, which an optimizer may bring along, is not begun a second time.
        rate = self.optimizer if self.learning_rate == "auto" else self.learning_rate
        begins_again = isinstance(rate, (str, Real))
        if self.validation_rows == "last":
            if not begins_again:
                raise ValueError(
                    "validation_rows='last' trains a second time, on the last rows, "
                    "and a schedule of learning rates cannot begin again. Set "
                    "learning_rate to a number or 'auto', or validation_rows='random'."
                )
            return last_rows(rows, self.validation_fraction)
        if begins_again and isinstance(self.epochs, str):
            return calibration_rows(fitted, rows)
        return None

    def _concluded(self, trained, rows, calibration=None):
        """The network with its noise by row and the quantiles of its residuals."""
        fitted = trained.fitted
        if not fitted.architecture.tables.has_likelihood:
            return fitted
        if calibration is None:
            return with_scatter(fitted, rows)
        if trained.snapshots:
            return with_scatter_of(fitted, rows, calibration, trained.snapshots[-1])
        # Of few rows it is computed what each has given: a tenth of them says less.
        if self.validation_rows == "random" and is_seen_at_once(fitted, rows):
            return with_scatter(fitted, rows)
        return with_scatter_of(fitted, rows, calibration)

    @property
    def noise_scale_(self):
        """Learned scale of the noise, in units of y (with a log link: of its mean)."""
        fitted = self._needs_posterior("noise_scale_")
        if not fitted.likelihood.has_noise:
            raise AttributeError(
                f"noise_scale_ is not there with loss={fitted.likelihood.name!r} and "
                "outcomes that are no whole numbers: their scatter follows from their "
                "mean."
            )
        noise = noise_scale(fitted) * fitted.scale
        return float(noise[0]) if self._y_is_1d else noise

    def _shaped(self, values):
        return values[:, 0] if self._y_is_1d else values

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
