"""The nearest tokens, exactly and fast, or by a neighbours transformer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from .. import _settings as settings
from .metrics import paired, pairwise, search_points

__all__ = ["nearest", "nearest_by_transformer"]


def nearest(metric, points, queries, n):
    """Find the `n` points nearest to each query.

    One float32 matrix product per block of points finds the points that can be among
    the nearest, with a margin for its rounding error. Only these are measured in
    float64. So the result is exact, at the speed of the matrix product.

    Parameters
    ----------
    metric : {"euclidean", "cosine", "dot", "outcome"}
        The metric.
    points : ndarray of shape (n_points, n_coordinates)
        Points to search in.
    queries : ndarray of shape (n_queries, n_coordinates), float64
        Points to search for.
    n : int
        Number of neighbours, at most `n_points`.

    Returns
    -------
    distances : ndarray of shape (n_queries, n), float64
        Ascending.
    positions : ndarray of shape (n_queries, n), int64
        Positions in `points`; of equally near points the first.
    """
    if len(points) <= max(settings.POINT_ROWS, 4 * n):
        return _nearest_of_few(metric, points, queries, n)
    linear, terms, slack = _as_products(metric, points, queries)
    distances = np.empty((len(queries), n))
    positions = np.empty((len(queries), n), dtype=np.int64)

    def search(start):
        part = slice(start, start + settings.QUERY_ROWS)
        hits = _candidates(
            metric, points, queries[part], n, linear, terms[part], slack[part]
        )
        _, columns, gaps = _keep_nearest(metric, points, queries[part], *hits, n)
        distances[part] = gaps.reshape(-1, n)
        positions[part] = columns.reshape(-1, n)

    starts = range(0, len(queries), settings.QUERY_ROWS)
    if len(starts) == 1:
        search(0)
        return distances, positions
    # own threads with one BLAS thread each: products of this shape do not gain from
    # threads inside BLAS, and the rest of the work does not use BLAS
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(search, starts))
    return distances, positions


def _nearest_of_few(metric, points, queries, n):
    distances = np.empty((len(queries), n))
    positions = np.empty((len(queries), n), dtype=np.int64)
    points = np.asarray(points, dtype=np.float64)
    for start in range(0, len(queries), settings.QUERY_ROWS):
        part = slice(start, start + settings.QUERY_ROWS)
        gaps = pairwise(metric, queries[part], points)
        order = np.argsort(gaps, axis=1, kind="stable")[:, :n]
        positions[part] = order
        distances[part] = np.take_along_axis(gaps, order, axis=1)
    return distances, positions


def _as_products(metric, points, queries):
    """Express the order of the distances as one product in float32.

    |p - q|^2 = |p|^2 - 2 p.q + const, so [p, |p|^2] . [-2 q, 1] has the order of the
    distances. The mean is subtracted first, so that rounding is relative to the spread
    of the points. `slack` bounds the rounding error of each query's products.
    """
    by_dot = metric == "dot"
    width = points.shape[1]
    centre = 0.0 if by_dot else points.mean(axis=0, dtype=np.float64)
    linear = np.empty((len(points), width + 1), dtype=np.float32)
    np.subtract(points, centre, out=linear[:, :width], casting="same_kind")
    squares = np.einsum("ij,ij->i", linear[:, :width], linear[:, :width])
    linear[:, width] = 0.0 if by_dot else squares
    moved = queries - centre
    terms = np.ones((len(queries), width + 1), dtype=np.float32)
    terms[:, :width] = moved * (-1.0 if by_dot else -2.0)
    longest = float(squares.max())
    size = 2 * np.sqrt(longest * np.square(moved).sum(axis=1)) + longest
    slack = (width + 8) * np.finfo(np.float32).eps * size
    return linear, terms, slack.astype(np.float32)


def _candidates(metric, points, queries, n, linear, terms, slack):
    """Return (row, column) of every pair that can be among the nearest."""
    step = max(1, len(linear) // max(settings.SAMPLE_ROWS, 4 * n))
    of_sample = terms @ linear[::step].T
    # n points of the sample are as near as this, so the n nearest of all are, too
    limit = np.partition(of_sample, n - 1, axis=1)[:, n - 1] + 2 * slack
    limit = limit[:, None]
    product = np.empty((len(terms), settings.POINT_ROWS), dtype=np.float32)
    near = np.empty(product.shape, dtype=bool)
    rows, columns, n_hits = [], [], 0
    for start in range(0, len(linear), settings.POINT_ROWS):
        block = linear[start : start + settings.POINT_ROWS]
        if len(block) < settings.POINT_ROWS:
            product = np.empty((len(terms), len(block)), dtype=np.float32)
            near = np.empty(product.shape, dtype=bool)
        np.matmul(terms, block.T, out=product)
        np.less_equal(product, limit, out=near)
        # nonzero is 40 times as fast on a flat array as on one of two dimensions
        row, column = divmod(np.flatnonzero(near), len(block))
        rows.append(row)
        columns.append(column + start)
        n_hits += len(row)
        if n_hits > settings.MAX_HITS:  # many equal points: keep no more than needed
            row, column, _ = _keep_nearest(
                metric, points, queries, np.hstack(rows), np.hstack(columns), n
            )
            rows, columns, n_hits = [row], [column], 0
    return np.hstack(rows), np.hstack(columns)


def _keep_nearest(metric, points, queries, rows, columns, n):
    """Keep the `n` nearest of each query's candidates, in order of distance."""
    gaps = np.empty(len(rows))
    for start in range(0, len(rows), settings.MAX_HITS // 8):
        part = slice(start, start + settings.MAX_HITS // 8)
        found = np.asarray(points[columns[part]], dtype=np.float64)
        gaps[part] = paired(metric, queries[rows[part]], found)
    order = np.lexsort((columns, gaps, rows))
    rows, columns, gaps = rows[order], columns[order], gaps[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    keep = slice(None) if n is None else rank < n
    return rows[keep], columns[keep], gaps[keep]


def nearest_by_transformer(transformer, metric, points, queries, n=None):
    """Find neighbours with a fitted scikit-learn-style neighbours transformer.

    The transformer proposes the neighbours. Their distances are measured here, in the
    metric and in float64.

    Parameters
    ----------
    transformer : transformer
        Fitted on ``search_points(metric, points)``.
    metric, points, queries
        As for `nearest`.
    n : int, default=None
        Maximum number of neighbours per query.

    Returns
    -------
    rows, positions : ndarray of shape (n_pairs,), int64
        Queries, ascending, and positions in `points`, nearest first.
    distances : ndarray of shape (n_pairs,), float64
    """
    graph = transformer.transform(search_points(metric, points, queries=queries))
    graph = graph.tocsr()
    rows = np.repeat(np.arange(len(queries)), np.diff(graph.indptr))
    return _keep_nearest(metric, points, queries, rows, graph.indices, n)
