"""Learned prior scales against their optimum, found by plain means to the end."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from scipy.special import expit

from skembed import EmbeddingClassifier, EmbeddingRegressor

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def zipf_tokens(n_tokens, n_rows, rng):
    share = np.arange(1.0, n_tokens + 1) ** -0.8
    return rng.choice(n_tokens, n_rows, p=share / share.sum())


def of_bernoulli(f, sd):
    """Mean of the slope and the curvature of the log-likelihood's second part."""
    p = expit(f[:, None] + sd[:, None] * NODES)
    return p @ WEIGHTS, (p * (1.0 - p)) @ WEIGHTS


def of_poisson(f, sd):
    mean = np.exp(f + sd**2 / 2)
    return mean, mean


def optimum(token, y, moments, intercept):
    """Scale at which the evidence bound of one column of effects is greatest.

    Coordinate ascent: the normal posterior of every effect, the intercept, and the
    scale, whose optimum is the root of the effects' mean square.
    """
    n, total = np.bincount(token), np.bincount(token, y)
    n, total = n[n > 0], total[n > 0]
    # Tokens of the same counts have the same posterior.
    pairs, times = np.unique(np.stack([n, total]), axis=1, return_counts=True)
    n, total = pairs
    mu, precision, log_s, b = np.zeros(len(n)), np.ones(len(n)), 0.0, intercept
    for _ in range(4_000):
        p0 = np.exp(-2 * log_s)
        mean, curvature = moments(b + mu, precision**-0.5)
        precision = precision + 0.5 * (p0 + n * curvature - precision)
        mu = mu + 0.5 * (total - n * mean - p0 * mu) / precision
        # At its optimum the effects' mean is that of their prior.
        b += 0.2 * (times @ mu) / (times @ (1 - p0 / precision))
        square = np.average(mu**2 + 1 / precision, weights=times)
        # Towards the mean square, and faster where tokens say little about it.
        known = np.average((1 - p0 / precision) ** 2, weights=times)
        log_s += 0.01 * np.clip(0.5 * (p0 * square - 1) / known, -1, 1)
    assert np.sqrt(square) == pytest.approx(np.exp(log_s), rel=1e-4)
    return np.exp(log_s)


@pytest.mark.parametrize(
    ("n_tokens", "intercept", "sd"),
    [(5_000, 2.5, 2.0), (5_000, 2.5, 1.0), (1_000, 0.0, 1.0), (3_000, -2.0, 1.5)],
)
def test_scales_of_classes_arrive(n_tokens, intercept, sd):
    rng = np.random.default_rng(0)
    token = zipf_tokens(n_tokens, 20_000, rng)
    effect = rng.normal(intercept, sd, n_tokens)
    y = (rng.random(20_000) < expit(effect[token])).astype(int)
    model = EmbeddingClassifier(categorical_features=[0], random_state=0)
    found = model.fit(token[:, None], y).prior_scales_[0][0]
    assert found == pytest.approx(optimum(token, y, of_bernoulli, intercept), rel=0.1)


@pytest.mark.parametrize(("intercept", "sd"), [(-2.0, 1.0), (1.0, 0.5)])
def test_scales_of_counts_arrive(intercept, sd):
    rng = np.random.default_rng(1)
    token = zipf_tokens(2_000, 10_000, rng)
    y = rng.poisson(np.exp(rng.normal(intercept, sd, 2_000)[token])).astype(float)
    model = EmbeddingRegressor(categorical_features=[0], loss="poisson", random_state=0)
    found = model.fit(token[:, None], y).prior_scales_[0][0]
    assert found == pytest.approx(optimum(token, y, of_poisson, intercept), rel=0.1)


def maximum_likelihood(codes, y, start):
    """Scales of the effects of crossed columns, and of the noise, by full matrices."""
    same = [(column[:, None] == column).astype(float) for column in codes.T]
    same = [*same, np.eye(len(y)), np.ones((len(y), len(y)))]

    def bound(params):
        variances = np.append(np.exp(2.0 * params), 1e3)
        whole = sum(v * kernel for v, kernel in zip(variances, same, strict=True))
        inverse, (_, log_det) = np.linalg.inv(whole), np.linalg.slogdet(whole)
        answer = inverse @ y
        slope = [
            v * ((inverse * kernel).sum() - answer @ kernel @ answer)
            for v, kernel in zip(variances[:-1], same, strict=False)
        ]
        return 0.5 * (y @ answer + log_det), np.array(slope)

    return np.exp(optimize.minimize(bound, start, jac=True).x), bound


