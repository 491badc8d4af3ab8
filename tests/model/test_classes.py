"""Several classes: as sure as the rows of each allow, and each with its own effects."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skembed import EmbeddingClassifier, EmbeddingRegressor, _settings
from skembed._keras.priors import Priors


def classes(seed, n, n_classes, sd):
    """Rows of two columns of tokens and two numbers, classes, their probabilities."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, (30, 12), (n, 2))
    numbers = rng.normal(size=(n, 2))
    logits = sd * rng.normal(size=(30, n_classes))[tokens[:, 0]]
    logits += 0.5 * rng.normal(size=n_classes)
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return np.hstack([tokens, numbers]), y, p


def model(**params):
    return EmbeddingClassifier(categorical_features=[0, 1], random_state=0, **params)


@pytest.mark.parametrize(("n", "n_classes"), [(60, 5), (150, 10)])
def test_little_is_learned_from_noise(n, n_classes):
    X, y, _ = classes(0, n + 2000, n_classes, 0.0)
    labels = np.arange(n_classes)
    shares = np.bincount(y[:n], minlength=n_classes) / n
    assert shares.all()
    constant = log_loss(y[n:], np.tile(shares, (2000, 1)), labels=labels)
    p = model().fit(X[:n], y[:n]).predict_proba(X[n:])
    assert log_loss(y[n:], p, labels=labels) < constant + 0.05


def test_each_of_many_classes_has_effects_of_its_own():
    """In few coordinates tokens cannot tell thirty classes apart."""
    n, labels = 3000, np.arange(30)
    X, y, p = classes(1, n + 2000, 30, 1.0)
    found = model().fit(X[:n], y[:n])
    assert found.embeddings_[0].shape == (30, 30)

    def excess(p_found):
        return log_loss(y[n:], p_found, labels=labels) - log_loss(y[n:], p[n:])

    one_hot = make_pipeline(OneHotEncoder(), LogisticRegression(C=0.5, max_iter=500))
    one_hot.fit(X[:n, :1], y[:n])
    of_tokens = excess(one_hot.predict_proba(X[n:, :1]))
    # The regression knows that nothing else matters.
    assert excess(found.predict_proba(X[n:])) < 1.5 * of_tokens
    few = model(embedding_dim=4).fit(X[:n], y[:n])
    assert excess(few.predict_proba(X[n:])) > 1.7 * of_tokens


def test_how_long_vectors_are():
    X, y, _ = classes(2, 400, 7, 1.0)

    def length(made, outcome=y):
        made.set_params(epochs=1).fit(X[:, :2], outcome)
        return made.embeddings_[0].shape[1]

    assert length(model()) == 7
    assert length(model(embedding_dim=5)) == 5
    assert length(model(prior=None)) == 6
    assert length(model(), y > 3) == 6
    several = EmbeddingRegressor(categorical_features=[0, 1], random_state=0)
    outcomes = np.random.default_rng(0).normal(size=(400, 40))
    assert length(several, outcomes) == 32
    assert length(several, outcomes[:, :9]) == 9


def test_scales_of_classes_move_to_their_optimum_together():
    """One step is Newton's for normal scales about a mean that is learned as well."""
    rng = np.random.default_rng(0)
    at, slope = rng.normal(size=(2, 3, 4)).astype(np.float32) * 0.01
    known = rng.uniform(0.1, 50.0, (3, 4)).astype(np.float32)
    architecture = SimpleNamespace(width=6, n_first=4)
    given = [tf.constant(value) for value in (at, slope, known)]
    step = Priors(architecture, True)._scale_step(*given)
    pull = _settings.CLASS_SPREAD**-2
    for k in range(3):
        around = np.eye(4) - 0.25
        hessian = np.diag(known[k]) + pull * around
        expected = np.linalg.solve(hessian, slope[k] - pull * around @ at[k])
        assert_allclose(step[k], np.clip(expected, -0.25, 0.25), atol=1e-5)
    alone = Priors(architecture, False)._scale_step(*given)
    assert_allclose(alone, np.clip(slope / known, -0.25, 0.25), atol=1e-6)


def test_noise_of_many_outcomes_is_not_brought_together():
    """What carries effects to the outcomes is held, too: it has 144 weights here."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 30, 2150), rng.normal(size=2150)])
    effects = rng.normal(size=(30, 12))[X[:, 0].astype(int)]
    y = effects + rng.normal(size=effects.shape)
    found = EmbeddingRegressor(categorical_features=[0], random_state=0)
    error = found.fit(X[:150], y[:150]).predict(X[150:]) - effects[150:]
    # By Bayes' rule the mean of five rows leaves 1 / 6.
    assert np.mean(error**2) < 0.35
