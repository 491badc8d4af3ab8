"""The neighbours and ties of all tokens at once are those of `most_similar`."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from skembed import EmbeddingRegressor, TokenSimilarity
from skembed._space import ties
from skembed._space.ties import neighbors_and_ties
from skembed.datasets import make_token_outcomes


@pytest.fixture(scope="module")
def regressor():
    rng = np.random.default_rng(0)
    X = np.empty((1_500, 2), dtype=object)
    X[:, 0] = rng.integers(0, 40, 1_500)
    X[:, 1] = rng.choice(list("abc"), 1_500)
    y = 0.5 * X[:, 0].astype(float) + (X[:, 1] == "a") + rng.normal(size=1_500)
    return EmbeddingRegressor(epochs=5, random_state=0).fit(X, y), X, y


def agrees(similarity, n, feature=None):
    space = similarity._space(feature)
    found, distances, tied = neighbors_and_ties(space, n, 0.95)
    tokens = space.table.tokens
    for code, token in enumerate(tokens.tolist()):
        answer = similarity.most_similar(token, n=n, feature=feature, return_tied=True)
        assert [token for token, _, _ in answer] == tokens[found[code]].tolist()
        assert [gap for _, gap, _ in answer] == pytest.approx(distances[code])
        assert [is_tied for *_, is_tied in answer] == tied[code].tolist()
    return tied


@pytest.mark.parametrize("metric", ["euclidean", "outcome", "cosine", "dot"])
def test_as_most_similar_says(regressor, metric):
    estimator, X, y = regressor
    frozen = FrozenEstimator(estimator)
    similarity = TokenSimilarity(frozen, feature=0, metric=metric, random_state=0)
    tied = agrees(similarity.fit(X, y), n=6)
    assert tied.any()
    if metric == "outcome":
        assert not tied.all()


def test_all_the_others_can_be_neighbours(regressor):
    estimator, X, y = regressor
    frozen = FrozenEstimator(estimator)
    similarity = TokenSimilarity(frozen, feature=1, random_state=0).fit(X, y)
    tied = agrees(similarity, n=2)
    assert not tied[:, -1].any()  # there is no next one


def test_pooled_tokens_are_one(regressor):
    _, X, y = regressor
    estimator = EmbeddingRegressor(epochs=5, max_categories=12, random_state=0)
    frozen = FrozenEstimator(estimator.fit(X, y))
    similarity = TokenSimilarity(frozen, feature=0, metric="outcome", random_state=0)
    agrees(similarity.fit(X, y), n=5)


def test_points_without_posterior_have_no_ties(regressor):
    _, X, y = regressor
    estimator = EmbeddingRegressor(epochs=2, prior=None, random_state=0).fit(X, y)
    similarity = TokenSimilarity(FrozenEstimator(estimator), feature=0).fit(X, y)
    found, _, tied = neighbors_and_ties(similarity._space(0), 3, 0.95)
    assert tied is None
    assert found.shape == (40, 3)


def test_the_tree_finds_what_the_search_of_all_finds(monkeypatch):
    X, y = make_token_outcomes(3_000, 600, noise_scale=1.0, random_state=0)
    X = np.column_stack([X, X % 7])
    estimator = EmbeddingRegressor(epochs=3, random_state=0).fit(X, y)
    frozen = FrozenEstimator(estimator)
    similarity = TokenSimilarity(frozen, feature=0, metric="outcome", random_state=0)
    space = similarity.fit(X, y)._space(0)
    by_all = neighbors_and_ties(space, 8, 0.95)
    monkeypatch.setattr(ties.settings, "TREE_FROM", 10)
    assert ties._Search(space).tree is not None
    for one, other in zip(by_all, neighbors_and_ties(space, 8, 0.95), strict=True):
        np.testing.assert_allclose(one, other)


def test_progress_comes_to_the_end(regressor):
    estimator, X, y = regressor
    similarity = TokenSimilarity(FrozenEstimator(estimator), feature=0).fit(X, y)
    said = []
    neighbors_and_ties(similarity._space(0), 3, 0.95, said.append)
    assert said == sorted(said)
    assert said[-1] == pytest.approx(1.0)
