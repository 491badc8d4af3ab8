"""Which predictor an outcome asks for where nobody names one."""

import warnings

import numpy as np
import pytest

from skembed import (
    EmbeddingClassifier,
    EmbeddingEncoder,
    EmbeddingRegressor,
    TokenSimilarity,
)
from skembed._predictors import default_predictor

MINUTES = np.arange(200) % 90


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (MINUTES.astype(float), EmbeddingRegressor),
        (MINUTES / 7.0, EmbeddingRegressor),
        (np.array([0.0, 1.0] * 9), EmbeddingRegressor),
        (MINUTES % 5, EmbeddingClassifier),
        (MINUTES % 2, EmbeddingClassifier),
        (MINUTES % 2 == 1, EmbeddingClassifier),
        (np.array(list("abcd")), EmbeddingClassifier),
        (MINUTES.astype(str), EmbeddingClassifier),
        (np.array([[0, 1], [1, 1]]), EmbeddingClassifier),
        (np.array([[0.5, 1], [1, 1]]), EmbeddingRegressor),
    ],
)
def test_floats_are_amounts_and_few_whole_numbers_are_classes(y, expected):
    assert default_predictor(y) is expected


def test_many_whole_numbers_are_amounts_with_a_warning():
    with pytest.warns(UserWarning, match="90 different whole numbers"):
        assert default_predictor(MINUTES) is EmbeddingRegressor


def test_both_transformers_choose_by_the_same_rule():
    X = (MINUTES % 7)[:, None]
    with pytest.warns(UserWarning, match="Set target_type="):
        encoder = EmbeddingEncoder(random_state=0).fit(X, MINUTES)
    with pytest.warns(UserWarning, match="Hand in an estimator"):
        similarity = TokenSimilarity(random_state=0).fit(X, MINUTES)
    assert type(encoder.estimator_) is type(similarity.estimator_) is EmbeddingRegressor
    assert encoder.target_type_ == "continuous"


def test_the_encoder_warns_once_of_whole_numbers():
    X, y = np.arange(120)[:, None] % 3, np.arange(120)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        EmbeddingEncoder(random_state=0).fit_transform(X, y)
    messages = [str(warning.message) for warning in caught]
    assert sum("different whole numbers" in text for text in messages) == 1
