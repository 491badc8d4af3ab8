"""The Displays on a fitted classifier."""

import numpy as np

from skembed import EmbeddingClassifier
from skembed._plot import EmbeddingDisplay, SimilarityDisplay
from skembed.datasets import make_token_outcomes


def test_classifier_is_coloured_by_the_probability_of_its_second_class():
    X, y = make_token_outcomes(500, random_state=0)
    labels = np.where(y > 0, "up", "down")
    classifier = EmbeddingClassifier(2, epochs=5, random_state=0).fit(X, labels)
    display = EmbeddingDisplay.from_estimator(classifier)
    expected = classifier.predict_proba(np.arange(5)[:, None])[:, 1]
    np.testing.assert_allclose(display.effects, expected, rtol=1e-5)
    assert display.colorbar_.ax.get_ylabel() == "probability of up"
    distances = SimilarityDisplay.from_estimator(classifier, metric="outcome")
    assert distances.distances.max() <= 1
