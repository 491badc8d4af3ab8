"""Principal axes of vectors."""

import numpy as np
import pytest
from comparisons import equal_fits
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression

from skembed import EmbeddingEncoder, EmbeddingRegressor
from skembed._model.axes import principal_axes


def test_axes_of_a_linear_outcome_are_known():
    # Outcome 3 a - 0.1 b of two columns of two coordinates: one axis, in its units.
    rng = np.random.default_rng(0)
    table = rng.normal(size=(50, 2))
    slopes = np.tile([3.0, -0.1], (10, 1, 1, 1))
    (axes,) = principal_axes(slopes, [table], [np.ones(50)])
    turned = table @ axes
    assert_allclose(turned[:, 0], table @ [3.0, -0.1])
    assert_allclose(turned[:, 1], 0.0, atol=1e-12)


def test_what_moves_the_outcome_little_is_zero():
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(200, 2)), 1e-2 * rng.normal(size=(200, 2))]
    slopes = rng.normal(size=(5_000, 1, 2, 2)) * np.array([[5.0, 1.0], [1.0, 1.0]])
    first, second = principal_axes(slopes, tables, [np.ones(200)] * 2)
    assert np.linalg.matrix_rank(first) == 2
    # Every column keeps its first coordinate, whatever it carries.
    assert np.linalg.matrix_rank(second) == 1
    assert (second[:, 1] == 0).all()
    power = np.var(tables[0] @ first, axis=0)
    assert power[0] > 20 * power[1]


def test_what_is_more_uncertain_than_spread_out_is_zero():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(300, 2)) * [3.0, 1.0]
    slopes = rng.choice([-1.0, 1.0], size=(500, 1, 1, 2))
    for spread, rank in [(0.5, 2), (1.5, 1)]:
        spreads = np.full(table.shape, spread)
        (axes,) = principal_axes(slopes, [table], [np.ones(300)], [spreads])
        assert np.linalg.matrix_rank(axes) == rank
    # The leading coordinate stays, whatever it is worth.
    (axes,) = principal_axes(slopes, [table], [np.ones(300)], [spreads + 100.0])
    assert np.linalg.matrix_rank(axes) == 1


def test_encoder_puts_out_effects_first():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 12, (2, 4_000))
    effect = np.linspace(-6, 6, 12)
    y = effect[a] + rng.normal(size=4_000)
    X = np.c_[a, b].astype(str)
    estimator = EmbeddingRegressor(3, epochs=15, random_state=0)
    encoder = EmbeddingEncoder(estimator, random_state=0).fit(X, y)
    out = encoder.transform(X)
    assert out.shape == (4_000, 6)
    # The leading coordinate is the effect, in units of y and with its sign.
    slope = LinearRegression().fit(out[:, :1], effect[a]).coef_[0]
    assert slope == pytest.approx(1.0, abs=0.1)
    assert out[:, 1:].std(axis=0).max() < 0.1 * out[:, 0].std()
    table = dict(zip(encoder.categories_[0], encoder.embeddings_[0], strict=True))
    assert_allclose(out[:5, :3], [table[token] for token in X[:5, 0]])
    std = encoder.embeddings_std_[0][:, 0]
    assert (0.03 < std).all() and (std < 0.2).all()


def test_no_rotation_gives_the_tables_as_they_were_learned():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 5, (200, 1)).astype(str), rng.normal(size=200)
    estimator = EmbeddingRegressor(3, epochs=5, random_state=0)
    encoder = EmbeddingEncoder(estimator, rotation=None, random_state=0).fit(X, y)
    fitted = encoder._fitted
    (learned,) = fitted.vectors(fitted.weights.table.mean)
    assert_allclose(encoder.embeddings_[0], learned)


def test_the_estimator_is_the_plain_fit():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 5, (200, 1)).astype(str), rng.normal(size=200)
    estimator = EmbeddingRegressor(
        3, categorical_features="all", epochs=5, random_state=0
    )
    encoder = EmbeddingEncoder(estimator, random_state=0)
    encoder.fit_transform(X, y)
    equal_fits(encoder.estimator_, estimator.fit(X, y))
    encoder.partial_fit(X[:9], y[:9])
    equal_fits(encoder.estimator_, estimator)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_and_points_are_turned_too(n_classes):
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 600)
    y = (a + (rng.random(600) < 0.1)) % n_classes
    encoder = EmbeddingEncoder(target_mean=False, random_state=0).fit(a[:, None], y)
    power = np.var(encoder.embeddings_[0], axis=0)
    assert (np.diff(power) <= 1e-6).all()
    points = EmbeddingRegressor(3, prior=None, epochs=20, random_state=0)
    out = EmbeddingEncoder(points, random_state=0).fit_transform(a[:, None], 1.0 * a)
    # All that one column moves the outcome by is on its first axis.
    assert LinearRegression().fit(out[:, :1], a).score(out[:, :1], a) > 0.99
    assert out[:, 1:].std(axis=0).max() < 0.1 * out[:, 0].std()
