"""Counts of few rows: what columns do not explain is no effect of their tokens."""

import numpy as np
import pytest

from skembed import EmbeddingRegressor
from skembed._model.prior import Field


def counts(seed, n):
    """Counts with four columns of tokens, and numbers that act together."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, rng.integers(50, 201, 4), (n, 4))
    numbers = rng.normal(size=(n, 4))
    log_mean = 0.5 * rng.normal(size=(4, 200))[np.arange(4), tokens].sum(axis=1)
    log_mean += np.sin(2 * numbers[:, 0]) + (numbers[:, 1] > 0) * numbers[:, 2] / 2
    y = rng.poisson(np.exp(np.clip(log_mean, -5.0, 3.0)))
    return np.hstack([tokens, numbers]), y


def misfit(y, mean):
    """Negative log-likelihood of counts, but for what is the same for all means."""
    return np.mean(mean - y * np.log(mean))


@pytest.mark.parametrize("n", [300, 1000])
def test_scales_of_counts_do_not_run_away_beside_layers(n):
    X, y = counts(0, n + 2000)
    model = EmbeddingRegressor(
        loss="poisson", categorical_features=[0, 1, 2, 3], random_state=0
    ).fit(X[:n], y[:n])
    predicted = model.predict(X[n:])
    constant = np.full(2000, y[:n].mean())
    assert misfit(y[n:], predicted) < misfit(y[n:], constant)
    fitted = model._fitted
    prior = fitted.weights.dense["prior"].reshape(len(fitted.encoder.column_sizes), -1)
    # The effects' own is 0.5.
    assert np.exp(prior[:4, Field.LOG_SCALE]).max() < 1.0
