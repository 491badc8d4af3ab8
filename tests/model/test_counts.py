"""Counts of few rows: what columns do not explain is no effect of their tokens."""

import numpy as np
import pytest

from skembed import EmbeddingRegressor
from skembed._model.prior import Field


def counts(seed, n, scatter=0.0):
    """Counts with four columns of tokens, and numbers that act together.

    Their rates scatter with this coefficient of variation.
    """
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, rng.integers(50, 201, 4), (n, 4))
    numbers = rng.normal(size=(n, 4))
    log_mean = 0.5 * rng.normal(size=(4, 200))[np.arange(4), tokens].sum(axis=1)
    log_mean += np.sin(2 * numbers[:, 0]) + (numbers[:, 1] > 0) * numbers[:, 2] / 2
    rate = np.exp(np.clip(log_mean, -5.0, 3.0))
    if scatter:
        rate *= rng.gamma(scatter**-2, scatter**2, n)
    return np.hstack([tokens, numbers]), rng.poisson(rate)


def misfit(y, mean):
    """Negative log-likelihood of counts, but for what is the same for all means."""
    return np.mean(mean - y * np.log(mean))


@pytest.mark.parametrize("hidden", [(64, 64), ()])
@pytest.mark.parametrize("scatter", [0.0, 1.0])
@pytest.mark.parametrize("n", [300, 1000])
def test_scales_of_counts_do_not_run_away(n, scatter, hidden):
    X, y = counts(0, n + 2000, scatter)
    model = EmbeddingRegressor(
        hidden_layer_sizes=hidden,
        loss="poisson",
        categorical_features=[0, 1, 2, 3],
        random_state=0,
    ).fit(X[:n], y[:n])
    predicted = model.predict(X[n:])
    constant = np.full(2000, y[:n].mean())
    assert misfit(y[n:], predicted) < misfit(y[n:], constant) - 0.1
    fitted = model._fitted
    prior = fitted.weights.dense["prior"].reshape(len(fitted.encoder.column_sizes), -1)
    # The effects' own is 0.5.
    assert np.exp(prior[:4, Field.LOG_SCALE]).max() < 1.0


def test_rates_are_counts_over_their_weights():
    """They would seem to scatter: one event of an exposure of 0.05 is a rate of 20."""
    rng = np.random.default_rng(0)
    token, number = rng.integers(0, 60, 6000), rng.normal(size=6000)
    exposure = rng.uniform(0.05, 1.0, 6000)
    rate = 0.3 * np.exp(0.5 * rng.normal(size=60)[token] + 0.4 * number)
    y = rng.poisson(rate * exposure) / exposure
    X = np.column_stack([token, number])
    model = EmbeddingRegressor(
        loss="poisson", categorical_features=[0], random_state=0
    ).fit(X[:4000], y[:4000], sample_weight=exposure[:4000])
    assert not hasattr(model, "noise_scale_")
    truth = rate[4000:]
    mean = np.full(2000, np.average(y[:4000], weights=exposure[:4000]))
    found, of_mean, least = (
        misfit(truth, one) for one in (model.predict(X[4000:]), mean, truth)
    )
    assert found - least < 0.15 * (of_mean - least)


def test_scatter_beyond_poissons_is_found():
    X, y = counts(0, 8000, 1.0)
    params = {"loss": "poisson", "categorical_features": [0, 1, 2, 3]}
    model = EmbeddingRegressor(**params, random_state=0).fit(X[:6000], y[:6000])
    assert model.noise_scale_ == pytest.approx(1.0, abs=0.1)
    low, high = model.predict_interval(X[6000:], 0.8).T
    y = y[6000:]
    assert np.mean((low <= y) & (y <= high)) == pytest.approx(0.8, abs=0.05)
