"""calibrate, and the last rows as those that intervals are calibrated by."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skembed import EmbeddingClassifier, EmbeddingRegressor
from skembed._model.calibration import LogOdds
from skembed._model.likelihoods import Bernoulli


def shops(n, seed, drift=0.0):
    """Sales of shops; with drift, shops go their own ways in the course of time."""
    rng = np.random.default_rng(seed)
    shop, time = rng.integers(0, 40, n), np.sort(rng.uniform(0, 1, n))
    ways = np.random.default_rng(9).normal(size=(2, 40))
    mean = ways[0][shop] + drift * time**3 * ways[1][shop]
    X = np.column_stack([shop.astype(str), rng.integers(0, 5, n).astype(str)])
    return X, mean + 0.5 * rng.normal(size=n)


def share_inside(model, X, y, coverage=0.8):
    low, high = model.predict_interval(X, coverage).T
    return np.mean((low <= y) & (y <= high))


@pytest.fixture(scope="module")
def drifting():
    X, y = shops(4_000, 0, drift=6.0)
    return X, y, EmbeddingRegressor(random_state=0).fit(X[:3_000], y[:3_000])


def test_intervals_hold_again_once_calibrated(drifting):
    X, y, model = drifting
    model = clone(model).fit(X[:3_000], y[:3_000])
    new, test = slice(3_000, None, 5), np.arange(3_000, 4_000) % 5 > 0
    X_test, y_test = X[3_000:][test], y[3_000:][test]
    assert share_inside(model, X_test, y_test) < 0.7
    predicted, vectors = model.predict(X_test), model.embeddings_[0]
    assert model.calibrate(X[new], y[new]) is model
    assert share_inside(model, X_test, y_test) == pytest.approx(0.8, abs=0.05)
    z = (y_test - predicted) / model.predict_std(X_test)
    assert np.mean(np.square(z)) == pytest.approx(1.0, abs=0.3)
    assert_array_equal(model.predict(X_test), predicted)
    assert_array_equal(model.embeddings_[0], vectors)
    # The same rows again say the same.
    before = model.predict_interval(X_test)
    model.calibrate(X[new], y[new])
    assert_allclose(model.predict_interval(X_test), before, rtol=0.05)


def test_weights_of_calibrate_are_copies(drifting):
    X, y, model = drifting
    k = np.random.default_rng(0).integers(1, 4, 100)
    new = slice(3_000, 3_100)
    one = clone(model).set_params(epochs=3).fit(X[:500], y[:500])
    two = clone(one).fit(X[:500], y[:500])
    one.calibrate(X[new], y[new], sample_weight=k)
    two.calibrate(X[new].repeat(k, 0), y[new].repeat(k))
    assert_allclose(one.predict_interval(X[new]), two.predict_interval(X[new]))


def test_the_last_rows_say_how_far_off_later_rows_are(drifting):
    X, y, model = drifting
    later = X[3_000:], y[3_000:]
    last = clone(model).set_params(validation_rows="last").fit(X[:3_000], y[:3_000])
    assert share_inside(last, *later) > share_inside(model, *later) + 0.05
    # They are learned in the end: predictions lose nothing by it.
    assert last.score(*later) > model.score(*later) - 0.03
    assert last.n_iter_ > 1 and len(last.loss_curve_) == last.n_iter_
    given = clone(last).set_params(epochs=10).fit(X[:3_000], y[:3_000])
    assert given.n_iter_ == 13


def test_early_stopping_can_look_at_the_last_rows():
    X, y = shops(400, 1)
    y[360:] += 50.0  # never to be predicted from what was before
    settings = {"early_stopping": True, "n_iter_no_change": 3, "random_state": 0}
    for estimator, outcome in (
        (EmbeddingRegressor(**settings), y),
        (EmbeddingClassifier(**settings), y > np.median(y)),
    ):
        random = clone(estimator).fit(X, outcome)
        last = clone(estimator).set_params(validation_rows="last").fit(X, outcome)
        curves = random.validation_loss_curve_, last.validation_loss_curve_
        assert min(curves[1]) > min(curves[0])
        counts = sum(last.category_counts_[0])
        assert counts == 360


def test_intervals_after_early_stopping_are_those_of_rows_held_out():
    X, y = shops(4_000, 3)
    y[3_000:] += 1.5 * np.random.default_rng(4).normal(size=1_000)
    params = {"early_stopping": True, "validation_fraction": 0.25, "epochs": 12}
    model = EmbeddingRegressor(**params, validation_rows="last", random_state=0)
    X_new, y_new = shops(2_000, 5)
    y_new += 1.5 * np.random.default_rng(6).normal(size=2_000)
    model.fit(X, y)
    assert share_inside(model, X_new, y_new) == pytest.approx(0.8, abs=0.04)
    assert model.score(X_new, y_new) > 0.2  # of at most 0.28


def test_what_cannot_be_is_refused():
    import keras

    X, y = shops(200, 2)
    schedule = keras.optimizers.schedules.ExponentialDecay(5e-3, 100, 0.9)
    last = EmbeddingRegressor(validation_rows="last", epochs=2)
    with pytest.raises(ValueError, match="cannot begin again"):
        clone(last).set_params(learning_rate=schedule).fit(X, y)
    with pytest.raises(ValueError, match="leaves 0 of 3 rows to calibrate"):
        last.fit(X[:3], y[:3])
    with pytest.raises(ValueError, match="'validation_rows' parameter"):
        clone(last).set_params(validation_rows="first").fit(X, y)
    points = EmbeddingRegressor(prior=None, epochs=2).fit(X, y)
    with pytest.raises(AttributeError, match="needs the posterior"):
        points.calibrate(X, y)
    labels = EmbeddingClassifier(epochs=2).fit(X, y > 0)
    with pytest.raises(ValueError, match="features"):
        labels.calibrate(X[:, :1], y > 0)
    before = labels.predict_proba(X)
    with pytest.raises(ValueError, match="has classes not in"):
        labels.calibrate(X, np.full(200, "other"))
    assert_array_equal(labels.predict_proba(X), before)


def test_log_odds_are_those_of_a_logistic_regression():
    rng = np.random.default_rng(0)
    f = rng.normal(0, 2, (20_000, 1))
    y = (rng.logistic(size=(20_000, 1)) < 0.4 * f + 0.7).astype(float)
    found = LogOdds.learned(Bernoulli("bernoulli"), f, y, np.ones(20_000))
    wanted = LogisticRegression(C=np.inf).fit(f, y[:, 0])
    assert_allclose(found.slope, wanted.coef_[0], atol=2e-3)
    assert_allclose(found.shift, wanted.intercept_, atol=2e-3)
    # A few rows say little.
    few = LogOdds.learned(Bernoulli("bernoulli"), f[:4], y[:4], np.ones(4))
    assert abs(np.log(few.slope[0])) < 1.0 and abs(few.shift[0]) < 1.5


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_are_right_again_once_calibrated(n_classes):
    def draw(n, seed, sharper=1.0, shift=0.0):
        rng = np.random.default_rng(seed)
        effects = np.random.default_rng(9).normal(0, 2, (30, n_classes))
        token = rng.integers(0, 30, n)
        score = sharper * effects[token] + rng.gumbel(size=(n, n_classes))
        score[:, 0] += shift
        return token[:, None], score.argmax(axis=1)

    model = EmbeddingClassifier(categorical_features="all", random_state=0)
    model.fit(*draw(4_000, 0))
    X, y = draw(4_000, 1, sharper=0.4, shift=1.0)
    X_new, y_new = draw(4_000, 2, sharper=0.4, shift=1.0)

    def loss():
        p = model.predict_proba(X_new)
        return -np.log(p[np.arange(4_000), y_new]).mean()

    before, order = loss(), np.argsort(model.predict_proba(X_new)[:, 0])
    model.calibrate(X, y)
    assert loss() < before - 0.1
    p = model.predict_proba(X_new)
    assert_allclose(p.mean(axis=0), np.bincount(y_new) / 4_000, atol=0.02)
    assert_allclose(p.sum(axis=1), 1.0)
    if n_classes == 2:
        assert (np.diff(p[order, 0]) >= 0).all()
    assert_allclose(np.exp(model.predict_log_proba(X_new)), p)
    assert (model.predict(X_new) == p.argmax(axis=1)).all()


def test_labels_of_several_outputs_are_calibrated_one_by_one():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 5, (600, 1))
    y = (rng.random((600, 2)) < 0.5).astype(int)
    model = EmbeddingClassifier(categorical_features="all", epochs=5, random_state=0)
    model.fit(X, y).calibrate(X, np.c_[np.ones(600), np.zeros(600)].astype(int))
    p = model.predict_proba(X).mean(axis=0)
    assert p[0] > 0.9 and p[1] < 0.1
