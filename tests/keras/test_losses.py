"""What a fit under each loss predicts."""

import numpy as np
import pytest

from skembed import EmbeddingRegressor


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
