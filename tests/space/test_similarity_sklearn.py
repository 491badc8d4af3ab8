"""scikit-learn's own checks of TokenSimilarity, over several configurations."""

from sklearn.neighbors import KNeighborsTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import EmbeddingRegressor, TokenSimilarity

# What differs reads vectors, however short the training was. Outcomes after a short one
# are so near each other that the digits of a check are those of rounding.
SHORT = EmbeddingRegressor(2, (8,), epochs=6)
CONFIGURATIONS = [
    TokenSimilarity(),
    TokenSimilarity(SHORT, metric="cosine"),
    TokenSimilarity(SHORT, metric="dot"),
    TokenSimilarity(metric="outcome"),
    TokenSimilarity(SHORT, n_neighbors=3),
    TokenSimilarity(SHORT, neighbors=KNeighborsTransformer(n_neighbors=3)),
    TokenSimilarity(EmbeddingRegressor(prior=None)),
]


@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
