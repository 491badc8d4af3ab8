"""The network as a graph of ONNX: `_model.network`, node by node.

Slopes are central differences where `_model.network` takes these, with the same step:
at the kink of an activation another derivative would be another prediction.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .._model.network import first_order


class Outputs(NamedTuple):
    """Outputs of the network, and what they are made of.

    Attributes
    ----------
    f : str
        (n_rows, n_outputs), float64.
    layers : str
        What the layers have put out; `f` has the direct terms besides.
    hidden : list of str
        What each activation was applied to.
    """

    f: str
    layers: str
    hidden: list


def outputs(g, fitted, vectors, numbers):
    """Outputs of the network, and what they are made of.

    Parameters
    ----------
    g : Graph
    fitted : Fitted
    vectors : str or None
        (n_rows, n_fields * width), float64; None without columns.
    numbers : str or None
        (n_rows, n_numbers), float64; None without numbers.

    Returns
    -------
    outputs : Outputs
    """
    architecture, dense = fitted.architecture, fitted.weights.dense
    parts = [part for part in (vectors, numbers) if part is not None]
    column, low, scale = fitted.encoder.knots
    if architecture.has_direct_terms and len(column):
        pieces = g.add("Sub", g.columns(numbers, column), low.astype(np.float64))
        pieces = g.add("Mul", pieces, scale.astype(np.float64))
        parts.append(g.add("Clip", pieces, np.float64(0), np.float64(1)))
    f, hidden = _affine(g, g.side_by_side(parts), dense, 0), []
    for i, activation in enumerate(architecture.activations, 1):
        hidden.append(f)
        f = _affine(g, _activation(activation)(g, f), dense, i)
    of_layers = f
    if architecture.has_direct_terms and vectors is not None:
        first = g.number(_first_order(fitted))
        f = g.add("Add", f, g.add("MatMul", vectors, first))
    if architecture.has_direct_terms and numbers is not None:
        f = g.add("Add", f, g.add("MatMul", numbers, g.number(dense["linear"])))
    return Outputs(f, of_layers, hidden)


def moved(g, fitted, at, shift):
    """How much the outputs move as the vectors move.

    Parameters
    ----------
    g : Graph
    fitted : Fitted
    at : list of str
        What the first activation was applied to, or what stands in its place without
        layers; and what the layers have put out. (n_rows, 1, n) each.
    shift : str
        Moved vectors times `moved_by_vectors`, (n_rows, n_moves, n).

    Returns
    -------
    moved : str
        (n_rows, n_moves, n_outputs).
    """
    architecture, dense = fitted.architecture, fitted.weights.dense
    n = dense["bias_0"].size
    (x, before), last = at, np.array([2], np.int64)
    part = g.add("Slice", shift, np.zeros(1, np.int64), np.array([n], np.int64), last)
    x = g.add("Add", x, part)
    for i, activation in enumerate(architecture.activations, 1):
        x = g.add(
            "MatMul", _activation(activation)(g, x), g.number(dense[f"kernel_{i}"])
        )
        x = g.add("Add", x, g.number(dense[f"bias_{i}"]))
    x = g.add("Sub", x, before)
    if not architecture.has_direct_terms:
        return x
    ends = np.array([n], np.int64), np.array([n + architecture.n_outputs], np.int64)
    return g.add("Add", x, g.add("Slice", shift, *ends, last))


def slopes(g, fitted, hidden):
    """Derivatives of the outputs by the vectors, as `_model.network` in float32.

    Returns
    -------
    slopes : str
        (n_rows, n_outputs, n_inputs), or one row that is the same for all.
    """
    architecture, dense = fitted.architecture, fitted.weights.dense
    n_inputs = _n_inputs(fitted)
    kernels = [dense[f"kernel_{i}"].T for i in range(len(hidden) + 1)]
    kernels[0] = kernels[0][:, :n_inputs]
    by = np.ascontiguousarray(kernels.pop()[None])
    for x, activation in zip(hidden[::-1], architecture.activations[::-1], strict=True):
        slope = g.cast(_slope(g, activation, x), np.float32)
        slope = g.add("Unsqueeze", slope, np.array([1], np.int64))
        kernel = np.ascontiguousarray(kernels.pop())
        by = g.add("MatMul", g.add("Mul", by, slope), kernel)
    return g.add("Add", by, np.ascontiguousarray(_first_order(fitted).T[None]))


def _first_order(fitted):
    return first_order(fitted.architecture, fitted.weights.dense, fitted.n_fields)


def _n_inputs(fitted):
    """Length of all vectors of a row, which come first in what the layers read."""
    return fitted.n_fields * fitted.architecture.width


def _affine(g, x, dense, i):
    kernel, bias = dense[f"kernel_{i}"], dense[f"bias_{i}"]
    return g.add("Gemm", x, g.number(kernel), g.number(bias))


def refuse_own(architecture):
    """Raise if the network has parts that are no part of ONNX."""
    if architecture.head is not None:
        raise TypeError(
            "The estimator has a head of its own (model=), which to_onnx does not "
            "translate. Export model_ by Keras, model_.export(path, format='onnx'), "
            "which reads codes and scaled numbers (model_inputs), or fit with "
            "hidden_layer_sizes instead."
        )
    for activation in architecture.activations:
        if callable(activation):
            raise TypeError(
                f"The activation {getattr(activation, '__name__', activation)!r} is a "
                "function, which to_onnx cannot translate; fit with an activation that "
                f"has a name: {', '.join(sorted(_ACTIVATIONS))}."
            )


def _activation(name):
    return _ACTIVATIONS[name]


def _slope(g, name, x):
    if name == "relu":
        return g.add("Greater", x, _ZERO)
    if name == "linear":
        return g.add("Add", g.add("Sub", x, x), _ONE)
    if name == "gelu":  # the error function is there in float32 only
        density = g.add("Exp", g.add("Mul", g.add("Mul", x, x), np.float64(-0.5)))
        density = g.add("Mul", density, np.float64(1.0 / np.sqrt(2.0 * np.pi)))
        return g.add("Add", _normal(g, x), g.add("Mul", x, density))
    function = _ACTIVATIONS[name]
    above = function(g, g.add("Add", x, np.float64(settings.SLOPE_STEP)))
    below = function(g, g.add("Sub", x, np.float64(settings.SLOPE_STEP)))
    return g.add(
        "Div", g.add("Sub", above, below), np.float64(2.0 * settings.SLOPE_STEP)
    )


_ZERO, _ONE = np.float64(0), np.float64(1)


def _normal(g, x):
    """The normal distribution's function."""
    scaled = g.cast(g.add("Mul", x, np.float64(np.sqrt(0.5))), np.float32)
    erf = g.number(g.add("Erf", scaled))
    return g.add("Mul", g.add("Add", erf, _ONE), np.float64(0.5))


