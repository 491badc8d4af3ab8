"""Posteriors against closed forms.

A head that answers nothing leaves the first-order term alone, and the model is the
normal model with normal effects.
"""

import numpy as np
import pytest
from heads import no_head
from scipy import optimize

from skembed import EmbeddingRegressor
from skembed.datasets import make_token_outcomes


def test_coordinates_that_are_not_needed_fall_back_to_the_prior():
    X, y = make_token_outcomes(6_000, 100, effects="normal", random_state=0)
    additive = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
    assert additive.embedding_.shape[1] == 8
    assert additive.n_active_dims_ == [1]
    X, y = make_token_outcomes(
        12_000, [60, 60], effects="normal", interaction_rank=3, random_state=0
    )
    crossed = EmbeddingRegressor(epochs=30, random_state=0).fit(X, y)
    assert min(crossed.n_active_dims_) >= 4  # the effects and three factors


@pytest.fixture(scope="module")
def effects_only(many_tokens):
    model = EmbeddingRegressor(1, model=no_head, epochs=150, random_state=0)
    return model.fit(many_tokens.X, many_tokens.y)


def bayes(model, data):
    """Posterior mean and standard deviation of each token's expected outcome."""
    counts, tau = model.category_counts_[0], 1.0
    scale = model._fitted.scale[0]
    tau = model.prior_scales_[0][0] * scale
    unknown = model.predict(np.array([[10_000]]))[0]
    means = np.array([data.y[data.X[:, 0] == t].mean() for t in model.categories_[0]])
    precision = counts / model.noise_scale_**2 + tau**-2
    shrunk = unknown + counts / model.noise_scale_**2 / precision * (means - unknown)
    return shrunk, precision**-0.5, tau, means


def test_posteriors_are_those_of_bayes(effects_only, many_tokens):
    mean, sd, tau, raw = bayes(effects_only, many_tokens)
    tokens = effects_only.categories_[0][:, None]
    assert np.abs(raw - mean).max() > 0.5  # there was something to shrink
    predicted = effects_only.predict(tokens)
    assert (np.abs(predicted - mean) / sd).max() < 0.08
    spread = effects_only.predict_std(tokens, include_noise=False)
    np.testing.assert_allclose(spread, sd, rtol=0.05)
    scale = effects_only._fitted.scale[0]
    np.testing.assert_allclose(effects_only.embedding_std_[:, 0] * scale, sd, rtol=0.05)


def test_learned_scales_are_those_of_the_data(effects_only, many_tokens):
    """Maximum likelihood of noise and effect scales, by plain optimisation."""
    X, y = many_tokens.X[:, 0], many_tokens.y
    tokens = effects_only.categories_[0]
    n = effects_only.category_counts_[0]
    means = np.array([y[X == t].mean() for t in tokens])
    within = sum(np.square(y[X == t] - y[X == t].mean()).sum() for t in tokens)

    def minus_log_likelihood(params):
        centre, noise, tau = params[0], np.exp(params[1]), np.exp(params[2])
        variance = noise**2 / n + tau**2
        between = np.square(means - centre) / variance + np.log(variance)
        left = (len(y) - len(n)) * 2 * np.log(noise) + within / noise**2
        return left + between.sum()

    best = optimize.minimize(minus_log_likelihood, [0.0, 1.0, 1.0]).x
    _, _, tau, _ = bayes(effects_only, many_tokens)
    np.testing.assert_allclose(effects_only.noise_scale_, np.exp(best[1]), rtol=0.03)
    np.testing.assert_allclose(tau, np.exp(best[2]), rtol=0.1)
    unknown = effects_only.predict(np.array([[10_000]]))[0]
    np.testing.assert_allclose(unknown, best[0], atol=0.1 * tau)


def test_the_spread_of_an_unknown_token_is_that_of_the_prior(effects_only, many_tokens):
    _, _, tau, _ = bayes(effects_only, many_tokens)
    _, std = effects_only.predict(np.array([[10_000]]), return_std=True)
    expected = np.hypot(tau, effects_only.noise_scale_)
    np.testing.assert_allclose(std[0], expected, rtol=0.02)


def test_default_network_shrinks_nearly_as_well_as_bayes(many_tokens):
    model = EmbeddingRegressor(random_state=0).fit(many_tokens.X, many_tokens.y)
    tokens = model.categories_[0]
    truth = many_tokens.effects[0][tokens]
    mean, _, _, raw = bayes(model, many_tokens)
    ours = np.square(model.predict(tokens[:, None]) - truth).mean()
    assert ours < 1.05 * np.square(mean - truth).mean()
    # Bayes at the learned scale has 0.91 times the error of raw means here.
    assert ours < 0.95 * np.square(raw - truth).mean()


