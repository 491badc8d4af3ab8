"""TokenSimilarity as a transformer, and as a part of scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from similarity_cases import METRICS, given
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics.pairwise import cosine_distances
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skembed import (
    EmbeddingClassifier,
    EmbeddingRegressor,
    TokenSimilarity,
)


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


@pytest.mark.parametrize(
    "change",
    [
        {"targets": ["mauve"]},
        {"feature": "nowhere"},
        {"estimator": EmbeddingRegressor(2, (4,), epochs=1, categorical_features=None)},
    ],
)
def test_a_refit_that_fails_leaves_all_of_the_old_fit(change, colours):
    X, y = colours
    model = TokenSimilarity(EmbeddingRegressor(2, (4,), epochs=1), random_state=0)
    model.fit(X, y)
    before, known = model.transform(X[:9]), dict(vars(model))
    model.set_params(**change)
    with pytest.raises((ValueError, TypeError)):
        model.fit(np.array([["a", 1.0], ["b", 2.0]] * 9, object), [0.0, 1.0] * 9)
    model.set_params(**{name: known[name] for name in change})
    assert {k: v for k, v in vars(model).items() if k not in change} == {
        k: v for k, v in known.items() if k not in change
    }
    np.testing.assert_array_equal(model.transform(X[:9]), before)
