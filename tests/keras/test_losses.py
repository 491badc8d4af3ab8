"""What a fit under each loss predicts."""

import numpy as np
import pytest

from skembed import EmbeddingRegressor
from skembed._keras import losses, response
from skembed._settings import LEAST_EFFECT


@pytest.mark.parametrize("prior", ["normal", None])
@pytest.mark.parametrize(
    ("loss", "quantile", "expected"),
    [
        ("squared_error", None, np.mean),
        ("absolute_error", None, np.median),
        ("quantile", 0.9, lambda y: np.quantile(y, 0.9)),
        ("quantile", 0.2, lambda y: np.quantile(y, 0.2)),
        ("poisson", None, np.mean),
        ("gamma", None, np.mean),
    ],
)
def test_one_token_gets_the_best_constant(loss, quantile, expected, prior):
    y = np.random.default_rng(0).gamma(2.0, 2.0, 400)
    model = EmbeddingRegressor(
        1,
        (2,),
        "linear",
        loss=loss,
        quantile=quantile,
        prior=prior,
        learning_rate=0.02,
        batch_size=100,
        epochs=120,
        tol=None,
        random_state=0,
    )
    model.fit(np.zeros((400, 1), int), y)
    found = model.predict([[0]])[0]
    spread = np.std(y) * (0.06 if prior is None else 0.03)
    np.testing.assert_allclose(found, expected(y), atol=spread)


def test_huber_lies_between_median_and_mean():
    y = np.random.default_rng(0).gamma(0.5, 2.0, 600)
    model = EmbeddingRegressor(1, (2,), loss="huber", random_state=0)
    found = model.fit(np.zeros((600, 1), int), y).predict([[0]])[0]
    assert np.median(y) < found < np.mean(y)


def test_what_classes_say_of_coordinates_behind_them():
    """Against the matrix: what moves all classes alike says nothing of them."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), 5).astype(np.float32)
    readout = np.append(rng.normal(size=(2, 4)), np.ones((1, 4)), axis=0)
    readout = readout.astype(np.float32)
    found = losses.information_behind("categorical", np.sqrt(p), readout).numpy()
    for row, own in zip(p, found, strict=True):
        matrix = np.diag(row) - np.outer(row, row)
        expected = np.diag(readout @ matrix @ readout.T)
        np.testing.assert_allclose(own, expected, atol=1e-6)
    assert np.abs(found[:, 2]).max() < 1e-6


def test_responses_of_the_layers():
    """Pulled by as much as data would pull an effect of that size, and only back."""
    rng = np.random.default_rng(0)
    effects = rng.normal(size=(500, 3)) + [0.0, 2.0, -1.0]
    effects[:, 2] *= 0.0
    outputs = 1.0 - 0.4 * effects[:, 0] + 0.3 * effects[:, 1] + effects[:, 2]
    weights = rng.uniform(0.5, 2.0, 500)
    columns = [v.astype(np.float32)[:, None] for v in (outputs, weights)]
    effects = effects.astype(np.float32)
    known = response.sums(effects, *columns)
    pull = response.slope(known, effects, columns[1]).numpy()[:, 0]
    mean = np.average(effects[:, 0], weights=weights)
    variance = np.average((effects[:, 0] - mean) ** 2, weights=weights)
    apart = weights * (outputs - np.average(outputs, weights=weights))
    slope = (apart @ effects[:, 0]) / weights.sum() / (variance + LEAST_EFFECT)
    assert slope == pytest.approx(-0.36, abs=0.05)
    expected = weights * slope * (effects[:, 0] - mean)
    np.testing.assert_allclose(pull, expected, atol=1e-4)
    # The mean of the outputs is none of it.
    assert abs(pull.sum()) < 1e-2
