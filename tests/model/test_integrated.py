"""Predictions as means over the posterior of vectors, and the slopes behind them."""

import numpy as np
import pytest
from heads import small_head
from numpy.testing import assert_allclose
from scipy.special import expit, softmax

from skembed import EmbeddingClassifier, EmbeddingRegressor
from skembed._model.activations import ACTIVATION_NAMES
from skembed._model.likelihoods import Bernoulli, Categorical, Poisson
from skembed._model.network import outputs, outputs_and_slopes
from skembed._model.prior import N_WAVES, Curves, waves


def rare_tokens(n_classes, rng):
    """Two columns whose tokens were seen a few times each."""
    X = np.stack([rng.integers(0, 80, 300), rng.integers(0, 8, 300)], axis=1)
    effects = rng.normal(0, 2, (80, n_classes)), rng.normal(0, 1, (8, n_classes))
    f = effects[0][X[:, 0]] + effects[1][X[:, 1]]
    return X, f, (f + rng.gumbel(size=f.shape)).argmax(axis=1)


def drawn(model, X, link, n=4_000):
    """Mean of the link over draws of all vectors."""
    fitted = model._fitted
    encoded = model._encoded(X)
    mean, root = fitted.weights.table.spread(encoded.codes + fitted.offsets)
    rng = np.random.default_rng(0)
    total = 0.0
    for _ in range(n):
        vectors = mean + rng.standard_normal(mean.shape) / root
        f = outputs(
            fitted.architecture,
            fitted.weights,
            vectors * fitted.mask,
            encoded.numbers,
            fitted.predictor.knots,
        )
        total = total + link(f)
    return total / n


@pytest.mark.parametrize("n_classes", [2, 4])
def test_probabilities_are_means_over_the_posterior(n_classes):
    X, _, y = rare_tokens(n_classes, np.random.default_rng(n_classes))
    model = EmbeddingClassifier(categorical_features=[0, 1], random_state=0).fit(X, y)
    asked = np.vstack([X[:40], [[500, 500]]])
    p = model.predict_proba(asked)
    link = expit if n_classes == 2 else lambda f: softmax(f, axis=1)
    expected = drawn(model, asked, link)
    assert_allclose(p[:, -expected.shape[1] :], expected, atol=0.015)
    at_the_means = model._fitted.likelihood.mean(
        model._fitted.predictor.outputs(model._encoded(asked))
    )
    assert np.abs(at_the_means - expected).max() > 0.02  # there was something to do
    # All answers of a classifier come from the same numbers.
    decision = model.decision_function(asked)
    chosen = (decision > 0).astype(int) if n_classes == 2 else decision.argmax(axis=1)
    assert (model.classes_[chosen] == model.predict(asked)).all()
    assert_allclose(np.exp(model.predict_log_proba(asked)), p, rtol=1e-9)
    assert_allclose(p.sum(axis=1), 1.0)


def test_a_log_link_predicts_the_mean_of_the_posterior():
    rng = np.random.default_rng(5)
    X, f, _ = rare_tokens(1, rng)
    y = rng.poisson(np.exp(0.5 * f[:, 0])).astype(float)
    model = EmbeddingRegressor(
        categorical_features=[0, 1], loss="poisson", random_state=0
    ).fit(X, y)
    expected = drawn(model, X[:40], np.exp)[:, 0]
    assert_allclose(model.predict(X[:40]), expected, rtol=0.08)
    assert_allclose(model.predict(X[:40], return_std=True)[0], model.predict(X[:40]))


def test_integrals_against_many_draws():
    rng = np.random.default_rng(0)
    f, roots = rng.normal(0, 2, (50, 3)), rng.normal(0, 0.4, (50, 3, 6))
    z = rng.standard_normal((6, 200_000))
    many = f[:, :, None] + roots @ z
    found = expit(Bernoulli("bernoulli").integrated(f, roots))
    assert_allclose(found, expit(many).mean(axis=2), atol=0.003)
    found = softmax(Categorical("categorical").integrated(f, roots), axis=1)
    assert_allclose(found, softmax(many, axis=1).mean(axis=2), atol=0.025)
    found = np.exp(Poisson("poisson").integrated(f, 0.5 * roots))
    assert_allclose(found, np.exp(0.5 * (many + f[:, :, None])).mean(2), rtol=0.03)


def test_integrals_stay_finite_far_out():
    f = np.array([[-2_000.0], [-40.0], [40.0], [2_000.0]])
    wide = np.full((4, 1, 1), 3.0)
    found = Bernoulli("bernoulli").integrated(f, wide)[:, 0]
    assert np.isfinite(found).all() and (np.diff(found) > 0).all()
    assert_allclose(Bernoulli("bernoulli").integrated(f, 0.0 * wide), f)
    assert np.isfinite(Poisson("poisson").integrated(f[1:3], 100.0 * wide[1:3])).all()


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_slopes_are_those_of_differences(activation, mixed):
    X, y = mixed
    y = np.stack([y, y**2], axis=1)
    model = EmbeddingRegressor(3, (5, 4), activation, epochs=2, random_state=0)
    check_slopes(model.fit(X, y), X)


@pytest.mark.parametrize("params", [{"hidden_layer_sizes": ()}, {"model": small_head}])
def test_slopes_of_no_layers_and_of_a_head_of_ones_own(params, mixed):
    X, y = mixed
    check_slopes(EmbeddingRegressor(3, epochs=2, random_state=0, **params).fit(X, y), X)


def check_slopes(model, X):
    fitted, encoded = model._fitted, model._encoded(X[:8])
    at = encoded.codes + fitted.offsets
    vectors = fitted.weights.table.mean[at].astype(np.float64) * fitted.mask
    rest = encoded.numbers, fitted.predictor.knots
    network = fitted.architecture, fitted.weights
    f, slopes = outputs_and_slopes(*network, vectors, *rest)
    assert_allclose(f, outputs(*network, vectors, *rest))
    rng, step = np.random.default_rng(1), 1e-3
    way = rng.normal(size=vectors.shape)
    ends = [outputs(*network, vectors + s * step * way, *rest) for s in (1, -1)]
    expected = (ends[0] - ends[1]) / (2 * step)
    found = np.einsum("nokw,nkw->no", slopes, way)
    assert_allclose(found, expected, rtol=2e-2, atol=2e-3)


def test_waves_are_orthogonal_and_none_is_there_that_the_bins_cannot_tell():
    found = waves(101)
    assert found.shape == (101, N_WAVES)
    assert_allclose(found[:-1].T @ found[:-1] / 100, np.eye(N_WAVES), atol=1e-6)
    assert (found[-1] == 0).all()  # missing values
    few = waves(5)
    assert np.linalg.matrix_rank(few) == 3
    assert (few[:, 4:] == 0).all()
    curves = Curves.of(7, [5, 101])
    assert curves.start == 7 and len(curves.basis) == 106
    assert Curves.of(7, []).basis.shape == (0, N_WAVES)
