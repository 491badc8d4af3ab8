"""Which neighbours of many tokens are tied: the answers of `most_similar`, at once."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .. import _settings as settings
from .metrics import paired, standard_normal
from .neighbors import nearest

__all__ = ["neighbors_and_ties"]


def neighbors_and_ties(space, n, confidence, progress=lambda done: None):
    """Find the nearest other tokens of every token, and which of them are tied.

    Parameters
    ----------
    space : Space
        The tokens as points.
    n : int
        Number of neighbours, fewer than there are tokens.
    confidence : float
        A neighbour is tied with the next one if the probability that it is the nearer
        of the two is below this level.
    progress : callable
        Called with the number of tokens that are done.

    Returns
    -------
    neighbors : ndarray of int64 of shape (n_tokens, n)
        Codes, nearest first.
    distances : ndarray of float64 of shape (n_tokens, n)
    tied : ndarray of bool of shape (n_tokens, n) or None
        Whether it is tied with the next one; None without a posterior.
    """
    n_tokens = len(space.table)
    codes = np.arange(n_tokens)
    wanted = min(n + 2, n_tokens)  # itself, and the one after the last
    found = np.empty((n_tokens, wanted - 1), dtype=np.int64)
    distances = np.empty((n_tokens, wanted - 1))
    search = _Search(space)
    for start in range(0, n_tokens, settings.TIES_AT_ONCE):
        part = codes[start : start + settings.TIES_AT_ONCE]
        gaps, near = search.nearest(part, wanted)
        # The token itself, wherever it came out, goes behind the others.
        last = np.argsort(near == part[:, None], axis=1, kind="stable")[:, :-1]
        found[part] = np.take_along_axis(near, last, axis=1)
        distances[part] = np.take_along_axis(gaps, last, axis=1)
        progress(0.3 * (part[-1] + 1) / n_tokens)
    tied = None
    if space.has_posterior:
        tied = np.zeros((n_tokens, n), dtype=bool)
        pairs = min(n, wanted - 2)
        for part, sure in _in_order(space, found, confidence):
            tied[part, :pairs] = sure[:, :pairs] < confidence
            progress(0.3 + 0.7 * (part[-1] + 1) / n_tokens)
    return found[:, :n], distances[:, :n], tied


class _Search:
    """The nearest tokens of each, in the order in which `nearest` has them.

    A tree finds candidates in the few directions in which the points differ most,
    where no distance is longer than it is. So the nearest are among the candidates if
    they are nearer than the last of these is in the tree. Where they are not, as among
    equal points, all points are measured.
    """

    def __init__(self, space):
        self.space = space
        self.points = space.search_points()
        self.tree = None
        if (
            space.metric in ("euclidean", "outcome")
            and len(self.points) > settings.TREE_FROM
        ):
            points = np.asarray(self.points, dtype=np.float64)
            size, turn = np.linalg.eigh(points.T @ points / len(points))
            turn = turn[:, size > settings.LEAST_SCATTER * size.sum()][
                :, -settings.TREE_WIDTH :
            ]
            self.few = points @ turn
            self.tree = cKDTree(self.few)

    def nearest(self, codes, n):
        """Return (distances, codes), both (n_codes, n), nearest first."""
        queries = self.space.points(codes)
        metric = self.space.metric
        if self.tree is None or n + settings.TREE_SPARE > len(self.points):
            return nearest(metric, self.points, queries, n)
        in_tree, near = self.tree.query(
            self.few[codes], n + settings.TREE_SPARE, workers=-1
        )
        near = np.sort(near, axis=1)  # of equally near points the first
        gaps = np.stack(
            [
                paired(metric, queries, np.asarray(self.points[at], dtype=np.float64))
                for at in near.T
            ],
            axis=1,
        )
        order = np.argsort(gaps, axis=1, kind="stable")
        gaps = np.take_along_axis(gaps, order, axis=1)
        near = np.take_along_axis(near, order, axis=1)
        unclear = gaps[:, n - 1] >= (1 - 1e-6) * in_tree[:, -1]
        gaps, near = gaps[:, :n].copy(), near[:, :n].copy()
        if unclear.any():
            gaps[unclear], near[unclear] = nearest(
                metric, self.points, queries[unclear], n
            )
        return gaps, near


def _in_order(space, neighbors, confidence):
    """Yield codes, and P(each neighbour is nearer to the token than the next one)."""
    n_tokens, n = neighbors.shape
    one = space.table.one_for_equal(np.arange(n_tokens))
    named = one[np.column_stack([neighbors, np.arange(n_tokens)])]
    order = np.argsort(named, axis=1, kind="stable")
    ranked = np.take_along_axis(named, order, axis=1)
    is_plain = (np.diff(ranked, axis=1) > 0).all(axis=1)
    if space.metric not in ("euclidean", "outcome"):
        is_plain[:] = False  # its draws are not sums of the points and what is drawn
    z = standard_normal((settings.N_DRAWS, n + 1, space.table.vectors.shape[1]))
    # A draw and its opposite side by side, so that the first ones are balanced, too.
    z = np.stack(np.split(z, 2), axis=1).reshape(z.shape).astype(np.float32)
    points, slope = _few_coordinates(space)
    stages = [*settings.TIE_STAGES, (settings.N_DRAWS, 0.0, 0.0)]
    step = max(1, settings.DRAWS_AT_ONCE // (512 * (n + 1) * points.shape[1]))
    for start in range(0, n_tokens, step):
        part = np.arange(start, min(start + step, n_tokens))
        sure = np.ones((len(part), max(n - 1, 0)))
        unclear = np.flatnonzero(is_plain[part])
        for n_draws, below, above in stages:
            few = max(1, step * 512 // n_draws)
            for first in range(0, len(unclear), few):
                rows = unclear[first : first + few]
                sure[rows] = _shares(
                    points, slope, space, ranked, order, part[rows], z[:n_draws]
                )
            low, high = confidence + below, confidence + above
            open_ = (sure[unclear] > low) & (sure[unclear] < high)
            unclear = unclear[open_.any(axis=1)]
        for code in part[~is_plain[part]]:
            sure[code - start] = space.probability_in_order(
                neighbors[code], np.array([code]), np.ones(1)
            )
        yield part, sure


def _few_coordinates(space):
    """Return points and slopes in the few coordinates that points differ in.

    Distances stay as they are: the coordinates are turned, and those in which no two
    points differ are left out.
    """
    points = np.asarray(space.search_points(), dtype=np.float64)
    dim = space.table.vectors.shape[1]
    if space.metric != "outcome":
        slope = np.eye(dim) * space._in_use[:, None]
        return points.astype(np.float32), slope.astype(np.float32)
    slope = space.slope
    scatter = points.T @ points / len(points) + slope.T @ slope
    size, turn = np.linalg.eigh(scatter)
    turn = turn[:, size > settings.LEAST_SCATTER * size.sum()]
    return (points @ turn).astype(np.float32), (slope @ turn).astype(np.float32)


def _shares(points, slope, space, ranked, order, tokens, z):
    """Return the share of draws in which neighbours are in order, (n_tokens, n - 1)."""
    n_draws, n_named, dim = z.shape
    n, width = len(tokens), points.shape[1]
    drawn = np.empty((n_named, n_draws, n, width), dtype=np.float32)
    for place in range(n_named):
        codes = ranked[tokens, place]
        # (dim, n, width): how the draw's numbers move each token's point.
        moves = space.table.spread_rows(codes).T[:, :, None] * slope[:, None, :]
        moved = z[:, place] @ moves.reshape(dim, -1).astype(np.float32)
        np.add(moved.reshape(n_draws, n, width), points[codes], out=drawn[place])
    place = np.argsort(order[tokens], axis=1)  # where each role stands in the draws
    at = np.arange(n)
    target = drawn[place[:, -1], :, at]
    before, shares = None, []
    for role in range(n_named - 1):
        other = drawn[place[:, role], :, at]
        gap = np.square(other - target).sum(axis=-1)
        if before is not None:
            smaller = (before < gap) + 0.5 * (before == gap)
            shares.append(smaller.mean(axis=1))
        before = gap
    return np.stack(shares, axis=1) if shares else np.zeros((n, 0))
