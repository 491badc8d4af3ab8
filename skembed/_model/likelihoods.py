"""What is known of an outcome given the network's output, in NumPy.

A likelihood says which numbers of y the training needs (`targets`), whether equal rows
may be merged into one with their mean, how the network's output becomes the outcome,
and how far outcomes scatter about it. Its TensorFlow side, the negative log-likelihood
and the Fisher information, stands under the same name in ``skembed._keras.losses``.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import expit, log_softmax, softmax

from .. import _settings as settings
from .draws import spread_out


@dataclass(frozen=True)
class Likelihood:
    """One family; `constants` are its fixed parameters, as pairs.

    Each has a method ``intercept(targets, weights)`` of its own: the output of the best
    constant prediction.
    """

    name: str
    constants: tuple = ()

    average_targets = False
    location_scale = False  # y is centred and scaled for training
    has_noise = True
    non_negative = False  # y, and not 0 throughout
    bends = False  # the mean is no linear function of the output
    scales_stay = False  # beside layers those of the priors are as they were without

    @property
    def params(self):
        return dict(self.constants)

    def check(self, y):
        """Refuse outcomes that the family cannot have."""
        if not self.non_negative:
            return
        for output, values in enumerate(y.T):
            where = f"Output {output} of y" if y.shape[1] > 1 else "y"
            if (values < 0).any():
                raise ValueError(
                    f"Some values of {where} are negative; loss={self.name!r} needs "
                    "y >= 0."
                )
            if not values.sum() > 0:
                raise ValueError(
                    f"All values of {where} are 0; loss={self.name!r} needs some y > 0."
                )

    def targets(self, y):
        """What training reads of y (n_rows, n_outputs): (n_rows, n_targets)."""
        return y

    def finish_targets(self, targets):
        """The merged rows' targets as the loss wants them."""
        return targets

    def centre_and_scale(self, targets, weights):
        """Location and spread of the outcome, for families that are scaled."""
        centre = self.intercept(targets, weights)
        spread = np.average(np.abs(targets - centre), axis=0, weights=weights)
        return centre, spread

    def standardise(self, targets, centre, scale):
        """Finished targets of the outcome (y - centre) / scale."""
        return (targets - centre) / scale

    def mean(self, f):
        """Outcome predicted by the output `f`."""
        return f

    def integrated(self, f, roots):
        """Output whose mean outcome is that of a normally distributed output.

        Parameters
        ----------
        f : ndarray of shape (n_rows, n_outputs)
            Its mean.
        roots : ndarray of shape (n_rows, n_outputs, n)
            A root of its covariance: the output is ``f + roots @ z`` with `z` standard
            normal.
        """
        return f

    def variance(self, f, noise):
        """Variance of an outcome about its mean; `noise` is the learned scale."""
        raise TypeError(f"The loss {self.name!r} has no variance of an outcome.")


class SquaredError(Likelihood):
    average_targets = True
    location_scale = True

    def targets(self, y):
        return np.concatenate([y, np.square(y)], axis=1)

    def finish_targets(self, targets):
        mean, square = np.split(targets, 2, axis=1)
        within = np.maximum(square - np.square(mean), 0.0)
        # A row on its own has exactly none, whatever the digits say.
        within[within < 1e-12 * square] = 0.0
        return np.concatenate([mean, within], axis=1)

    def centre_and_scale(self, targets, weights):
        mean, within = np.split(targets, 2, axis=1)
        centre = np.average(mean, axis=0, weights=weights)
        square = np.average(np.square(mean - centre) + within, axis=0, weights=weights)
        return centre, np.sqrt(square)

    def standardise(self, targets, centre, scale):
        mean, within = np.split(targets, 2, axis=1)
        return np.concatenate([(mean - centre) / scale, within / scale**2], axis=1)

    def intercept(self, targets, weights):
        n = targets.shape[1] // 2
        return np.average(targets[:, :n], axis=0, weights=weights)

    def variance(self, f, noise):
        return np.broadcast_to(np.square(noise), f.shape)


class AbsoluteError(Likelihood):
    """Laplace's distribution; the noise scale is its mean absolute deviation."""

    location_scale = True

    def intercept(self, targets, weights):
        return _by_column(targets, weights, 0.5)

    def variance(self, f, noise):
        return np.broadcast_to(2.0 * np.square(noise), f.shape)


class Quantile(Likelihood):
    """The asymmetric Laplace distribution (Yu & Moyeed 2001)."""

    location_scale = True

    def intercept(self, targets, weights):
        return _by_column(targets, weights, self.params["level"])

    def variance(self, f, noise):
        q = self.params["level"]
        factor = (1.0 - 2.0 * q + 2.0 * q * q) / (q * (1.0 - q)) ** 2
        return np.broadcast_to(factor * np.square(noise), f.shape)


class Huber(Likelihood):
    """Huber's least favourable distribution: normal inside, exponential tails."""

    location_scale = True

    def intercept(self, targets, weights):
        return _by_column(targets, weights, 0.5)

    def variance(self, f, noise):
        return np.broadcast_to(
            huber_variance(self.params["delta"]) * np.square(noise), f.shape
        )


def huber_variance(delta):
    """Variance of the density exp(-huber(x)) / Z, with Z = area."""
    inside = math.sqrt(2 * math.pi) * math.erf(delta / math.sqrt(2))
    density = math.exp(-0.5 * delta * delta)
    area = inside + 2.0 / delta * density
    second = inside - 2.0 * delta * density
    # 2 * integral over x > delta of x^2 exp(-delta x + delta^2 / 2)
    second += 2.0 * density * (delta + 2.0 / delta + 2.0 / delta**3)
    return second / area