def _bent(factor, scale):
    """Exponential below 0, linear above."""

    def function(g, x):
        below = g.add("Exp", g.add("Min", x, _ZERO))
        below = g.add("Mul", g.add("Sub", below, _ONE), np.float64(factor * scale))
        above = x if scale == 1.0 else g.add("Mul", x, np.float64(scale))
        return g.add("Where", g.add("Greater", x, _ZERO), above, below)

    return function


def _softplus(g, x):
    small = g.add("Exp", g.add("Neg", g.add("Abs", x)))
    return g.add("Add", g.add("Max", x, _ZERO), g.add("Log", g.add("Add", small, _ONE)))


def _leaky(g, x):
    low = g.add("Mul", x, np.float64(0.2))
    return g.add("Where", g.add("Greater", x, _ZERO), x, low)


def _softsign(g, x):
    return g.add("Div", x, g.add("Add", g.add("Abs", x), _ONE))


def _silu(g, x):
    return g.add("Mul", x, g.add("Sigmoid", x))


# As in `_model.activations`; operators that runtimes have in float32 only are composed.
_ACTIVATIONS = {
    "linear": lambda g, x: x,
    "relu": lambda g, x: g.add("Relu", x),
    "relu6": lambda g, x: g.add("Clip", x, _ZERO, np.float64(6)),
    "leaky_relu": _leaky,
    "elu": _bent(1.0, 1.0),
    "selu": _bent(1.6732632423543772, 1.0507009873554805),
    "gelu": lambda g, x: g.add("Mul", x, _normal(g, x)),
    "silu": _silu,
    "swish": _silu,
    "tanh": lambda g, x: g.add("Tanh", x),
    "sigmoid": lambda g, x: g.add("Sigmoid", x),
    "softplus": _softplus,
    "softsign": _softsign,
    "exponential": lambda g, x: g.add("Exp", x),
    "mish": lambda g, x: g.add("Mul", x, g.add("Tanh", _softplus(g, x))),
}
