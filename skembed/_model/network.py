"""The network in plain terms: its shape, its weights, and its outputs in NumPy.

    f = [first-order term of each token + linear term of the numbers]
        + MLP([vectors, numbers, piecewise-linear encoding])

The bracket is there with ``prior="normal"`` only. Nothing here needs TensorFlow.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .activations import activation_function


class Architecture(NamedTuple):
    """What is decided before training; hashable, a part of the trace's key.

    Attributes
    ----------
    width : int
        Length of every vector.
    hidden, activations : tuple
        Units and activation (a Keras name or a function) of each hidden layer.
    n_outputs : int
    posterior : bool
        Whether tables are distributions, with direct terms beside the MLP.
    with_knots : bool
        Whether the MLP reads the piecewise-linear encoding of the numbers.
    head : object or None
        A user's own head in place of the MLP.
    """

    width: int
    hidden: tuple
    activations: tuple
    n_outputs: int
    posterior: bool
    with_knots: bool
    head: object = None

    @property
    def n_first(self):
        """Leading coordinates of a vector that reach the output directly."""
        return min(self.width, self.n_outputs) if self.posterior else 0

    def n_inputs(self, n_columns, n_numbers, n_pieces):
        """Length of what the MLP reads."""
        return n_columns * self.width + n_numbers + n_pieces * self.with_knots

    def weight_shapes(self, n_columns=-1, n_numbers=-1, n_pieces=-1):
        """Name -> shape of every weight but the tables; -1 for what the data say."""
        shapes = {}
        n_in = -1
        if n_columns >= 0:
            n_in = self.n_inputs(n_columns, n_numbers, n_pieces)
        if self.head is not None:
            shapes |= self.head.weight_shapes()
        else:
            sizes = (n_in, *self.hidden, self.n_outputs)
            for i, pair in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
                shapes[f"kernel_{i}"] = pair
                shapes[f"bias_{i}"] = pair[1:]
        if self.posterior:
            shapes["linear"] = (n_numbers, self.n_outputs)
            if self.n_outputs > 1:
                shapes["readout"] = (self.n_first, self.n_outputs)
            shapes["log_noise"] = (self.n_outputs,)
            shapes["log_scale"] = (n_columns, self.n_first)
        return shapes


@dataclass(frozen=True)
class Weights:
    """A trained network.

    Attributes
    ----------
    mean : ndarray of float32 of shape (n_rows, width)
        The tables of all columns, one below the other.
    precision : ndarray of float32 of shape (n_rows, width) or None
        1 / variance of every number of `mean`.
    dense : dict of str to ndarray of float32
        All other weights, by the names of ``Architecture.weight_shapes``.
    state : tuple of ndarray
        Non-trainable variables of a user's own head.
    """

    mean: np.ndarray
    precision: np.ndarray | None
    dense: dict
    state: tuple = ()

    def with_rows(self, mean, precision):
        return replace(self, mean=mean, precision=precision)


def initial_weights(architecture, sizes, shapes, rng, *, intercept, point_scale=0.05):
    """Weights to start from.

    With ``posterior`` the first-order coordinates, the direct terms and the last
    layer start at 0, so that the first steps go to the direct terms. Without, all is
    as Keras does it: Glorot's uniform kernels, zero biases, vectors uniform in
    (-0.05, 0.05).
    """
    n_rows, width = int(sum(sizes)), architecture.width
    dense = {}
    last = f"kernel_{len(architecture.hidden)}"
    for name, shape in shapes.items():
        value = np.zeros(shape, np.float32)
        if name.startswith("kernel") and not (architecture.posterior and name == last):
            limit = np.sqrt(6.0 / max(sum(shape), 1))
            value = rng.uniform(-limit, limit, shape)
        elif name.startswith("head_"):
            value = architecture.head.initial(name)
        elif name == "readout":
            value = np.eye(*shape)
        elif name == f"bias_{len(architecture.hidden)}":
            value = np.broadcast_to(intercept, shape)
        dense[name] = np.asarray(value, np.float32)
    if not architecture.posterior:
        mean = rng.random((n_rows, width), dtype=np.float32)
        mean -= np.float32(0.5)
        mean *= np.float32(2 * point_scale)
        return Weights(mean, None, dense, _state(architecture))
    mean = rng.standard_normal((n_rows, width), dtype=np.float32)
    mean *= np.float32(settings.START_MEAN)
    mean[:, : architecture.n_first] = 0.0
    precision = np.full((n_rows, width), settings.START_SD**-2, np.float32)
    return Weights(mean, precision, dense, _state(architecture))


def _state(architecture):
    return () if architecture.head is None else architecture.head.initial_state()


class Knots(NamedTuple):
    """The piecewise-linear encoding of the numbers (see ``_numbers``)."""

    column: np.ndarray
    low: np.ndarray
    scale: np.ndarray


def outputs(architecture, weights, vectors, numbers, knots):
    """Outputs of the network, (n_rows, n_outputs), in float64.

    Parameters
    ----------
    vectors : ndarray of shape (n_rows, n_columns, width)
    numbers : ndarray of shape (n_rows, n_numbers)
    """
    dense = weights.dense
    x = [vectors.reshape(len(vectors), -1), numbers]
    if architecture.with_knots and len(knots.column):
        pieces = (numbers[:, knots.column] - knots.low) * knots.scale
        x.append(np.clip(pieces, 0.0, 1.0))
    x = np.concatenate(x, axis=1).astype(np.float64, copy=False)
    if architecture.head is not None:
        f = architecture.head.predict(weights, x)
    else:
        f = x @ dense["kernel_0"] + dense["bias_0"]
        for i, activation in enumerate(architecture.activations, 1):
            f = activation_function(activation)(f)
            f = f @ dense[f"kernel_{i}"] + dense[f"bias_{i}"]
    if architecture.posterior:
        first = vectors[:, :, : architecture.n_first].sum(axis=1)
        if architecture.n_outputs > 1:
            first = first @ dense["readout"]
        f = f + first + numbers @ dense["linear"]
    return f