@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_scales_of_crossed_columns_arrive(noise):
    """Effects of other columns are uncertain too: one by one they would hide these."""
    rng = np.random.default_rng(2)
    sizes, scales, n = [150, 40, 60], [1.0, 0.7, 0.4], 900
    codes = np.stack([rng.integers(0, size, n) for size in sizes], axis=1)
    effects = [rng.normal(0, s, size) for s, size in zip(scales, sizes, strict=True)]
    y = sum(effect[column] for effect, column in zip(effects, codes.T, strict=True))
    y = y + rng.normal(0, noise, n)
    spread = y.std()
    y = (y - y.mean()) / spread
    start = np.log([*scales, noise]) - np.log(spread)
    best, bound = maximum_likelihood(codes, y, start)
    X = pd.DataFrame(codes.astype(str))
    model = EmbeddingRegressor(hidden_layer_sizes=4, random_state=0).fit(X, y)
    found = np.array([scale[0] for scale in model.prior_scales_])
    found = np.append(found, model.noise_scale_)
    if noise == 1.0:
        np.testing.assert_allclose(found, best, rtol=0.1)
    # Where rows say little, other scales may explain them about as well.
    assert bound(np.log(found))[0] < bound(np.log(best))[0] + 1.5


def test_the_scale_of_a_column_without_effects_goes_to_0():
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"a": rng.integers(0, 30, 3_000), "b": rng.integers(0, 30, 3_000)})
    y = rng.normal(size=30)[X["a"]] + rng.normal(size=3_000)
    model = EmbeddingRegressor(categorical_features=["a", "b"], random_state=0)
    with_effects, without = model.fit(X, y).prior_scales_
    assert without[0] < 0.1 * with_effects[0]


def test_interactions_are_found_after_the_additive_part():
    noise = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        A, B = rng.normal(size=(100, 2)), rng.normal(size=(30, 2))
        a, b = rng.integers(100, size=6_000), rng.integers(30, size=6_000)
        y = 2 * A[a, 0] + B[b, 0] + A[a, 1] * B[b, 1] + rng.normal(size=6_000)
        X = pd.DataFrame({"a": a, "b": b}).astype(str)
        model = EmbeddingRegressor(random_state=seed).fit(X, y)
        noise.append(model.noise_scale_)
    assert max(noise) < 1.1  # 1.4 without the interactions


def rare_tokens_and_numbers(seed=0, n_tokens=3_000):
    """Tokens of 2.6 rows on average, numbers that say little, and new rows."""
    rng = np.random.default_rng(seed)
    n = int(5.2 * n_tokens)
    token = rng.integers(0, n_tokens, n)
    numbers = rng.normal(size=(n, 4))
    flags = (rng.random((n, 5)) < 0.4).astype(float)
    y = 0.6 * rng.normal(size=n_tokens)[token] + rng.normal(0, 0.75, n)
    y += 0.15 * numbers[:, 0] + 0.1 * np.abs(numbers[:, 1]) + 0.2 * flags[:, 0]
    X = pd.DataFrame(np.concatenate([numbers, flags], axis=1)).add_prefix("x")
    X.insert(0, "token", token.astype(str))
    return X[: n // 2], y[: n // 2], X[n // 2 :], y[n // 2 :]


def test_layers_do_not_take_effects_of_rare_tokens_back():
    """What they take the scale would give again, without end: it was 1.5 and more."""
    scales = []
    for seed in range(3):  # single ones differ by 0.05
        X, y, X_new, y_new = rare_tokens_and_numbers(seed)
        model = EmbeddingRegressor(random_state=0).fit(X, y)
        scales.append(model.prior_scales_[0][0] * y.std())
        plain = EmbeddingRegressor(hidden_layer_sizes=(), random_state=0).fit(X, y)
        assert model.score(X_new, y_new) > plain.score(X_new, y_new) - 0.01
    assert np.mean(scales) == pytest.approx(0.6, rel=0.2)
    assert max(scales) < 0.8


@pytest.mark.parametrize("hidden", [(64, 64), ()])
def test_counts_of_rare_tokens_do_not_run_away(hidden):
    """One count of 24 among three rows moved its token's mean to exp(14)."""
    X, log_mean, X_new, _ = rare_tokens_and_numbers()
    y = np.random.default_rng(10).poisson(np.exp(log_mean))
    model = EmbeddingRegressor(
        hidden_layer_sizes=hidden, loss="poisson", random_state=0
    ).fit(X, y)
    assert model.prior_scales_[0][0] == pytest.approx(0.6, rel=0.3)
    # The logarithms have a noise of their own, which the rates take.
    assert model.noise_scale_ == pytest.approx(np.expm1(0.75**2) ** 0.5, rel=0.3)
    assert model.predict(X_new).max() < 10 * y.max()


@pytest.mark.parametrize("seed", [0, 1])
def test_several_classes_of_rare_tokens_do_not_run_away(seed):
    X, latent, X_new, latent_new = rare_tokens_and_numbers(seed)
    cuts = np.quantile(latent, [0.33, 0.66])
    y, y_new = np.digitize(latent, cuts), np.digitize(latent_new, cuts)
    model = EmbeddingClassifier(random_state=0).fit(X, y)
    plain = EmbeddingClassifier(hidden_layer_sizes=(), random_state=0).fit(X, y)
    found, of_plain = (
        -np.log(m.predict_proba(X_new)[np.arange(len(y_new)), y_new]).mean()
        for m in (model, plain)
    )
    assert found < of_plain + 0.02
    assert found < np.log(3) - 0.05
