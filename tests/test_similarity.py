"""TokenSimilarity: distances, neighbours, arithmetic, probabilities."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from gensim.models import KeyedVectors
from numpy.testing import assert_allclose, assert_array_equal
from pynndescent import PyNNDescentTransformer
from scipy import sparse, stats
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics.pairwise import cosine_distances
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skembed import (
    EmbeddingClassifier,
    EmbeddingRegressor,
    TokenSimilarity,
    _fitting,
)
from skembed._metrics import Space
from skembed._neighbors import nearest

METRICS = ("euclidean", "cosine", "dot", "outcome")


class GivenVectors(BaseEstimator):
    """A fitted estimator with given vectors; predicts their sum times `slope`."""

    def __init__(self, vectors, tokens, spreads=None, slope=1.0):
        self.vectors = vectors
        self.tokens = tokens
        self.spreads = spreads
        self.slope = slope

    def fit(self, X, y):
        """Put the vectors where a fitted estimator has them."""
        self.embeddings_ = [np.asarray(v, dtype=np.float32) for v in self.vectors]
        self.categories_ = list(self.tokens)
        self.category_counts_ = [np.ones(len(v)) for v in self.vectors]
        self.is_categorical_ = np.ones(len(self.vectors), dtype=bool)
        self.prior_scales_ = [np.ones(np.shape(v)[1]) for v in self.vectors]
        if self.spreads is not None:
            self.embeddings_std_ = [np.float32(s) for s in self.spreads]
        return self

    def predict(self, X):
        """Predict a number that is linear in the vectors."""
        total = np.zeros(len(X))
        for k, tokens in enumerate(self.tokens):
            rows = np.searchsorted(tokens, X[:, k].astype(tokens.dtype))
            total += self.slope * self.embeddings_[k].astype(float)[rows].sum(axis=1)
        return total


def given(vectors, tokens=None, *, spreads=None, slope=1.0, **params):
    """Return a TokenSimilarity over the given vectors of one column."""
    tokens = np.arange(len(vectors)) if tokens is None else np.asarray(tokens)
    spreads = None if spreads is None else [spreads]
    estimator = GivenVectors([vectors], [tokens], spreads, slope).fit(None, None)
    X = tokens[:2].reshape(-1, 1)
    return TokenSimilarity(FrozenEstimator(estimator), **params).fit(X, [0.5, 1.5])


@pytest.fixture(scope="module")
def vectors():
    """Return 60 vectors of 5 numbers."""
    return np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def colours():
    """Return a table of one column whose tokens have known effects."""
    rng = np.random.default_rng(0)
    effect = {"blue": 8.0, "green": 0.0, "lime": 0.6, "navy": 7.4, "red": -10.0}
    X = rng.choice(sorted(effect), size=(600, 1)).astype(object)
    y = np.array([effect[token] for token in X[:, 0]]) + rng.normal(size=600)
    return X, y


@pytest.fixture(scope="module")
def fitted(colours):
    """Return a similarity fitted on the colours."""
    return TokenSimilarity(random_state=0).fit(*colours)


def expected_distances(metric, V):
    """Return all distances by other code than the package's."""
    V = V.astype(np.float64)
    if metric == "euclidean":
        return cdist(V, V)
    if metric == "cosine":
        return cosine_distances(V)
    if metric == "dot":
        return -V @ V.T
    return np.abs(V.sum(axis=1)[:, None] - V.sum(axis=1))


# --- transform


@pytest.mark.parametrize("metric", METRICS)
def test_dense_rows_are_the_distances_of_the_samples_token(metric, vectors):
    similarity = given(vectors, metric=metric)
    tokens = np.array([7, 3, 7, 59])
    out = similarity.transform(tokens[:, None])
    assert out.dtype == np.float64
    expected = expected_distances(metric, vectors)
    assert_allclose(out, expected[tokens], atol=2e-6)
    assert_allclose(similarity.similarities(3), expected[3], atol=2e-6)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "outcome"])
def test_a_token_is_at_distance_zero_of_itself_exactly(metric, vectors):
    out = given(vectors, metric=metric).transform(np.arange(60)[:, None])
    if metric == "cosine":
        assert_allclose(np.diag(out), 0, atol=1e-15)
    else:
        assert_array_equal(np.diag(out), 0)


