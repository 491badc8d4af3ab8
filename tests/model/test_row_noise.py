"""Noise that depends on the row."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skembed import EmbeddingRegressor
from skembed._model.row_noise import learned


def drawn(spread, n=20_000, n_tokens=200, seed=0, share=1.0):
    """Squared residuals over their variance, under effects of log variances."""
    rng = np.random.default_rng(seed)
    effects = rng.normal(0, spread, n_tokens)
    token = rng.integers(0, n_tokens, n)
    variance = share * np.exp(effects[token]) + 1.0 - share
    return token[:, None], effects, variance * np.square(rng.normal(size=n))


def learn(at, squares, share=1.0, n_tokens=200, weights=None):
    n = len(at)
    return learned(
        [(at, None)],
        [n_tokens + 1],
        1,
        np.zeros((n, 1)),
        squares[:, None],
        np.full((n, 1), share),
        np.ones(n) if weights is None else weights,
    )[0]


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_effects_are_found_and_shrunk(share):
    at, effects, squares = drawn(0.7, share=share)
    noise = learn(at, squares, share)
    found = noise.by_token[:200, 0] + noise.by_prediction[0][0]
    assert np.corrcoef(found, effects)[0, 1] > 0.93
    assert np.polyfit(found, effects, 1)[0] == pytest.approx(1.0, abs=0.1)
    # A token that has not been seen has the mean variance of tokens, not their median.
    constant = noise.by_prediction[0][0]
    assert noise.by_token[200, 0] == pytest.approx(0.5 * 0.7**2, abs=0.08)
    assert constant == pytest.approx(effects.mean(), abs=0.1)


def test_tokens_that_scatter_alike_have_one_noise():
    at, _, squares = drawn(0.0)
    noise = learn(at, squares)
    assert np.abs(noise.by_token).max() < 0.05
    # Heavy tails are no effects of tokens.
    rng = np.random.default_rng(1)
    heavy = np.square(rng.standard_t(4, size=len(at))) / 2.0
    assert np.abs(learn(at, heavy).by_token).max() < 0.2


def test_weights_are_copies():
    at, _, squares = drawn(0.7, n=2_000)
    k = np.random.default_rng(1).integers(1, 4, 2_000)
    weighted = learn(at, squares, weights=k.astype(float))
    copied = learn(at.repeat(k, 0), squares.repeat(k))
    assert_allclose(weighted.by_token, copied.by_token, atol=1e-6)


def scattering(n, seed):
    """Two columns; the noise depends on the first, the number and the mean."""
    rng = np.random.default_rng(seed)
    token, other, number = rng.integers(0, 30, (2, n)), None, rng.normal(size=n)
    token, other = token
    log_sd = np.random.default_rng(9).normal(0, 0.5, 30)[token] + 0.5 * number
    mean = np.random.default_rng(8).normal(0, 2, 30)[other]
    X = np.column_stack([token.astype(str), other.astype(str), number]).astype(object)
    return X, mean + np.exp(log_sd) * rng.normal(size=n), np.exp(log_sd)


def test_predict_std_and_intervals_follow_the_noise_of_the_row():
    X, y, _ = scattering(6_000, 0)
    model = EmbeddingRegressor(categorical_features=[0, 1], random_state=0).fit(X, y)
    X_new, y_new, sd = scattering(6_000, 1)
    found = model.predict_std(X_new)
    assert np.corrcoef(np.log(found), np.log(sd))[0, 1] > 0.93
    assert_allclose(np.log(found).mean(), np.log(sd).mean(), atol=0.1)
    low, high = model.predict_interval(X_new, 0.8).T
    inside = (low <= y_new) & (y_new <= high)
    quiet = sd < np.median(sd)
    for rows in (quiet, ~quiet):
        assert inside[rows].mean() == pytest.approx(0.8, abs=0.04)
    # A row of a token that is not known yet has an ordinary noise, not none.
    unknown = model.predict_std([["new", "0", 0.0]])
    assert 0.5 < unknown[0] / np.exp(0.125) < 2.5


def test_new_tokens_and_several_outputs():
    X, y, _ = scattering(1_500, 0)
    both = EmbeddingRegressor(
        categorical_features=[0, 1], epochs=10, random_state=0
    ).fit(X, np.c_[y, 3.0 * y[::-1]])
    std = both.predict_std(X)
    assert np.corrcoef(*np.log(std.T))[0, 1] < 0.9
    before = both.predict_std(X[:50])
    both.fold_in([["new", "0", 0.0]] * 3, np.ones((3, 2)))
    assert_allclose(both.predict_std(X[:50])[:, 1], before[:, 1], rtol=0.2)
    assert both._fitted.row_noise.by_token.shape == (len(both._fitted.is_token), 2)