@pytest.fixture(scope="module")
def groups():
    """Positive outcomes of 15 tokens with 1 to 40 rows each."""
    rng = np.random.default_rng(4)
    counts = rng.integers(1, 40, 15)
    X = np.repeat(np.arange(15), counts)[:, None]
    rate = np.exp(rng.normal(0.5, 0.8, 15))
    return X, rate[X[:, 0]], counts, rng


def optima(bound, counts, totals):
    """Mean and standard deviation of each effect at the least bound."""
    pairs = zip(counts, totals, strict=True)
    found = [optimize.minimize(bound, [0.0, -1.0], args=pair).x for pair in pairs]
    mean, log_sd = np.transpose(found)
    return mean, np.exp(log_sd)


def test_poisson_effects_minimise_the_evidence_bound(groups):
    X, rate, counts, _ = groups
    y = np.random.default_rng(0).poisson(rate).astype(float)
    model = EmbeddingRegressor(
        1, model=no_head, loss="poisson", epochs=200, random_state=0
    )
    model.fit(X, y)
    tau = model.prior_scales_[0][0]
    base = np.log(model.predict([[99]])[0]) - tau**2 / 2  # of an unknown token
    totals = np.bincount(X[:, 0], y)

    def bound(params, n, total):
        mean, sd = params[0], np.exp(params[1])
        fit = n * np.exp(base + mean + sd**2 / 2) - total * mean
        return fit + (mean**2 + sd**2) / (2 * tau**2) - params[1]

    mean, sd = optima(bound, counts, totals)
    np.testing.assert_allclose(model.embedding_[:, 0], mean, atol=0.05)
    np.testing.assert_allclose(model.embedding_std_[:, 0], sd, rtol=0.1)
    assert model.noise_scale_ < 0.1  # their rates do not scatter


def test_effects_of_scattered_counts_minimise_the_evidence_bound(groups):
    X, rate, counts, _ = groups
    rng = np.random.default_rng(1)
    y = rng.poisson(rate * rng.gamma(2.0, 0.5, len(X))).astype(float)
    model = EmbeddingRegressor(
        1, model=no_head, loss="poisson", epochs=200, random_state=0
    )
    model.fit(X, y)
    tau = model.prior_scales_[0][0]
    base = np.log(model.predict([[99]])[0]) - tau**2 / 2  # of an unknown token
    totals, size = np.bincount(X[:, 0], y), model.noise_scale_**-2
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    weights /= weights.sum()

    def bound(params, n, total):
        mean, sd = params[0], np.exp(params[1])
        f = base + mean + sd * nodes
        misfit = (total + n * size) * np.log1p(np.exp(f) / size) - total * f
        return weights @ misfit + (mean**2 + sd**2) / (2 * tau**2) - params[1]

    mean, sd = optima(bound, counts, totals)
    np.testing.assert_allclose(model.embedding_[:, 0], mean, atol=0.05)
    np.testing.assert_allclose(model.embedding_std_[:, 0], sd, rtol=0.1)
    assert model.noise_scale_ == pytest.approx(0.5**0.5, rel=0.25)


def test_gamma_effects_are_a_fixed_point_of_the_evidence_bound(groups):
    X, rate, counts, _ = groups
    y = rate * np.random.default_rng(0).gamma(4.0, 0.25, len(X))
    model = EmbeddingRegressor(
        1, model=no_head, loss="gamma", epochs=200, random_state=0
    )
    model.fit(X, y)
    tau = model.prior_scales_[0][0]
    base = np.log(model.predict([[99]])[0]) - tau**2 / 2  # of an unknown token
    shape, totals = model.noise_scale_**-2, np.bincount(X[:, 0], y)
    sd = (tau**-2 + counts * shape) ** -0.5
    np.testing.assert_allclose(model.embedding_std_[:, 0], sd, rtol=0.05)

    def slope(mean, n, total, sd):
        misfit = shape * (n - total * np.exp(-base - mean + sd**2 / 2))
        return misfit + mean / tau**2

    best = [
        optimize.brentq(slope, -9, 9, args=each)
        for each in zip(counts, totals, sd, strict=True)
    ]
    np.testing.assert_allclose(model.embedding_[:, 0], best, atol=0.05)
    np.testing.assert_allclose(model.noise_scale_, 0.5, rtol=0.2)