@pytest.mark.parametrize("metric", METRICS)
def test_sparse_graph_holds_the_smallest_entries_of_the_dense_row(metric, vectors):
    X = np.arange(60)[::-1, None]
    dense = given(vectors, metric=metric).transform(X)
    graph = given(vectors, metric=metric, n_neighbors=4).transform(X)
    assert sparse.issparse(graph) and graph.format == "csr"
    assert graph.shape == dense.shape
    assert_array_equal(np.diff(graph.indptr), 4)
    kept = np.sort(graph.data.reshape(60, 4), axis=1)
    assert_allclose(kept, np.sort(dense, axis=1)[:, :4], atol=1e-12)
    rows = np.repeat(np.arange(60), 4)
    assert_allclose(graph.data, dense[rows, graph.indices], atol=1e-12)


def test_targets_are_the_columns_in_the_given_order(fitted, colours):
    X, y = colours
    similarity = TokenSimilarity(targets=["red", "blue"], random_state=0).fit(X, y)
    assert_array_equal(similarity.targets_[0], ["red", "blue"])
    assert_array_equal(similarity.get_feature_names_out(), ["x0_red", "x0_blue"])
    assert_allclose(similarity.transform(X), fitted.transform(X)[:, [4, 0]])
    # the questions are still about all tokens
    assert len(similarity.similarities("red")) == 5


def test_unknown_target_is_refused_with_the_nearest_spelling(colours):
    with pytest.raises(ValueError, match="'gren'.*Nearest spelling: 'green'"):
        TokenSimilarity(targets=["gren"]).fit(*colours)


def test_several_columns_stand_side_by_side_and_feature_picks_one():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"size": rng.choice([1, 2, 3], 200), "colour": rng.choice(["r", "g"], 200)}
    )
    y = X["size"] + 3.0 * (X["colour"] == "r") + rng.normal(size=200)
    both = TokenSimilarity(random_state=0).fit(X, y)
    assert_array_equal(
        both.get_feature_names_out(),
        ["size_1", "size_2", "size_3", "colour_g", "colour_r"],
    )
    out = both.transform(X)
    for feature, part in (
        ("size", slice(0, 3)),
        ("colour", slice(3, 5)),
        (1, slice(3, 5)),
    ):
        one = TokenSimilarity(feature=feature, random_state=0).fit(X, y)
        assert_allclose(one.transform(X), out[:, part])
        assert_allclose(
            both.similarities(X.iloc[0][one._spaces[0].table.name], feature=feature),
            out[0, part],
        )
    graph = clone(both).set_params(n_neighbors=1).fit(X, y).transform(X)
    assert graph.shape == (200, 5) and graph.nnz == 400
    chosen = clone(both).set_params(targets={"colour": ["r"]}).fit(X, y)
    assert_allclose(chosen.transform(X), out[:, [0, 1, 2, 4]])
    with pytest.raises(ValueError, match="2 token columns.*'size', 'colour'"):
        both.most_similar(1)
    with pytest.raises(ValueError, match="feature='shape' is no token column"):
        TokenSimilarity(feature="shape").fit(X, y)
    with pytest.raises(ValueError, match="targets must be a dict"):
        TokenSimilarity(targets=["r"]).fit(X, y)


@pytest.mark.parametrize("metric", METRICS)
def test_all_kinds_of_tables_give_the_same(metric):
    rng = np.random.default_rng(0)
    data = {"a": rng.choice(["x", "y", "z"], 90), "b": rng.choice([10, 20], 90)}
    y = (data["a"] == "x") * 2.0 + data["b"] / 10 + rng.normal(size=90)
    frame = pd.DataFrame(data)
    tables = {
        "pandas": frame,
        "category": frame.astype({"a": "category"}),
        "polars": pl.DataFrame(data),
        "pyarrow": pa.table(data),
        "objects": frame.to_numpy(dtype=object),
        "lists": frame.to_numpy(dtype=object).tolist(),
    }
    similarity = TokenSimilarity(metric=metric, random_state=0)
    outs = {name: similarity.fit(X, y).transform(X) for name, X in tables.items()}
    for name, out in outs.items():
        assert_allclose(out, outs["pandas"], atol=1e-5, err_msg=name)


def test_unknown_tokens_in_transform_are_at_the_prior(fitted):
    out = fitted.transform([["violet"]])[0]
    norms = np.linalg.norm(fitted.estimator_.embedding_, axis=1)
    assert_allclose(out, norms, rtol=1e-6)


def test_unknown_tokens_follow_the_estimators_rule():
    X = np.array([["a"], ["b"]] * 30 + [["c"], ["d"]], dtype=object)
    y = np.r_[[0.5, 3.5] * 30, 1.5, 2.5]
    strict = TokenSimilarity(EmbeddingRegressor(handle_unknown="error")).fit(X, y)
    with pytest.raises(ValueError, match="'e' was not seen"):
        strict.transform([["e"]])
    pooling = EmbeddingRegressor(min_frequency=2, handle_unknown="infrequent_if_exist")
    pooled = TokenSimilarity(pooling, random_state=0).fit(X, y)
    assert_allclose(pooled.transform([["e"]]), pooled.transform([["c"]]))


