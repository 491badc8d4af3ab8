"""EmbeddingRegressor."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_y

from ._base import BaseEmbedding
from ._likelihoods import REGRESSION_LOSSES, regression_likelihood
from ._network import MIN_LOG_NOISE


class EmbeddingRegressor(RegressorMixin, BaseEmbedding):
    """Regression."""

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

    def _likelihood(self):
        return regression_likelihood(self.loss, self.quantile)

    def _check_y(self, y):
        return _check_y(y, multi_output=True, y_numeric=True, estimator=self)

    def _encode_y(self, y, known=None):
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if known is not None and known["n_outputs_"] != n_outputs:
            raise ValueError(
                f"y has {n_outputs} outputs, but this {type(self).__name__} was fitted "
                f"with {known['n_outputs_']}."
            )
        outcome = np.asarray(y, dtype=np.float64).reshape(len(y), n_outputs)
        return outcome, {"n_outputs_": n_outputs, "_y_is_1d": y.ndim == 1}

    def predict(self, X, return_std=False):
        """Predict."""
        encoded = self._encoded(X)
        predicted = self._shaped(self._outcome(self._fitted.predictor.outputs(encoded)))
        if not return_std:
            return predicted
        return predicted, self.predict_std(X)

    def predict_std(self, X, *, include_noise=True):
        """Std."""
        fitted = self._needs_posterior("The standard deviation of a prediction")
        encoded = self._encoded(X)
        std = fitted.predictor.moments(encoded, self._outcome)
        if include_noise:
            f = fitted.predictor.outputs(encoded)
            variance = fitted.likelihood.variance(f, self._noise)
            scale = np.square(fitted.scale)
            std = np.sqrt(np.square(std) + variance * scale)
        return self._shaped(std)

    @property
    def _noise(self):
        log_noise = self._fitted.weights.dense["log_noise"].astype(np.float64)
        return np.exp(np.maximum(log_noise, MIN_LOG_NOISE))

    @property
    def noise_scale_(self):
        """Learned noise scale."""
        fitted = self._needs_posterior("noise_scale_")
        if not fitted.likelihood.has_noise:
            raise AttributeError(
                f"noise_scale_ is not there with loss={fitted.likelihood.name!r}, "
                "whose scatter follows from its mean."
            )
        noise = self._noise * fitted.scale
        return float(noise[0]) if self._y_is_1d else noise

    def _outcome(self, f):
        fitted = self._fitted
        return fitted.likelihood.mean(f) * fitted.scale + fitted.centre

    def _shaped(self, values):
        return values[:, 0] if self._y_is_1d else values

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
