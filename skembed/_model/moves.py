"""How far outputs move as the vectors move, for many moves of the same rows.

The first layer is linear in the vectors: what it puts out at the means is there once,
and a move adds the product of the move with its kernel, an opposite one the opposite.
In float64: in float32 what comes out for a row would depend, in the seventh digit, on
the rows it comes with.
"""

import numpy as np

from .activations import activation_function
from .network import layers_at, moved_by_vectors


class Moves:
    """Rows at the means of their vectors, about to be moved.

    Parameters
    ----------
    architecture : Architecture
        Without a head of a user's own.
    weights : Weights
    vectors : ndarray of shape (n_rows, n_fields, width)
    numbers : ndarray of shape (n_rows, n_numbers)
    knots : Knots
    """

    def __init__(self, architecture, weights, vectors, numbers, knots):
        dense = weights.dense
        found = layers_at(architecture, weights, vectors, numbers, knots)
        self.f, of_layers, hidden = found
        moved = moved_by_vectors(architecture, dense, vectors.shape[1])
        self._by_move = moved.astype(np.float64)
        self._start = (hidden or [of_layers])[0]
        self._before = of_layers
        self._layers = [
            (
                activation_function(activation),
                dense[f"kernel_{i}"].astype(np.float64),
                dense[f"bias_{i}"].astype(np.float64),
            )
            for i, activation in enumerate(architecture.activations, 1)
        ]

    def both_ways(self, move):
        """Changes of the outputs by a move and by its opposite, (n_rows, n_outputs).

        Parameters
        ----------
        move : ndarray of float64 of shape (n_rows, n_fields * width)
        """
        shift = move @ self._by_move
        return self._moved(shift), self._moved(-shift)

    def _moved(self, shift):
        n = self._start.shape[1]
        x = self._start + shift[:, :n]
        for function, kernel, bias in self._layers:
            x = function(x) @ kernel + bias
        return x - self._before + shift[:, n:]