def test_missing_values_are_a_token():
    X = np.array([["a"], ["b"], [None]] * 40, dtype=object)
    y = np.array([0.5, 1.5, 6.5] * 40)
    similarity = TokenSimilarity(random_state=0).fit(X, y)
    assert similarity.transform([[None]])[0, -1] == 0
    assert similarity.transform([[np.nan]])[0, -1] == 0
    assert similarity.similarities(None)[-1] == 0


# --- as a part of scikit-learn


def test_estimator_by_the_type_of_y(colours):
    X, y = colours
    similarity = TokenSimilarity(random_state=0).fit(X, y)
    assert isinstance(similarity.estimator_, EmbeddingRegressor)
    similarity.fit(X, np.where(y > 0, "high", "low"))
    assert isinstance(similarity.estimator_, EmbeddingClassifier)
    numbers = np.arange(600.0)[:, None] % 4
    assert similarity.fit(numbers, y).transform(numbers).shape == (600, 4)


def test_frozen_estimator_is_used_as_it_is(colours):
    X, y = colours
    model = EmbeddingRegressor(2, random_state=0).fit(X, y)
    before = model.embedding_.copy()
    frozen = FrozenEstimator(model)
    similarity = TokenSimilarity(frozen).fit(X[:10], y[:10])
    assert similarity.estimator_ is frozen
    assert_array_equal(model.embedding_, before)
    assert similarity.transform(X).shape == (600, 5)


def test_given_estimator_is_cloned_and_seeded_only_without_own_seed(colours):
    X, y = colours
    estimator = EmbeddingRegressor(2)
    similarity = TokenSimilarity(estimator, random_state=0).fit(X, y)
    assert not hasattr(estimator, "embeddings_")
    assert estimator.random_state is None
    again = clone(similarity).fit(X, y)
    assert_array_equal(similarity.transform(X), again.transform(X))
    own = TokenSimilarity(EmbeddingRegressor(2, random_state=7), random_state=0)
    assert own.fit(X, y).estimator_.random_state == 7


def test_numeric_columns_are_left_out_where_the_estimator_says_so():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"u": rng.normal(size=200), "c": rng.choice(["p", "q"], 200)})
    y = X["u"] + (X["c"] == "p") + rng.normal(size=200)
    similarity = TokenSimilarity(EmbeddingRegressor(2, random_state=0)).fit(X, y)
    assert_array_equal(similarity.get_feature_names_out(), ["c_p", "c_q"])
    similarity.set_params(metric="outcome").fit(X, y)
    # the two tokens differ by about one in every row
    assert 0.5 < similarity.similarities("p")[1] < 1.5


def test_floats_only_are_tokens_unless_the_estimator_says_otherwise():
    X = np.array([[0.5, 1.5], [2.5, 1.5]] * 20)
    y = np.array([0.1, 3.3] * 20)
    similarity = TokenSimilarity(EmbeddingRegressor(2, epochs=2, random_state=0))
    names = similarity.fit(X, y).get_feature_names_out()
    assert_array_equal(names, ["x0_0.5", "x0_2.5", "x1_1.5"])
    similarity.set_params(estimator__categorical_features=[1])
    assert_array_equal(similarity.fit(X, y).get_feature_names_out(), ["x1_1.5"])
    similarity.set_params(estimator__categorical_features=None)
    with pytest.raises(ValueError, match="no column of X as tokens"):
        similarity.fit(X, y)


def test_estimator_without_vectors_is_refused(colours):
    X = OneHotEncoder(sparse_output=False).fit_transform(colours[0])
    with pytest.raises(TypeError, match="LinearRegression has no fitted attribute"):
        TokenSimilarity(LinearRegression()).fit(X, colours[1])


def test_needs_y_and_fit():
    with pytest.raises(ValueError, match="requires y to be passed"):
        TokenSimilarity().fit([["a"], ["b"]], None)
    with pytest.raises(NotFittedError):
        TokenSimilarity().most_similar("a")


def test_pipeline_and_grid_search(colours):
    X, y = colours
    estimator = EmbeddingRegressor(epochs=20, random_state=0)
    pipeline = make_pipeline(TokenSimilarity(estimator), Ridge())
    search = GridSearchCV(
        pipeline,
        {
            "tokensimilarity__estimator__embedding_dim": [1, 3],
            "tokensimilarity__metric": ["euclidean", "outcome"],
        },
        cv=2,
    ).fit(X, y)
    assert search.best_score_ > 0.9
    best = search.best_estimator_[0]
    dim = search.best_params_["tokensimilarity__estimator__embedding_dim"]
    assert best.estimator_.embedding_.shape == (5, dim)


