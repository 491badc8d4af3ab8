"""Keras's activations as NumPy functions."""

import numpy as np
from scipy.special import erf, expit

from .. import _settings as settings


def activation_function(activation):
    """NumPy function of an activation: of a name of Keras's, or a user's function."""
    if callable(activation):
        # A function of tensors takes arrays, too, and gives a tensor back.
        return lambda x: np.asarray(activation(x), dtype=np.float64)
    return _ACTIVATIONS[activation]


def activation_slope(activation, x):
    """Derivative of an activation, by a central difference."""
    if activation == "relu":  # at no cost
        return x > 0
    function, step = activation_function(activation), settings.SLOPE_STEP
    return (function(x + step) - function(x - step)) / (2.0 * step)


def _softplus(x):
    return np.logaddexp(0.0, x)


def _selu(x):
    return 1.0507009873554805 * np.where(
        x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))
    )


_ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": _selu,
    "gelu": lambda x: 0.5 * x * (1.0 + erf(x / np.sqrt(2.0))),
    "silu": lambda x: x * expit(x),
    "swish": lambda x: x * expit(x),
    "tanh": np.tanh,
    "sigmoid": expit,
    "softplus": _softplus,
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "exponential": np.exp,
    "mish": lambda x: x * np.tanh(_softplus(x)),
}
ACTIVATION_NAMES = tuple(_ACTIVATIONS)
