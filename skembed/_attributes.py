"""Fitted attributes of the predictors: vectors, standard deviations, scales."""

import numpy as np

from ._model.axes import in_use


class FittedTables:
    """Fitted attributes of the predictors, computed from their state `_fitted`."""

    @property
    def embeddings_(self):
        """Vectors of every categorical column, (n_tokens, embedding_dim) each."""
        return self._needs_fit("embeddings_").means()

    @property
    def embeddings_std_(self):
        """Posterior standard deviations of the coordinates in `embeddings_`."""
        return self._needs_posterior("embeddings_std_").spreads()

    @property
    def embedding_(self):
        """Vectors of the only categorical column, (n_tokens, embedding_dim)."""
        return self._only(self.embeddings_, "embedding_", "embeddings_")

    @property
    def embedding_std_(self):
        """Posterior standard deviations of the coordinates in `embedding_`."""
        return self._only(self.embeddings_std_, "embedding_std_", "embeddings_std_")

    @property
    def prior_scales_(self):
        """Prior scales, one per coordinate, as one array per categorical column."""
        return self._needs_posterior("prior_scales_").prior_scales

    @property
    def crosses_(self):
        """Pairs of columns that are crossed, by their positions."""
        encoder = self._needs_fit("crosses_").encoder
        at = np.flatnonzero(encoder.is_categorical).tolist()
        return [tuple(at[k] for k in one.columns) for one in encoder.crosses]

    @property
    def slopes_(self):
        """Slopes of numbers by token, about the common one, by pairs of columns."""
        return self._needs_posterior("slopes_").slopes

    @property
    def slopes_std_(self):
        """Posterior standard deviations of `slopes_`."""
        return self._needs_posterior("slopes_std_").slope_spreads

    @property
    def n_active_dims_(self):
        """Number of coordinates in use, for every categorical column.

        A coordinate is in use if its posterior variance, on average over the training
        rows, is less than half of the prior's. The others have fallen back to the
        prior.
        """
        self._needs_posterior("n_active_dims_")
        tables = zip(
            self.embeddings_std_, self.prior_scales_, self.category_counts_, strict=True
        )
        return [int(in_use(*table).sum()) for table in tables]

    @property
    def feature_importances_(self):
        """Share of every column of `X` in the variance of the output, (n_features,).

        Found in training rows, by exchanging the cells of a column among them:
        interactions count for each column that takes part. The sum is 1.
        """
        found = self._needs_fit("feature_importances_").importances
        if found is None:
            raise AttributeError(
                "feature_importances_ is not in pickles of earlier versions; fit again."
            )
        return found.copy()

    @property
    def model_(self):
        """The trained network as a Keras model, built anew at every access.

        Its inputs are those that :meth:`model_inputs` returns. Its outputs are
        predictions in units of y (probabilities for a classifier).
        """
        from ._keras.network import build_model

        model = build_model(self._needs_fit("model_"))
        # Keras exports no model that has never been called.
        model([np.zeros(_of_one_row(one.shape), one.dtype) for one in model.inputs])
        return model

    def model_inputs(self, X):
        """Turn the rows of `X` into the inputs of `model_`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        inputs : dict of str to ndarray
            "codes": int32 of shape (n_samples, n_columns), the codes of the tokens and
            bins; "numbers": float32 of shape (n_samples, n_numbers), scaled. Where
            cells hold several tokens, "codes_0", "factors_0", "codes_1", ... in the
            place of "codes": for each column the rows of the one table that its vector
            is made of, and by what they are multiplied.

        Raises
        ------
        ValueError
            If `X` does not have the columns of fit, or holds a token that fit has not
            seen and ``handle_unknown="error"``.

        Examples
        --------
        >>> import numpy as np
        >>> from skembed import EmbeddingRegressor
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
        >>> rows = [["blue"], ["red"]]
        >>> inputs = regressor.model_inputs(rows)
        >>> {name: values.shape for name, values in inputs.items()}
        {'codes': (2, 1), 'numbers': (2, 0)}
        >>> by_keras = regressor.model_.predict(inputs, verbose=0)
        >>> bool(np.allclose(by_keras.ravel(), regressor.predict(rows), atol=1e-4))
        True
        """
        encoded = self._encoded(X)
        numbers = {"numbers": encoded.numbers.astype(np.float32)}
        if encoded.blend is None:
            return {"codes": encoded.codes, **numbers}
        places = self._fitted.predictor.places(encoded)
        factors, slots = encoded.blend
        inputs = {}
        for field in range(slots.n_fields):
            own = slots.field == field
            inputs[f"codes_{field}"] = places[:, own].astype(np.int32)
            inputs[f"factors_{field}"] = factors[:, own].astype(np.float32)
        return inputs | numbers

    def _needs_fit(self, name):
        # An AttributeError, as for every attribute: hasattr() is then False.
        if "_fitted" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r} before fit."
            )
        return self._fitted

    def _needs_posterior(self, name):
        fitted = self._needs_fit(name)
        if not fitted.architecture.tables.has_spread:
            raise AttributeError(
                f"{name} needs the posterior of prior='normal'; this estimator was "
                "fitted with prior=None, which knows points only."
            )
        return fitted

    def _only(self, values, name, plural):
        if len(values) != 1:
            raise AttributeError(
                f"{name} is there for exactly one categorical column; this estimator "
                f"has {len(values)}. Use {plural}, a list with one array per column."
            )
        return values[0]


def _of_one_row(shape):
    """A shape with 1 for every size that is open."""
    return [1 if size is None else size for size in shape]
