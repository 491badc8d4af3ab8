"""TokenSimilarity's search for neighbours, its own and others'."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pynndescent import PyNNDescentTransformer
from scipy.spatial.distance import cdist
from similarity_cases import METRICS, given
from sklearn.neighbors import KNeighborsTransformer

from skembed._space.neighbors import nearest


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
