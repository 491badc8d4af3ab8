"""scikit-learn's own checks of TokenSimilarity, over several configurations."""

from sklearn.neighbors import KNeighborsTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import EmbeddingRegressor, TokenSimilarity

CONFIGURATIONS = [
    TokenSimilarity(),
    TokenSimilarity(metric="cosine"),
    TokenSimilarity(metric="dot"),
    TokenSimilarity(metric="outcome"),
    TokenSimilarity(n_neighbors=3),
    TokenSimilarity(neighbors=KNeighborsTransformer(n_neighbors=3)),
    TokenSimilarity(EmbeddingRegressor(prior=None)),
]


@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
