"""Moves of vectors behind the first layer, against the network at moved vectors."""

import numpy as np
import pytest

from skembed._model.moves import Moves
from skembed._model.network import (
    Architecture,
    Knots,
    Weights,
    initial_weights,
    outputs,
)
from skembed._model.tables import PosteriorTable


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(
    ("hidden", "activations"),
    [((), ()), ((7,), ("tanh",)), ((6, 5), ("relu", "gelu"))],
    ids=str,
)
def test_moves_are_those_of_the_whole_network(hidden, activations, n_outputs):
    rng, n_fields, n_numbers = np.random.default_rng(0), 3, 2
    shape = Architecture(PosteriorTable, 4, hidden, activations, n_outputs)
    knots = Knots(np.array([0, 1]), np.array([-1.0, 0.0]), np.array([0.5, 1.0]))
    shapes = shape.weight_shapes(n_fields, n_numbers, len(knots.low), 3)
    start = initial_weights(
        shape,
        9,
        shapes,
        rng,
        intercept=0.0,
        n_token_blocks=3,
        unread=np.zeros(0, int),
    )
    dense = {
        name: rng.normal(size=value.shape).astype(np.float32)
        for name, value in start.dense.items()
    }
    weights = Weights(start.table, dense)
    vectors, move = rng.normal(size=(2, 20, n_fields, 4))
    rest = rng.normal(size=(20, n_numbers)), knots
    moves = Moves(shape, weights, vectors, *rest)
    f = outputs(shape, weights, vectors, *rest)
    np.testing.assert_allclose(moves.f, f, rtol=1e-12)
    by = moves.both_ways(move.reshape(20, -1).astype(np.float32))
    for sign, change in zip((1.0, -1.0), by, strict=True):
        moved = outputs(shape, weights, vectors + sign * move, *rest)
        np.testing.assert_allclose(change, moved - f, rtol=1e-4, atol=1e-4)
