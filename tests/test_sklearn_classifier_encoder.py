"""scikit-learn's own checks of the classifier and the encoder."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor

SMALL = {"embedding_dim": 2, "hidden_layer_sizes": (8,)}
CONFIGURATIONS = [
    EmbeddingClassifier(),
    EmbeddingClassifier(**SMALL, prior=None, epochs=30),
    EmbeddingClassifier(**SMALL, class_weight="balanced"),
    EmbeddingEncoder(cv=2),
    EmbeddingEncoder(EmbeddingRegressor(**SMALL, epochs=5), output="mean_std"),
    EmbeddingEncoder(
        EmbeddingClassifier(**SMALL, epochs=5),
        categorical_features="auto",
        remainder="passthrough",
        cv=2,
    ),
]


@pytest.mark.filterwarnings("ignore:The least populated class")
@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
