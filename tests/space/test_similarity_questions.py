"""TokenSimilarity asked: neighbours, sums and differences, unknown tokens."""

import numpy as np
import pandas as pd
import pytest
from gensim.models import KeyedVectors
from numpy.testing import assert_allclose, assert_array_equal
from similarity_cases import METRICS, given
from sklearn.base import clone

from skembed import (
    TokenSimilarity,
)
from skembed._space.metrics import Space


@pytest.mark.parametrize("metric", ["euclidean", "outcome"])
def test_vectors_order_tokens_as_their_effects_do(metric, colours):
    X, y = colours
    similarity = TokenSimilarity(metric=metric, random_state=0).fit(X, y)
    means = {token: y[X[:, 0] == token].mean() for token in np.unique(X)}
    for token in means:
        order = sorted(means, key=lambda t: abs(means[t] - means[token]))
        assert [t for t, _ in similarity.most_similar(token)] == order[1:]


def test_outcome_distance_is_the_difference_of_predictions(colours):
    X, y = colours
    similarity = TokenSimilarity(metric="outcome", random_state=0).fit(X, y)
    tokens = similarity.estimator_.categories_[0]
    predicted = similarity.estimator_.predict(tokens[:, None])
    distances = similarity.transform(tokens[:, None])
    assert_allclose(distances, np.abs(predicted[:, None] - predicted), atol=1e-4)


def test_outcome_distance_is_over_reference_rows_and_classes():
    rng = np.random.default_rng(0)
    X = rng.choice(["a", "b", "c"], size=(80, 2)).astype(object)
    y = rng.choice(["no", "yes", "maybe"], 80)
    similarity = TokenSimilarity(metric="outcome", feature=1, random_state=0).fit(X, y)
    probability = []
    for token in "abc":
        filled = X.copy()
        filled[:, 1] = token
        probability.append(similarity.estimator_.predict_proba(filled))
    expected = [np.sqrt(np.mean((p - probability[0]) ** 2)) for p in probability]
    assert_allclose(similarity.similarities("a"), expected, atol=1e-5)
    fewer = clone(similarity).set_params(n_reference=5).fit(X, y)
    assert fewer._spaces[0].profiles.shape == (3, 5 * 3)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbors_of_agrees_with_most_similar(metric, vectors):
    similarity = given(vectors, metric=metric)
    distances, neighbors = similarity.neighbors_of([4, 0, 9], n=6)
    assert distances.shape == neighbors.shape == (3, 6)
    many = similarity.most_similar([[4], [0], [9]], n=6)
    for i, token in enumerate([4, 0, 9]):
        assert token not in neighbors[i]
        single = similarity.most_similar(token, n=6)
        assert single == many[i]
        assert [t for t, _ in single] == neighbors[i].tolist()
        assert_allclose([d for _, d in single], distances[i], atol=1e-12)
    with pytest.raises(ValueError, match="n=60 must be between 1 and 59"):
        similarity.neighbors_of([4], n=60)


def test_most_similar_gives_fewer_where_there_are_not_so_many(fitted):
    assert len(fitted.most_similar("red", n=100)) == 4
    assert len(fitted.most_similar(["red", "blue"], n=100)) == 3


def test_sum_and_difference_are_of_the_vectors(vectors):
    similarity = given(vectors)
    answers = similarity.most_similar([1, 2], [3], n=5)
    V = vectors.astype(float)
    distance = np.linalg.norm(V - (V[1] + V[2] - V[3]), axis=1)
    order = [t for t in np.argsort(distance) if t not in (1, 2, 3)][:5]
    assert [t for t, _ in answers] == order
    assert_allclose([d for _, d in answers], distance[order])
    assert similarity.most_similar([[1, 2], [5]], [[3], []], n=5)[0] == answers


def test_ill_formed_questions_are_refused(fitted):
    with pytest.raises(ValueError, match="at least one token"):
        fitted.most_similar()
    with pytest.raises(ValueError, match="different numbers of questions"):
        fitted.most_similar([["red"], ["blue"]], [["lime"]])
    with pytest.raises(ValueError, match="must hold lists only"):
        fitted.most_similar(["red", ["blue"]])
    with pytest.raises(ValueError, match="n=0"):
        fitted.most_similar("red", n=0)
    with pytest.raises(ValueError, match="weights is empty"):
        fitted.mix({})


@pytest.mark.parametrize(
    "weights", ["red", b"red", ["red"], None, {"red": "much"}, {"red": np.nan}]
)
def test_a_mix_is_of_tokens_and_finite_numbers(weights, fitted):
    with pytest.raises((TypeError, ValueError), match="weights"):
        fitted.mix(weights)


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", None, True])
def test_numbers_of_neighbours_are_counts(n, fitted):
    for ask in (
        lambda: fitted.mix({"red": 1}, n=n),
        lambda: fitted.most_similar("red", n=n),
        lambda: fitted.neighbors_of(["red"], n=n),
    ):
        with pytest.raises((TypeError, ValueError), match="^n[= ]"):
            ask()