class LogLink(Likelihood):
    """Base of those whose output is the logarithm of the mean."""

    average_targets = True
    non_negative = True
    bends = True
    # Effects that the layers learn by heart widen the priors, and a few rows of a wide
    # prior have means that move all others: the scales would run away.
    scales_stay = True

    def mean(self, f):
        return np.exp(f)

    def integrated(self, f, roots):
        """The mean of a log-normal distribution, as an output."""
        variance = np.square(roots).sum(axis=-1)
        # Beyond, a linear output is too rough, and the mean runs away.
        return f + 0.5 * np.minimum(variance, settings.MAX_LOG_VARIANCE)


class Poisson(LogLink):
    """Rates: counts over exposures, which are their weights."""

    has_noise = False

    def intercept(self, targets, weights):
        return np.log(np.average(targets, axis=0, weights=weights))

    def variance(self, f, noise):
        return np.exp(f)


class Counts(Poisson):
    """Counts whose rates scatter; the noise scale is their coefficient of variation.

    This is the negative binomial distribution (Lawless 1987, "Negative binomial and
    mixed Poisson regression", section 1), and Poisson's where the noise scale is 0.
    """

    average_targets = False
    has_noise = True
    # What columns do not explain is noise here, and no effect of their tokens.
    scales_stay = False

    def variance(self, f, noise):
        mean = np.exp(f)
        return mean + np.square(mean * noise)


class Gamma(LogLink):
    """The noise scale is the coefficient of variation."""

    def targets(self, y):
        # An exact 0 has no density: it counts as half of its output's least outcome.
        positive = np.where(y > 0, y, np.inf).min(axis=0)
        floor = 0.5 * np.where(np.isfinite(positive), positive, 2.0)
        return np.concatenate([y, np.log(np.maximum(y, floor))], axis=1)

    def intercept(self, targets, weights):
        n = targets.shape[1] // 2
        return np.log(np.average(targets[:, :n], axis=0, weights=weights))

    def variance(self, f, noise):
        return np.square(np.exp(f) * noise)


class Bernoulli(Likelihood):
    average_targets = True
    has_noise = False
    bends = True

    def intercept(self, targets, weights):
        p = np.average(targets, axis=0, weights=weights)
        p = np.clip(p, 1e-6, 1 - 1e-6)
        return np.log(p) - np.log1p(-p)

    def mean(self, f):
        return expit(f)

    def integrated(self, f, roots):
        """Log-odds of the mean probability, by Gauss and Hermite's rule."""
        sd = np.sqrt(np.square(roots).sum(axis=-1))
        yes, no = np.zeros_like(f), np.zeros_like(f)
        for node, weight in zip(*gauss_hermite(), strict=True):
            at = f + node * sd
            yes += weight * expit(at)
            no += weight * expit(-at)
        inside = (yes > 0) & (no > 0)
        return np.where(inside, np.log(yes + ~inside) - np.log(no + ~inside), f)


class Categorical(Likelihood):
    average_targets = True
    has_noise = False
    bends = True

    def intercept(self, targets, weights):
        p = np.average(targets, axis=0, weights=weights)
        log = np.log(np.maximum(p, 1e-6))
        return log - log.mean()

    def mean(self, f):
        return softmax(f, axis=1)

    def integrated(self, f, roots):
        """Logarithms of the mean probabilities, over draws of the outputs."""
        root = root_of(roots)
        total = -np.inf
        for draw in spread_out(settings.CLASS_PAIRS, f.shape[1]):
            log_p = log_softmax(f + root @ draw, axis=1)
            total = np.logaddexp(total, log_p)
        return total - total.mean(axis=1, keepdims=True)


def root_of(roots):
    """Cholesky's root of the covariances ``roots @ roots.T``, one per row.

    Plain arithmetic, so a graph of ONNX has it too. With a small share of the mean
    variance on the diagonal it exists for every covariance, and depends on all that is
    in it as smoothly as the covariance does.
    """
    roots = roots.astype(np.float64)
    covariance = roots @ roots.swapaxes(1, 2)
    n = covariance.shape[1]
    size = np.trace(covariance, axis1=1, axis2=2)
    ridge = settings.ROOT_RIDGE / n * size + settings.ROOT_LEAST
    return np.linalg.cholesky(covariance + ridge[:, None, None] * np.eye(n))


@cache
def gauss_hermite():
    """Nodes and weights of a mean over the standard normal density."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(settings.GAUSS_HERMITE)
    return nodes, weights / weights.sum()


REGRESSION_LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "quantile": Quantile,
    "poisson": Poisson,
    "gamma": Gamma,
}


def regression_likelihood(loss, quantile, are_counts=False):
    """The likelihood that belongs to a regressor's `loss` and `quantile`.

    `are_counts` says of ``loss="poisson"`` whether the outcomes are whole numbers.
    """
    constants, family = (), REGRESSION_LOSSES[loss]
    if are_counts:
        family = Counts
    if loss == "huber":
        constants = (("delta", settings.HUBER_DELTA),)
    if loss == "quantile":
        if quantile is None:
            raise ValueError("loss='quantile' needs quantile=, a number in (0, 1).")
        constants = (("level", float(quantile)),)
    elif quantile is not None:
        raise ValueError(
            f"quantile={quantile!r} is for loss='quantile' only; got loss={loss!r}."
        )
    return family(loss, constants)


def _by_column(targets, weights, level):
    return np.array([weighted_quantile(column, weights, level) for column in targets.T])


def weighted_quantile(values, weights, level):
    """The value below which `level` (a number or an array) of the weight lies."""
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order])
    at = np.searchsorted(upto, np.multiply(level, upto[-1]))
    return values[order[np.minimum(at, len(order) - 1)]]
