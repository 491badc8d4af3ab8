"""scikit-learn's own checks of the classifier, over several configurations."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import EmbeddingClassifier

CONFIGURATIONS = [
    EmbeddingClassifier(epochs=30),
    EmbeddingClassifier(epochs=30, prior=None),
    EmbeddingClassifier(epochs=30, class_weight="balanced"),
]


@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
