"""Distances between tokens, and their posterior probabilities.

Every metric has a space of its own: the Euclidean distance and the dot product use the
space of the vectors, the cosine uses the unit sphere, and the outcome metric uses the
space of predicted outcomes (one coordinate per reference row and output).
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from .. import _settings as settings
from .._model.axes import in_use

__all__ = ["METRICS", "Space", "paired", "pairwise", "search_points"]

METRICS = ("euclidean", "cosine", "dot", "outcome")


def unit(points):
    """Scale rows to length one; a row of zeros has no direction and stays."""
    norms = np.linalg.norm(points, axis=-1, keepdims=True)
    return np.divide(points, norms, out=np.zeros_like(points), where=norms > 0)


def pairwise(metric, A, B):
    """Return distances between all rows of A and all rows of B, float64.

    `A` and `B` are points of the metric's space. No distance is computed as a
    difference of two large numbers, so a point is exactly at distance zero of itself.
    """
    if metric == "dot":
        return -(A @ B.T)
    if metric == "cosine":
        # 1 - a.b of unit vectors; the last term is for vectors without direction
        lost_a, lost_b = (1 - np.any(P != 0, axis=1) for P in (A, B))
        return (cdist(A, B, "sqeuclidean") + lost_a[:, None] + lost_b) / 2
    return cdist(A, B)


def paired(metric, A, B):
    """Return distances between equal positions of A and B, which broadcast."""
    if metric == "dot":
        return -np.einsum("...d,...d->...", A, B)
    squares = np.square(A - B).sum(axis=-1)
    if metric == "cosine":
        lost = (1 - np.any(A != 0, axis=-1)) + (1 - np.any(B != 0, axis=-1))
        return (squares + lost) / 2
    return np.sqrt(squares)


def search_points(metric, points, *, queries=None):
    """Return points whose nearest by Euclidean distance are the nearest by `metric`.

    For unit vectors the Euclidean distance and the cosine give the same order. The dot
    product needs one more coordinate, which gives every point the same length [1]_.

    References
    ----------
    .. [1] Y. Bachrach et al., "Speeding up the Xbox recommender system using a
       Euclidean transformation for inner-product spaces", RecSys 2014, section 3.
    """
    if metric != "dot":
        return points if queries is None else queries
    if queries is not None:
        return np.hstack([queries, np.zeros((len(queries), 1))])
    squares = np.square(points).sum(axis=1)
    rest = np.sqrt(np.maximum(squares.max(initial=0.0) - squares, 0.0))
    return np.hstack([points, rest[:, None]])


class Space:
    """The tokens of one column as points of a metric's space.

    Parameters
    ----------
    table : TokenTable
        Tokens, vectors and posterior standard deviations.
    metric : {"euclidean", "cosine", "dot", "outcome"}
        The metric.
    profiles : ndarray of shape (n_tokens, n_coordinates), default=None
        Predicted outcomes, for the outcome metric.
    """

    def __init__(self, table, metric, profiles=None):
        self.table = table
        self.metric = metric
        self.profiles = profiles
        if self.has_posterior:
            self._in_use = self._find_in_use()
        if metric == "outcome":
            self._sensitivity = self._fit_sensitivity()

    @property
    def has_posterior(self):
        """Whether it is known how sure the vectors are."""
        return self.table.spreads is not None and self.table.prior_scale is not None

    @property
    def slope(self):
        """How points move with the vector, (dim, n_coordinates); 0 if not in use.

        For the outcome metric, and only with a posterior.
        """
        return self._sensitivity * self._in_use[:, None]

    def points(self, codes):
        """Return the points of these codes in float64; unknown tokens at zero."""
        if self.metric == "outcome":
            points = np.asarray(self.profiles[codes], dtype=np.float64)
            points[codes < 0] = 0.0
            return points
        rows = self.table.rows(codes)
        return unit(rows) if self.metric == "cosine" else rows

    def search_points(self):
        """Return the points of all tokens, in float32 if they are stored as float32."""
        if self.metric == "cosine":
            return unit(np.asarray(self.table.vectors, dtype=np.float64))
        return self.profiles if self.metric == "outcome" else self.table.vectors

    def finish(self, points):
        """Map sums of points back into the space."""
        return unit(points) if self.metric == "cosine" else points

    def _find_in_use(self):
        """Find the coordinates that are drawn from the posterior.

        The others are not in use, and their noise would hide the distance in those that
        are. So they stay at their means, and the probabilities are calibrated. If no
        coordinate is in use, all are drawn: the data cannot tell the tokens apart.
        """
        table = self.table
        found = in_use(table.spreads, table.prior_scale, table.counts)
        return found if found.any() else ~found

    def _fit_sensitivity(self):
        """Fit how predicted outcomes depend linearly on the vector.

        These are the expected least squares of the profiles on vectors drawn from the
        posterior. So a coordinate with a wide posterior gets almost no slope from the
        small variation of its mean.
        """
        table = self.table
        if table.spreads is None:
            return None
        step = -(-len(table) // settings.SLOPE_TOKENS)
        some = np.arange(0, len(table), step)
        weights = table.counts[some] / table.counts[some].sum()
        E = table.rows(some)
        E = E - weights @ E
        P = self.points(some)
        P = P - weights @ P
        noise = weights @ np.square(table.spread_rows(some))
        # a table without posterior width still needs an invertible left side
        noise = noise + 1e-9 * (1 + np.trace(E.T @ (weights[:, None] * E)))
        left = E.T @ (weights[:, None] * E) + np.diag(noise)
        return np.linalg.solve(left, E.T @ (weights[:, None] * P))

    def draws(self, codes, z):
        """Draw points of these codes from their posterior.

        Parameters
        ----------
        codes : ndarray of shape (n,)
            Codes of the tokens, -1 for the prior.
        z : ndarray of shape (n_draws, n or 1, dim)
            Standard normal numbers.

        Returns
        -------
        points : ndarray of shape (n_draws, n, n_coordinates)
        """
        shifts = self.table.spread_rows(codes) * self._in_use * z
        if self.metric == "outcome":
            return self.points(codes) + shifts @ self._sensitivity
        rows = self.table.rows(codes) + shifts
        return unit(rows) if self.metric == "cosine" else rows

    def require_posterior(self):
        """Raise an error if the estimator has no posterior."""
        if not self.has_posterior:
            raise ValueError(
                "The estimator was fitted without posterior (prior=None), so nothing "
                "is known about how sure its vectors are. Fit it with prior='normal' "
                "to get probabilities."
            )

    def probability_nearer(self, a, b, to):
        """Return P(a is nearer to `to` than b) for arrays of codes, float64 (n,)."""
        self.require_posterior()
        a, b, to = map(self.table.one_for_equal, (a, b, to))
        # the same draws for a pair in either order: P(a, b) + P(b, a) = 1
        first, second = np.minimum(a, b), np.maximum(a, b)
        z = standard_normal((settings.N_DRAWS, 3, self.table.vectors.shape[1]))
        width = self.points(np.array([0])).shape[1]
        step = max(1, settings.DRAWS_AT_ONCE // (settings.N_DRAWS * width))
        result = np.empty(len(a))
        for start in range(0, len(a), step):
            part = slice(start, start + step)
            result[part] = self._share_nearer(first[part], second[part], to[part], z)
        return np.where(a <= b, result, 1.0 - result)

    def _share_nearer(self, first, second, to, z):
        target, near, far = (
            self.draws(codes, z[:, role : role + 1])
            for role, codes in enumerate((to, first, second))
        )
        # a token is one random vector, however often it is named
        near = np.where((first == to)[:, None], target, near)
        far = np.where((second == to)[:, None], target, far)
        far = np.where((second == first)[:, None], near, far)
        return share_smaller(
            paired(self.metric, near, target), paired(self.metric, far, target)
        )

    def probability_in_order(self, neighbors, inputs, weights):
        """Return P(neighbour j is nearer to a weighted sum than neighbour j + 1).

        Parameters
        ----------
        neighbors : ndarray of shape (n,)
            Codes, nearest first.
        inputs, weights : ndarray of shape (n_inputs,)
            Codes and weights of the sum.

        Returns
        -------
        probability : ndarray of shape (n - 1,)
        """
        self.require_posterior()
        named = self.table.one_for_equal(np.concatenate([neighbors, inputs]))
        codes, place = np.unique(named, return_inverse=True)
        n, dim = len(neighbors), self.table.vectors.shape[1]
        z = standard_normal((settings.N_DRAWS, len(codes), dim))
        width = self.points(codes[:1]).shape[1]
        step = max(1, settings.DRAWS_AT_ONCE // (len(codes) * width))
        smaller = np.zeros(max(n - 1, 0))
        for start in range(0, settings.N_DRAWS, step):
            points = self.draws(codes, z[start : start + step])[:, place]
            total = np.einsum("i,sid->sd", weights, points[:, n:])
            gap = paired(self.metric, points[:, :n], self.finish(total)[:, None])
            smaller += len(gap) * share_smaller(gap[:, :-1], gap[:, 1:])
        return smaller / settings.N_DRAWS


def share_smaller(left, right):
    """Return the share of draws (axis 0) with left < right, a tie counting half."""
    return ((left < right) + 0.5 * (left == right)).mean(axis=0)


def standard_normal(shape):
    """Draw the same antithetic standard normal numbers at every call."""
    half = np.random.default_rng(settings.DRAWS_SEED).standard_normal(
        (shape[0] // 2, *shape[1:])
    )
    return np.concatenate([half, -half])