def test_set_output(colours):
    X, y = colours
    frame = pd.DataFrame(X, columns=["colour"])
    similarity = TokenSimilarity(random_state=0).set_output(transform="pandas")
    out = similarity.fit(frame, y).transform(frame[3:5])
    assert list(out.columns) == [f"colour_{t}" for t in sorted(set(X[:, 0]))]
    assert_array_equal(out.index, [3, 4])
    out = similarity.set_output(transform="polars").transform(frame)
    assert isinstance(out, pl.DataFrame)


def test_sample_weight_reaches_the_estimator(colours):
    X, y = colours
    X, y = np.r_[X, X[:1]], np.r_[y, 1e4]
    weight = np.r_[np.ones(600), 0.0]
    with_zero = TokenSimilarity(random_state=0).fit(X, y, sample_weight=weight)
    without = TokenSimilarity(random_state=0).fit(X[:-1], y[:-1])
    assert_allclose(with_zero.transform(X), without.transform(X), rtol=1e-4)


def test_pickle_gives_the_same(fitted, colours):
    loaded = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(loaded.transform(colours[0]), fitted.transform(colours[0]))
    assert loaded.most_similar("red") == fitted.most_similar("red")


# --- questions


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


# --- probabilities


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
    monkeypatch.setattr(_fitting, "FRESH_START", 1.0)
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
        learned = estimator._relearned(*more, None, np.random.default_rng(0))
        vectors = learned.vectors(learned.weights.mean)[0]
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
        assert abs(right.mean() - claimed.mean()) < 0.04


# --- search


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_fast_search_is_exact(metric, shift):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(9_000, 6)) + shift
    points = points.astype(np.float32).astype(np.float64)
    if metric == "cosine":
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    queries = np.concatenate([points[:400], rng.normal(size=(5, 6))])
    if metric == "cosine":
        queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    distances, found = nearest(metric, points, queries, 7)
    if metric == "dot":
        expected = -queries @ points.T
    else:
        expected = cdist(queries, points)
        expected = expected**2 / 2 if metric == "cosine" else expected
    assert_allclose(distances, np.sort(expected, axis=1)[:, :7], rtol=1e-9, atol=1e-12)
    rows = np.arange(len(queries))[:, None]
    assert_allclose(distances, expected[rows, found], rtol=1e-9, atol=1e-12)


def test_fast_search_holds_with_many_equal_points():
    points = np.zeros((20_000, 3), dtype=np.float32)
    points[-1] = 1.0
    distances, found = nearest("euclidean", points, np.zeros((300, 3)), 4)
    assert_array_equal(distances, 0)
    assert_array_equal(found, np.tile(np.arange(4), (300, 1)))


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_transformers_plug_in(metric):
    plugs_in(metric, KNeighborsTransformer(n_neighbors=9))


def test_approximate_neighbours_plug_in():
    # All metrics in one test: every process that imports numba compiles for a minute.
    for metric in METRICS:
        plugs_in(metric, PyNNDescentTransformer(n_neighbors=25, random_state=0))


def plugs_in(metric, neighbors):
    """Hold what a neighbours transformer finds to the exact search."""
    V = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    tokens = np.arange(500)[:, None]
    exact = given(V, metric=metric, n_neighbors=5)
    plugged = given(V, metric=metric, neighbors=neighbors)
    graph = plugged.transform(tokens)
    assert graph.format == "csr" and graph.shape == (500, 500)
    dense = given(V, metric=metric).transform(tokens)
    rows = np.repeat(np.arange(500), np.diff(graph.indptr))
    assert_allclose(graph.data, dense[rows, graph.indices], atol=1e-12)
    distances, found = plugged.neighbors_of(np.arange(500), n=5)
    _, expected = exact.neighbors_of(np.arange(500), n=5)
    assert np.mean(found == expected) > (0.9 if metric == "dot" else 0.97)
    assert_allclose(distances, dense[tokens, found], atol=1e-12)
    with pytest.raises(ValueError, match="neighbours transformer proposed"):
        plugged.neighbors_of([1], n=200)


def test_n_neighbors_is_handed_to_the_transformer(vectors):
    params = {"n_neighbors": 3, "neighbors": KNeighborsTransformer(n_neighbors=40)}
    similarity = given(vectors, **params)
    X = np.arange(60)[:, None]
    expected = given(vectors, n_neighbors=3).transform(X)
    assert_allclose(similarity.transform(X).toarray(), expected.toarray(), atol=1e-6)
    assert params["neighbors"].n_neighbors == 40


# --- gensim


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
