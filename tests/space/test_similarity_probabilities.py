"""TokenSimilarity: how sure it is of what is near."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from similarity_cases import METRICS, GivenVectors, given
from sklearn.frozen import FrozenEstimator

from skembed import (
    EmbeddingRegressor,
    TokenSimilarity,
    _settings,
)
from skembed._training.rows import rows_for


def test_probability_is_the_exact_one_in_one_dimension():
    means, spreads = np.array([[0.0], [1.0], [2.5]]), np.array([[0.5], [1.0], [0.7]])
    similarity = given(means, spreads=spreads)
    probability = similarity.probability_nearer(1, 2, to=0)
    # |a - t| < |b - t| where (a - b) and (a + b - 2 t) have different signs
    mean = np.array([1.0 - 2.5, 1.0 + 2.5])
    va, vb, vt = 1.0, 0.49, 0.25
    covariance = [[va + vb, va - vb], [va - vb, va + vb + 4 * vt]]
    u_below = stats.norm.cdf(0, mean[0], np.sqrt(covariance[0][0]))
    w_below = stats.norm.cdf(0, mean[1], np.sqrt(covariance[1][1]))
    both_below = stats.multivariate_normal(mean, covariance).cdf([0, 0])
    exact = u_below + w_below - 2 * both_below
    assert probability == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("metric", METRICS)
def test_probability_has_the_rules_of_one(metric, vectors):
    similarity = given(vectors, spreads=np.full((60, 5), 0.4), metric=metric)
    a, b = np.arange(1, 20), np.arange(20, 39)
    p = similarity.probability_nearer(a, b, to=0)
    assert p.shape == (19,) and p.std() > 0.1
    assert_allclose(p + similarity.probability_nearer(b, a, to=0), 1, atol=1e-12)
    assert p[3] == similarity.probability_nearer(4, 23, to=0)
    assert similarity.probability_nearer(4, 4, to=0) == 0.5
    if metric != "dot":
        assert similarity.probability_nearer(0, 5, to=0) > 0.99
    grid = similarity.probability_nearer(a[:, None], b[:3], to=0)
    assert grid.shape == (19, 3)
    assert_allclose(grid[:3, :3].diagonal(), p[:3])


@pytest.mark.parametrize("metric", METRICS)
def test_narrow_posteriors_are_sure(metric, vectors):
    similarity = given(vectors, spreads=np.full((60, 5), 1e-5), metric=metric)
    distances = similarity.similarities(0)
    a, b = np.arange(1, 20), np.arange(20, 39)
    p = similarity.probability_nearer(a, b, to=0)
    assert_array_equal(p, distances[a] < distances[b])


def test_outcome_probability_follows_the_spread_of_the_outcome():
    # two coordinates, predictions are twice their sum
    rng = np.random.default_rng(0)
    V = rng.normal(size=(300, 2))
    V[:3] = [[0, 0], [1, 0], [0, 1.2]]
    spreads = np.full((300, 2), 0.3)
    similarity = given(V, spreads=spreads, slope=2.0, metric="outcome")
    z = rng.normal(size=(100_000, 3, 2)) * 0.3 + V[:3]
    t, a, b = np.moveaxis(z.sum(axis=2), 1, 0)
    expected = np.mean(np.abs(a - t) < np.abs(b - t))
    # the slope is a little smaller: vectors are known with an error
    assert similarity.probability_nearer(1, 2, to=0) == pytest.approx(
        expected, abs=0.03
    )


def test_tied_neighbours_are_those_the_data_cannot_tell_apart():
    means = np.array([[0.0], [1.0], [1.05], [6.0], [12.0]])
    similarity = given(means, list("tabcd"), spreads=np.full((5, 1), 0.1))
    tied = similarity.most_similar("t", return_tied=True)
    assert [(token, flag) for token, _, flag in tied] == [
        ("a", True),
        ("b", False),
        ("c", False),
        ("d", False),
    ]
    # the last answer is compared with the next one, which is not shown
    assert similarity.most_similar("t", n=1, return_tied=True)[0][2]
    assert not similarity.most_similar("t", n=1, return_tied=True, confidence=0.5)[0][2]
    assert len(similarity.most_similar(["a", "c"], "b", return_tied=True)) == 2


def test_pooled_tokens_are_one_random_vector():
    tokens, means = np.arange(4), np.array([[0.0], [3.0], [3.0], [4.0]])
    estimator = GivenVectors([means], [tokens], [np.full((4, 1), 1.0)])
    estimator.infrequent_categories_ = [np.array([1, 2])]
    estimator.fit(None, None)
    similarity = TokenSimilarity(FrozenEstimator(estimator)).fit([[0], [1]], [0.5, 1])
    assert similarity.probability_nearer(1, 2, to=0) == 0.5
    assert similarity.probability_nearer(1, 3, to=2) == 1.0
    assert similarity.most_similar(0, n=1, return_tied=True)[0][2]


def test_without_posterior_there_is_no_probability(colours):
    similarity = TokenSimilarity(EmbeddingRegressor(2, prior=None)).fit(*colours)
    assert len(similarity.most_similar("red")) == 4
    with pytest.raises(ValueError, match="without posterior"):
        similarity.probability_nearer("red", "blue", to="lime")
    with pytest.raises(ValueError, match="without posterior"):
        similarity.most_similar("red", return_tied=True)


def test_fitted_posterior_tells_far_from_near(fitted):
    # coordinates that one column of effects does not need must not blur the answer
    assert fitted.probability_nearer("lime", "red", to="green") > 0.99
    assert fitted.probability_nearer("navy", "red", to="blue") > 0.99


def test_coordinates_without_evidence_stay_at_their_means():
    means = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    spreads = np.column_stack([np.full(3, 0.1), np.full(3, 0.95)])
    similarity = given(means, spreads=spreads)
    assert similarity.probability_nearer(1, 2, to=0) == 1.0
    # nothing decided at all: everything is drawn
    blind = given(means, spreads=np.full((3, 2), 0.95))
    assert 0.5 < blind.probability_nearer(1, 2, to=0) < 0.9


def interacting(a, rng, truth, others):
    """Rows of two columns whose tokens act through vectors of two numbers."""
    n_rows = len(a)
    b = rng.integers(30, size=n_rows)
    y = truth[a, 0] + (truth[a] * others[b]).sum(axis=1) + rng.normal(size=n_rows)
    return np.column_stack([a, b]), y


def claimed_and_right(similarity, truth, n):
    """Return what is claimed of n comparisons, and which of them are right."""
    to, a, b = np.random.default_rng(1).integers(len(truth), size=(3, n))
    distinct = (to != a) & (to != b) & (a != b)
    to, a, b = to[distinct], a[distinct], b[distinct]
    p = similarity.probability_nearer(a, b, to=to)
    gaps = [np.linalg.norm(truth[x] - truth[to], axis=1) for x in (a, b)]
    return np.maximum(p, 1 - p), (p > 0.5) == (gaps[0] < gaps[1])


def test_probabilities_are_calibrated(monkeypatch):
    # The posterior speaks of the optimum it is in, so the reference stays in it.
    monkeypatch.setattr(_settings, "FRESH_START", 1.0)
    claims = {metric: [] for metric in ("euclidean", "cosine", "outcome")}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        truth, others = rng.normal(size=(100, 2)), rng.normal(size=(30, 2))
        a = np.minimum((rng.pareto(1.0, size=10_000) * 5).astype(int), 99)
        X, y = interacting(np.append(a, np.arange(100)), rng, truth, others)
        estimator = EmbeddingRegressor(6, categorical_features="all", random_state=0)
        estimator.fit(X, y)
        # Distances of vectors mean something in the axes that the layers have given
        # them only: the truth is where 600 new rows of every token put it in these.
        more = interacting(np.tile(np.arange(100), 600), rng, truth, others)
        rows, rng = estimator._observed(*more, None), np.random.default_rng(0)
        rows = rows_for(estimator._fitted, rows)
        learned = estimator._learned_anew(estimator._fitted, rows, rng)
        vectors = learned.vectors(learned.weights.table.mean)[0]
        directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        outcomes = truth[:, :1] + truth @ others[X[:200, 1]].T
        for metric, truths, n in (
            ("euclidean", vectors, 600),
            ("cosine", directions, 600),
            ("outcome", outcomes, 60),
        ):
            frozen = FrozenEstimator(estimator)
            similarity = TokenSimilarity(frozen, metric=metric, feature=0).fit(X, y)
            claims[metric].append(claimed_and_right(similarity, truths, n))
    for found in claims.values():
        claimed, right = np.concatenate(found, axis=1)
        sure = claimed > 0.9
        assert sure.sum() >= 80
        assert right[sure].mean() > 0.88
        # Two standard errors of so many comparisons, and two hundredths.
        error = np.sqrt(np.mean(claimed * (1.0 - claimed)) / len(claimed))
        assert abs(right.mean() - claimed.mean()) < 0.02 + 2.0 * error