def test_wrong_kinds_of_arguments_are_refused_by_name(fitted):
    for name, ask in {
        "tokens must be a list": lambda: fitted.neighbors_of("red", n=1),
        "handle_unknown": lambda: fitted.similarities("red", handle_unknown=["error"]),
        "feature=True": lambda: fitted.similarities("red", feature=True),
        "confidence": lambda: fitted.most_similar("red", confidence=95),
        "return_tied": lambda: fitted.most_similar("red", return_tied="yes"),
        "Each question": lambda: fitted.most_similar([[], ["red"]]),
        "a, b and to": lambda: fitted.probability_nearer(
            ["red", "blue"], ["red", "blue", "lime"], to="green"
        ),
    }.items():
        with pytest.raises((TypeError, ValueError), match=name):
            ask()


def test_long_tokens_are_cut_in_messages(fitted):
    for ask in (fitted.similarities, fitted.most_similar, lambda t: fitted.mix({t: 1})):
        with pytest.raises(ValueError, match="characters more") as refused:
            ask("M" * 1_000_000)
        assert len(str(refused.value)) < 500


def test_mix_adds_and_says_who_is_near(fitted):
    table = dict(
        zip(fitted.estimator_.categories_[0], fitted.estimator_.embedding_, strict=True)
    )
    vector, neighbors = fitted.mix({"red": 0.5, "blue": 0.5}, n=2)
    assert_allclose(vector, (table["red"] + table["blue"]) / 2, atol=1e-6)
    assert {token for token, _ in neighbors} == {"green", "lime"}
    assert fitted.mix({"red": 1.0}).neighbors[0] == ("red", 0.0)


def test_unknown_token_names_the_nearest_spelling_or_is_the_prior(fitted):
    for ask in (fitted.similarities, fitted.most_similar, lambda t: fitted.mix({t: 1})):
        with pytest.raises(ValueError, match="'Rde' was not seen.*spelling: 'red'"):
            ask("Rde")
    norms = np.linalg.norm(fitted.estimator_.embedding_, axis=1)
    prior = fitted.similarities("Rde", handle_unknown="prior")
    assert_allclose(prior, norms, rtol=1e-6)
    vector, _ = fitted.mix({"Rde": 2.0}, handle_unknown="prior")
    assert_array_equal(vector, 0)
    with pytest.raises(ValueError, match="handle_unknown is 'zero'"):
        fitted.similarities("Rde", handle_unknown="zero")


def test_spelling_stays_quick_in_a_large_column():
    tokens = np.array([f"tok{i:06d}" for i in range(100_000)], dtype=object)
    similarity = given(np.zeros((100_000, 1)), tokens)
    with pytest.raises(ValueError, match="Nearest spelling: 'tok0"):
        similarity.similarities("tok00001")


@pytest.mark.parametrize(
    "tokens",
    [
        np.array([1, 5, 9]),
        np.array([0.5, 1.5, np.nan]),
        np.array([False, True]),
        np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[ns]"),
        np.array(["a", "b", None], dtype=object),
    ],
    ids=["int", "float", "bool", "time", "str"],
)
def test_tokens_of_every_kind_are_found(tokens):
    V = np.eye(len(tokens))
    similarity = given(V, tokens)
    for k, token in enumerate(tokens):
        assert similarity.similarities(token)[k] == 0
        assert similarity.similarities(token).max() > 1
    if tokens.dtype.kind == "M":
        assert similarity.similarities(pd.Timestamp("2021-01-01"))[1] == 0


def keyed(vectors):
    """Return gensim's KeyedVectors on the same vectors, named by their row."""
    kv = KeyedVectors(vectors.shape[1])
    kv.add_vectors([str(i) for i in range(len(vectors))], vectors)
    return kv


def test_gensim_finds_the_same_neighbours(vectors):
    kv, similarity = keyed(vectors), given(vectors, metric="cosine")
    for token in range(60):
        theirs = kv.most_similar(str(token), topn=10)
        ours = similarity.most_similar(token, n=10)
        assert [int(t) for t, _ in theirs] == [t for t, _ in ours]
        assert_allclose([1 - s for _, s in theirs], [d for _, d in ours], atol=1e-5)


def test_gensim_answers_sums_and_differences_alike(vectors):
    kv, similarity = keyed(vectors), given(vectors, metric="cosine")
    theirs = kv.most_similar(positive=["3", "8"], negative=["20"], topn=10)
    ours = similarity.most_similar([3, 8], [20], n=10)
    assert [int(t) for t, _ in theirs] == [t for t, _ in ours]
    assert_allclose([1 - s for _, s in theirs], [d for _, d in ours], atol=1e-5)


def test_cosine_of_a_vector_of_zeros_is_one():
    V = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    assert_allclose(given(V, metric="cosine").similarities(0), [1, 1, 1])
    assert_allclose(given(V, metric="cosine").similarities(1), [1, 0, 0])


def test_space_leaves_the_table_alone(vectors):
    similarity = given(vectors, metric="cosine")
    table = similarity._spaces[0].table
    before = table.vectors.copy()
    Space(table, "cosine").points(np.array([0, -1]))
    assert_array_equal(table.vectors, before)
