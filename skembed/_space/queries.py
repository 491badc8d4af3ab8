"""Queries in a space of tokens: the nearest tokens, and which of them are tied."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .._data.wording import shown
from .checks import is_many
from .neighbors import nearest
from .token_tables import as_tokens

__all__ = [
    "TokenMix",
    "answer",
    "as_amounts",
    "as_queries",
    "broadcast_codes",
    "weighted_sum",
]


class TokenMix(NamedTuple):
    """A weighted sum of tokens and the tokens near it.

    Parameters
    ----------
    vector : ndarray of shape (embedding_dim,), float64
        The sum of the vectors.
    neighbors : list of (token, distance)
        The nearest tokens, nearest first.
    """

    vector: np.ndarray
    neighbors: list


def as_queries(positive, negative):
    """Return (list of (positive, negative) token lists, whether there is one only)."""
    groups = [_as_groups(side) for side in (positive, negative)]
    many = [isinstance(side, dict) for side in groups]
    if not any(many):
        if not groups[0] and not groups[1]:
            raise ValueError("Pass at least one token as positive or negative.")
        return [tuple(groups)], True
    sizes = {len(side) for side in groups if side}
    if len(sizes) > 1:
        raise ValueError(
            "positive and negative ask different numbers of questions: "
            f"{sorted(sizes)}. A list of lists holds one list for each question."
        )
    (size,) = sizes
    filled = [
        side if isinstance(side, dict) else dict.fromkeys(range(size), side)
        for side in groups
    ]
    queries = [(filled[0][i], filled[1][i]) for i in range(size)]
    for i, (added, taken) in enumerate(queries):
        if not added and not taken:
            raise ValueError(f"Each question needs a token; number {i} has none.")
    return queries, False


def _as_groups(side):
    """Return one list of tokens, or {question: list of tokens} for a list of lists."""
    if side is None:
        return []
    if not is_many(side):
        return [side]
    side = list(as_tokens(side))
    nested = [isinstance(group, list | tuple | np.ndarray) for group in side]
    if not any(nested):
        return side
    if not all(nested):
        raise ValueError(
            "A list of questions must hold lists only, for example [['a'], ['b', 'c']]."
        )
    return {i: list(group) for i, group in enumerate(side)}


def as_amounts(weights):
    """Return (tokens, their weights) of a dict, refusing what is no sum of tokens."""
    if not isinstance(weights, Mapping):
        raise TypeError(
            "weights must be a dict from tokens to numbers, for example "
            f"{{'a': 0.5, 'b': 0.5}}, got {shown(weights)}, a {type(weights).__name__}."
        )
    if not weights:
        raise ValueError("weights is empty: pass at least one {token: weight}.")
    for token, weight in weights.items():
        if isinstance(weight, bool | str | bytes) or not isinstance(weight, Real):
            raise TypeError(
                f"The weight of {shown(token)} in weights must be a number, got "
                f"{shown(weight)}, a {type(weight).__name__}."
            )
        if not abs(weight) <= settings.MAX_AMOUNT:
            raise ValueError(
                f"The weight of {shown(token)} in weights must be a finite number of "
                f"at most {settings.MAX_AMOUNT:g} in size, got {shown(weight)}."
            )
    return list(weights), np.array(list(weights.values()), dtype=np.float64)


def weighted_sum(space, codes, weights):
    """Return the weighted sum of points as a query, float64 (1, n_coordinates)."""
    return space.finish(weights[None, :] @ space.points(codes))


def answer(space, codes, weights, n, exclude, tied_below=None):
    """List the tokens nearest to a weighted sum of tokens.

    Parameters
    ----------
    space : Space
        The tokens as points.
    codes, weights : ndarray of shape (n_inputs,)
        The sum.
    n : int
        Number of neighbours; fewer if there are not that many tokens.
    exclude : ndarray of int
        Codes that are not returned.
    tied_below : float, default=None
        Report, for each neighbour, whether its probability of being nearer than the
        next one is below this level.

    Returns
    -------
    neighbors : list of (token, distance) or (token, distance, tied)
    """
    exclude = np.unique(exclude[exclude >= 0])
    # one more than requested, to know whether the last one is tied with it
    wanted = min(n + len(exclude) + 1, len(space.table))
    query = weighted_sum(space, codes, weights)
    distances, found = nearest(space.metric, space.search_points(), query, wanted)
    keep = ~np.isin(found[0], exclude)
    found, distances = found[0][keep][: n + 1], distances[0][keep][: n + 1]
    tokens = space.table.tokens[found].tolist()[:n]
    if tied_below is None:
        return list(zip(tokens, distances.tolist(), strict=False))
    sure = space.probability_in_order(found, codes, weights)
    tied = np.append(sure < tied_below, False)[: len(tokens)].tolist()
    return list(zip(tokens, distances.tolist(), tied, strict=False))


def broadcast_codes(table, tokens, handle_unknown):
    """Return (codes of broadcast tokens, their common shape)."""
    arrays = []
    for given in tokens:
        if is_many(given):
            shape = given.shape if isinstance(given, np.ndarray) else (len(given),)
            codes = table.known_codes(given, handle_unknown).reshape(shape)
        else:
            codes = table.known_codes([given], handle_unknown).reshape(())
        arrays.append(codes)
    try:
        arrays = np.broadcast_arrays(*arrays)
    except ValueError:
        shapes = ", ".join(str(codes.shape) for codes in arrays)
        raise ValueError(
            "a, b and to must be single tokens or of shapes that broadcast, got "
            f"the shapes {shapes}."
        ) from None
    return [a.reshape(-1) for a in arrays], arrays[0].shape
