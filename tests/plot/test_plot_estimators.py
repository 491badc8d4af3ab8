"""The Displays on estimators that were really fitted."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skembed import EmbeddingRegressor
from skembed._plot import (
    EmbeddingDisplay,
    LossCurveDisplay,
    PredictionDisplay,
    SimilarityDisplay,
    TokenOutcomeDisplay,
)
from skembed.datasets import make_token_outcomes


@pytest.fixture(scope="module", name="data")
def two_columns():
    return make_token_outcomes(600, [12, 4], random_state=0)


@pytest.fixture(scope="module", name="regressor")
def fitted_regressor(data):
    return EmbeddingRegressor(3, epochs=5, random_state=0).fit(*data)


def test_every_display_of_a_regressor(regressor, data):
    X, y = data
    curve = LossCurveDisplay.from_estimator(regressor)
    np.testing.assert_array_equal(curve.line_.get_ydata(), regressor.loss_curve_)
    prediction = PredictionDisplay.from_estimator(regressor, X, y)
    mean, std = regressor.predict(X, return_std=True)
    np.testing.assert_allclose(prediction.frame()["y_pred"], mean)
    np.testing.assert_allclose(prediction.frame()["y_std"], std)
    outcome = TokenOutcomeDisplay.from_estimator(regressor, X, y, feature=0)
    np.testing.assert_allclose(outcome.frame()["prediction"], mean)
    assert sorted(outcome.tokens) == list(range(12))
    embedding = EmbeddingDisplay.from_estimator(regressor, feature=0)
    assert len(embedding.ellipses_.get_offsets()) == 12
    np.testing.assert_array_equal(embedding.counts, np.bincount(X[:, 0]))
    similarity = SimilarityDisplay.from_estimator(
        regressor, X, feature=1, metric="outcome"
    )
    assert similarity.distances.shape == (4, 4)


def test_point_embeddings_have_no_ellipses_and_no_intervals(data):
    X, y = data
    plain = EmbeddingRegressor(3, epochs=2, prior=None, random_state=0).fit(X, y)
    display = EmbeddingDisplay.from_estimator(plain, feature=0)
    assert display.ellipses_ is None
    assert display.effects is None
    assert PredictionDisplay.from_estimator(plain, X, y).intervals_ is None


def test_pipelines_and_searches_are_looked_into(data):
    X, y = data
    pipeline = make_pipeline(
        FunctionTransformer(lambda X: X[:, :1]), EmbeddingRegressor(2, random_state=0)
    )
    search = GridSearchCV(pipeline, {"embeddingregressor__epochs": [2]}, cv=2)
    search.fit(X, y)
    found = search.best_estimator_[-1]
    curve = LossCurveDisplay.from_estimator(search)
    np.testing.assert_array_equal(curve.line_.get_ydata(), found.loss_curve_)
    prediction = PredictionDisplay.from_estimator(search, X, y)
    assert "y_std" in prediction.frame()
    outcome = TokenOutcomeDisplay.from_estimator(search, X, y)
    np.testing.assert_array_equal(outcome.frame()["token"], X[:, 0])
    display = EmbeddingDisplay.from_estimator(search)
    assert display.coordinates.shape == (12, 2)
