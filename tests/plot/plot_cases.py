"""A fitted estimator written by hand, so that plots can be checked to the digit."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class WrittenByHand(RegressorMixin, BaseEstimator):
    """Predicts ``10 * first coordinate``, summed over the columns of tokens."""

    def __init__(self, prior="normal"):
        self.prior = prior

    def fit(self, X, y=None):
        """Take the tokens of `X`, give them made-up vectors."""
        names = getattr(X, "columns", None)
        if names is not None:
            self.feature_names_in_ = np.array(list(names), dtype=object)
        X = np.asarray(X, dtype=object)
        rng = np.random.default_rng(0)
        self.n_features_in_ = X.shape[1]
        self.is_categorical_ = np.array(
            [not isinstance(value, float) for value in X[0]], dtype=bool
        )
        self.categories_, self.embeddings_, self.category_counts_ = [], [], []
        self.embeddings_std_, self.prior_scales_ = [], []
        for column in np.flatnonzero(self.is_categorical_):
            tokens, counts = np.unique(X[:, column], return_counts=True)
            vectors = rng.normal(size=(len(tokens), 4)) * [2, 1, 0.1, 0.1]
            self.categories_.append(tokens)
            self.category_counts_.append(counts.astype(np.float64))
            self.embeddings_.append(vectors.astype(np.float32))
            spread = np.sqrt(1 / (1 + counts))[:, None]
            self.embeddings_std_.append((spread * [2, 1, 0.1, 0.1]).astype(np.float32))
            self.prior_scales_.append(np.array([2, 1, 0.1, 0.1]))
        self.loss_curve_ = [200.0, 80.0, 9.0, 4.11]
        self.n_iter_ = 4
        return self

    def predict(self, X, return_std=False):
        """Add up the first coordinates of the tokens."""
        X = np.asarray(X, dtype=object)
        mean = np.zeros(len(X))
        for k, column in enumerate(np.flatnonzero(self.is_categorical_)):
            effect = dict(
                zip(self.categories_[k], 10.0 * self.embeddings_[k][:, 0], strict=True)
            )
            mean += [effect[token] for token in X[:, column]]
        return (mean, np.full(len(X), 2.0)) if return_std else mean


def token_rows(n_tokens, n_samples, seed=0):
    """Draw rows (token, kind, number) and an outcome; every token occurs."""
    rng = np.random.default_rng(seed)
    codes = np.concatenate(
        [np.arange(n_tokens), rng.zipf(1.6, n_samples - n_tokens) % n_tokens]
    )
    X = np.empty((n_samples, 3), dtype=object)
    X[:, 0] = [f"t{code:03d}" for code in codes]
    X[:, 1] = rng.choice(["red", "blue"], n_samples)
    X[:, 2] = rng.normal(size=n_samples).tolist()
    return X, codes + rng.normal(size=n_samples)
