"""Negative log-likelihoods as TensorFlow functions of the network's output.

Every function takes ``f`` (..., n_outputs), the targets ``y`` of the row (n_rows,
n_targets; ``skembed._model.likelihoods`` says what the columns hold) and
``log_noise`` (n_outputs,), or None for the plain loss of ``prior=None``, and returns
one value per row, summed over the outputs (averaged for the plain loss, as in Keras).
"""

import math

import tensorflow as tf

_LOG_2PI = math.log(2.0 * math.pi)
_LARGE = 16.0  # from here on Stirling's series is right to 1e-6


def _halves(f, y):
    n = y.shape[-1] // 2
    return y[..., :n], y[..., n : 2 * n]


def squared_error(f, y, log_noise):
    mean, within = _halves(f, y)
    squares = tf.square(mean - f) + within
    if log_noise is None:
        return tf.reduce_mean(squares, -1)
    return tf.reduce_sum(
        0.5 * squares * tf.exp(-2.0 * log_noise) + log_noise + 0.5 * _LOG_2PI, -1
    )


def absolute_error(f, y, log_noise):
    error = tf.abs(y - f)
    if log_noise is None:
        return tf.reduce_mean(error, -1)
    return tf.reduce_sum(error * tf.exp(-log_noise) + log_noise + math.log(2.0), -1)


def quantile(f, y, log_noise, level):
    error = y - f
    pinball = tf.maximum(level * error, (level - 1.0) * error)
    if log_noise is None:
        return tf.reduce_mean(pinball, -1)
    normaliser = log_noise - math.log(level * (1.0 - level))
    return tf.reduce_sum(pinball * tf.exp(-log_noise) + normaliser, -1)


def huber(f, y, log_noise, delta):
    scale = 1.0 if log_noise is None else tf.exp(-log_noise)
    error = tf.abs(y - f) * scale
    bowl = tf.where(error <= delta, 0.5 * error * error, delta * (error - 0.5 * delta))
    if log_noise is None:
        return tf.reduce_mean(bowl, -1)
    area = math.sqrt(2 * math.pi) * math.erf(delta / math.sqrt(2))
    area += 2.0 / delta * math.exp(-0.5 * delta * delta)
    return tf.reduce_sum(bowl + log_noise + math.log(area), -1)


def poisson(f, y, log_noise):
    if log_noise is None:
        return tf.reduce_sum(tf.exp(f) - y * f, -1)
    size = tf.exp(-2.0 * log_noise)
    both = (y + size) * tf.nn.softplus(f + 2.0 * log_noise)
    return tf.reduce_sum(both - y * f - _log_rising(y, size), -1)


def _log_rising(y, size):
    """Logarithm of Gamma(y + size) / Gamma(size) / size ** y."""
    # The difference for large sizes by Stirling's formula: it has no digits left.
    low, high = tf.minimum(size, _LARGE), tf.maximum(size, _LARGE)
    exact = tf.math.lgamma(y + low) - tf.math.lgamma(low) - y * tf.math.log(low)
    series = (y + high - 0.5) * tf.math.log1p(y / high) - y
    series += 1.0 / (12.0 * (y + high)) - 1.0 / (12.0 * high)
    return tf.where(size > _LARGE, series, exact)


def gamma(f, y, log_noise):
    mean, log_mean = _halves(f, y)
    misfit = f + mean * tf.exp(-f)
    if log_noise is None:
        return tf.reduce_mean(misfit, -1)
    shape = tf.exp(-2.0 * log_noise)
    return tf.reduce_sum(
        shape * (misfit - tf.math.log(shape))
        + tf.math.lgamma(shape)
        - (shape - 1.0) * log_mean,
        -1,
    )


def bernoulli(f, y, log_noise):
    return tf.reduce_sum(tf.nn.softplus(f) - y * f, -1)


def categorical(f, y, log_noise):
    return tf.reduce_logsumexp(f, -1) - tf.reduce_sum(y * f, -1)


def root_information(loss, f, log_noise, **constants):
    """Square root of the Fisher information of every output, constant in the tape.

    Never quite 0: the curvature that it stands for is divided by.
    """
    noise = None if log_noise is None else tf.exp(-log_noise)
    root = _ROOT_FISHER[loss](f, noise, **constants) + tf.zeros_like(f)
    return tf.stop_gradient(tf.maximum(root, 1e-4))


def information(loss, root):
    """Fisher information of every output, from its root."""
    square = tf.square(root)
    return square * (1.0 - square) if loss == "categorical" else square


def information_behind(loss, root, readout):
    """Fisher information of what a readout (n, n_outputs) is multiplied by, each alone.

    What moves all classes alike says nothing of them.
    """
    square = tf.square(root)
    found = tf.matmul(square, tf.square(readout), transpose_b=True)
    if loss == "categorical":
        found -= tf.square(tf.matmul(square, readout, transpose_b=True))
    return found


def sensitivity(loss, root, signs, f):
    """Sum of outputs whose squared gradient is, on average, the Fisher information.

    The gradient of ``sum_io signs_io root_io f_io`` with respect to a vector of row i,
    squared, has the diagonal Gauss-Newton curvature of the likelihood as its mean over
    random `signs` (Martens 2020, "New Insights and Perspectives on the Natural
    Gradient Method", section 9); with one output per row it is exact.
    """
    root = root * signs
    if loss == "categorical":  # a square root of diag(p) - p p'
        p = tf.stop_gradient(tf.nn.softmax(f))
        root -= p * tf.reduce_sum(root, -1, keepdims=True)
    return tf.reduce_sum(root * f)


def _softmax_root(f, noise=None):
    return tf.sqrt(tf.nn.softmax(f))


def _huber_root(f, noise, delta):
    inside = math.sqrt(2 * math.pi) * math.erf(delta / math.sqrt(2))
    area = inside + 2.0 / delta * math.exp(-0.5 * delta * delta)
    return noise * math.sqrt(inside / area)


def _poisson_root(f, noise):
    if noise is None:
        return tf.exp(0.5 * f)
    return tf.math.rsqrt(tf.exp(-f) + 1.0 / tf.square(noise))


_ROOT_FISHER = {
    "squared_error": lambda f, noise: noise,
    "absolute_error": lambda f, noise: noise,
    "quantile": lambda f, noise, level: noise * math.sqrt(level * (1.0 - level)),
    "huber": _huber_root,
    "poisson": _poisson_root,
    "gamma": lambda f, noise: noise,
    "bernoulli": lambda f, noise: tf.sqrt(tf.nn.sigmoid(f) * tf.nn.sigmoid(-f)),
    "categorical": _softmax_root,
}

# Those whose curvature depends on the output.
CURVED = ("poisson", "gamma", "bernoulli", "categorical")
# Those whose outputs are of one kind: what the scale of the effects on one is says much
# of that on another.
ALIKE = ("categorical",)

FUNCTIONS = {
    function.__name__: function
    for function in (
        squared_error,
        absolute_error,
        quantile,
        huber,
        poisson,
        gamma,
        bernoulli,
        categorical,
    )
}
