"""Numbers beyond the range of fit: what is not known of them grows with distance."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed import EmbeddingClassifier, EmbeddingRegressor
from skembed._model.prior import Field


def trend(n, seed=0):
    rng = np.random.default_rng(seed)
    number = rng.uniform(0, 10, n)
    return number[:, None], np.sin(number) + rng.normal(0, 0.3, n)


def test_the_walk_goes_on_where_nothing_was_seen():
    # Cosines with these scales are a random walk of variance (pi s)^2 over the range.
    wave = np.arange(1, 20_001)
    at = np.array([0.2, 0.5, 0.9])
    basis = np.sqrt(2) * np.cos(np.pi * at[:, None] * wave) / wave
    for i, j in ((0, 1), (1, 2), (0, 2)):
        found = np.square(basis[i] - basis[j]).sum()
        assert found == pytest.approx(np.pi**2 * abs(at[i] - at[j]), rel=1e-3)
    X, y = trend(2_000)
    model = EmbeddingRegressor(random_state=0).fit(X, y)
    fitted = replace(model._fitted, drift=None)
    scale = fitted.encoder.scales[0]
    ends = scale.knots[[0, -1]]
    length = ends[1] - ends[0]
    prior = fitted.weights.dense["prior"][0, 0].astype(float)
    rough = np.exp(2 * prior[Field.LOG_SCALE])
    step = np.square(np.pi * np.exp(prior[Field.LOG_CURVE]))
    z = np.array([ends[0], ends[1], ends[1] + 0.5 * length, ends[0] - length])
    found = fitted.beyond.variance(z[:, None])[:, 0]
    assert_allclose(found, [0, 0, 0.5 * step + rough, step + rough], rtol=1e-6)


def test_standard_deviations_and_intervals_grow_outside_only():
    X, y = trend(2_000)
    model = EmbeddingRegressor(random_state=0).fit(X, y)
    inside = model.predict_std(X)
    outside = model.predict_std([[11.0], [13.0], [20.0], [-1.0], [-5.0]])
    assert (np.diff(outside[:3]) > 0).all() and outside[4] > outside[3]
    assert outside.min() > inside.mean()
    width = np.ptp(model.predict_interval([[5.0], [13.0]]), axis=1)
    assert width[1] > 1.3 * width[0]
    # Missing numbers are not outside.
    X[::10] = np.nan
    model.fit(X, y)
    numbers = model._encoded([[np.nan], [5.0]]).numbers
    assert_array_equal(model._fitted.beyond.variance(numbers), 0.0)


def test_probabilities_are_less_sure_outside():
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 10, (2_000, 1))
    y = rng.random(2_000) < np.where(X[:, 0] > 6, 0.95, 0.1)
    model = EmbeddingClassifier(random_state=0).fit(X, y)
    edge, far = model.decision_function([[10.0], [40.0]])
    assert 0 < far < edge
    several = EmbeddingClassifier(random_state=0).fit(X, (X[:, 0] // 3.4).astype(int))
    edge, far = several.predict_proba([[10.0], [40.0]])[:, 2]
    assert 1 / 3 < far < edge


def test_points_have_nothing_beyond():
    X, y = trend(200)
    model = EmbeddingRegressor(prior=None, epochs=5, random_state=0).fit(X, y)
    assert model._fitted.beyond is None
    assert np.isfinite(model.predict([[40.0]])).all()
