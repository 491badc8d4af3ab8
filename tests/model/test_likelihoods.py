"""Likelihoods: their densities, curvatures, variances and best constants.

The references are SciPy's distributions and numerical integrals; the TensorFlow and
the NumPy side of a family stand under one name and are tested together.
"""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, optimize, special, stats

from skembed._keras import losses
from skembed._model.likelihoods import (
    REGRESSION_LOSSES,
    Bernoulli,
    Categorical,
    regression_likelihood,
    weighted_quantile,
)
from skembed._settings import HUBER_DELTA, MIN_LOG_NOISE

NOISE = 0.7
QUANTILE = 0.8
DENSITIES = {
    "squared_error": lambda f: stats.norm(f, NOISE),
    "absolute_error": lambda f: stats.laplace(f, NOISE),
    "gamma": lambda f: stats.gamma(NOISE**-2, scale=np.exp(f) * NOISE**2),
}


def negative_binomial(f, noise):
    """Counts whose rates, of mean exp(f), have this coefficient of variation."""
    size = noise**-2
    return stats.nbinom(size, size / (size + np.exp(f)))


PROBABILITIES = {
    "poisson": lambda f: stats.poisson(np.exp(f)),
    "counts": lambda f: negative_binomial(f, NOISE),
}


def family(loss):
    """The likelihood of a loss; "counts" is Poisson's loss of whole numbers."""
    if loss == "counts":
        return regression_likelihood("poisson", None, are_counts=True)
    return regression_likelihood(loss, QUANTILE if loss == "quantile" else None)


def nll(likelihood, y, f, noise=NOISE):
    """Negative log-likelihood of each pair, by the TensorFlow side."""
    y = np.asarray(y, float).reshape(-1, 1)
    f = np.broadcast_to(np.asarray(f, float).reshape(-1, 1), y.shape)
    targets = likelihood.finish_targets(likelihood.targets(y))
    log_noise = None
    if noise is not None and likelihood.has_noise:
        log_noise = tf.constant([np.log(noise)], tf.float64)
    function = losses.FUNCTIONS[likelihood.name]
    return function(
        tf.constant(f), tf.constant(targets), log_noise, **likelihood.params
    ).numpy()


def integral(function, loss, low=-60.0):
    """Integral over all outcomes of a function of an array of them."""
    y = np.linspace(1e-9 if loss == "gamma" else low, 60.0, 400_001)
    return integrate.trapezoid(function(y), y)


@pytest.mark.parametrize("loss", DENSITIES)
def test_densities_are_those_of_scipy(loss):
    y, f = [0.3, 1.0, 2.5], [0.2, 0.9, -0.4]
    expected = -np.array(
        [DENSITIES[loss](b).logpdf(a) for a, b in zip(y, f, strict=True)]
    )
    np.testing.assert_allclose(nll(family(loss), y, f), expected, rtol=1e-6)


def test_poisson_is_that_of_scipy_up_to_a_constant_of_y():
    y, f = np.array([0, 1, 5]), np.array([-0.5, 0.0, 1.2])
    expected = -stats.poisson(np.exp(f)).logpmf(y)
    constant = -stats.poisson(1.0).logpmf(y) - 1.0
    np.testing.assert_allclose(
        nll(family("poisson"), y, f), expected - constant, rtol=1e-9
    )


@pytest.mark.parametrize("noise", [2.0, NOISE, 0.251, 0.249, 0.01])
def test_counts_are_those_of_scipy_up_to_a_constant_of_y(noise):
    y, f = np.array([0, 1, 5, 4000]), np.array([-0.5, 0.0, 1.2, 8.0])
    expected = -negative_binomial(f, noise).logpmf(y) - special.gammaln(y + 1.0)
    np.testing.assert_allclose(nll(family("counts"), y, f, noise), expected, rtol=1e-6)


def test_counts_whose_rates_do_not_scatter_are_poissons():
    y, f, least = [0, 1, 5], [-0.5, 0.0, 1.2], np.exp(MIN_LOG_NOISE)
    found, expected = nll(family("counts"), y, f, least), nll(family("poisson"), y, f)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("loss", ["huber", "quantile"])
def test_densities_integrate_to_one(loss):
    likelihood = family(loss)
    area = integral(lambda y: np.exp(-nll(likelihood, y, 0.4)), loss)
    assert area == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("loss", [*REGRESSION_LOSSES, "counts"])
def test_mean_and_variance_are_those_of_the_density(loss):
    likelihood = family(loss)
    f = np.array([[0.4]])
    said = likelihood.variance(f, np.array([NOISE]))[0, 0]
    if loss in PROBABILITIES:
        expected = PROBABILITIES[loss](0.4).var()
    else:

        def moment(k):
            return integral(lambda y: y**k * np.exp(-nll(likelihood, y, 0.4)), loss)

        expected = moment(2) - moment(1) ** 2
        if loss != "quantile":
            assert likelihood.mean(f)[0, 0] == pytest.approx(moment(1), rel=1e-4)
    assert said == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", ["squared_error", "gamma", "poisson"])
def test_merging_equal_rows_changes_no_gradient(loss):
    likelihood = family(loss)
    y = np.array([[0.5], [2.0], [2.5]])
    merged = likelihood.finish_targets(
        likelihood.targets(y).mean(axis=0, keepdims=True)
    )
    assert likelihood.average_targets
    log_noise = None
    if likelihood.has_noise:
        log_noise = tf.constant([np.log(NOISE)], tf.float64)
    function = losses.FUNCTIONS[likelihood.name]
    for f in (-0.3, 0.8):
        apart = nll(likelihood, y, [f] * 3).mean()
        together = function(
            tf.constant([[f]], tf.float64), tf.constant(merged), log_noise
        )
        np.testing.assert_allclose(together.numpy()[0], apart, rtol=1e-9)


PLAIN = {
    "squared_error": lambda y, f: (y - f) ** 2,
    "absolute_error": lambda y, f: abs(y - f),
    "huber": lambda y, f: special.huber(HUBER_DELTA, y - f),
    "quantile": lambda y, f: np.where(
        y > f, QUANTILE * (y - f), (1 - QUANTILE) * (f - y)
    ),
    "poisson": lambda y, f: np.exp(f) - y * f,
    "gamma": lambda y, f: f + y * np.exp(-f),
}


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_the_plain_loss_is_the_textbook_one(loss):
    y, f = np.array([0.3, 1.0, 2.5]), np.array([0.2, 0.9, -0.4])
    ours = nll(family(loss), y, f, noise=None)
    np.testing.assert_allclose(PLAIN[loss](y, f), ours)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_the_intercept_is_the_best_constant(loss):
    likelihood = family(loss)
    rng = np.random.default_rng(0)
    y = rng.gamma(2.0, size=(201, 1)).round(2) + (0 if loss == "poisson" else 0.01)
    weights = rng.integers(1, 4, 201).astype(float)
    targets = likelihood.finish_targets(likelihood.targets(y))
    found = likelihood.intercept(targets, weights)

    def total(f):
        return np.average(PLAIN[loss](y[:, 0], f), weights=weights)

    best = optimize.minimize_scalar(total, bounds=(-3, 8), method="bounded")
    slack = 2e-2 if loss == "huber" else 1e-6  # huber starts from the median
    assert total(found[0]) <= best.fun * (1 + slack) + 1e-9


def curvature(likelihood, f, noise):
    """Square of the gradient of the sensitivity: what the engine takes for it."""
    f = tf.constant([[f]], tf.float64)
    log_noise = tf.constant([np.log(noise)], tf.float64)
    if not likelihood.has_noise:
        log_noise = None
    with tf.GradientTape() as tape:
        tape.watch(f)
        root = losses.root_information(
            likelihood.name, f, log_noise, **likelihood.params
        )
        total = losses.sensitivity(likelihood.name, root, 1.0, f)
    return float(tape.gradient(total, f)[0, 0]) ** 2


@pytest.mark.parametrize("loss", [*REGRESSION_LOSSES, "counts"])
def test_curvature_is_the_fisher_information(loss):
    """Mean over y of the squared score, for the score by finite differences."""
    likelihood, f, step = family(loss), 0.4, 1e-4

    def information(y):
        score = nll(likelihood, y, f + step) - nll(likelihood, y, f - step)
        return np.square(score / (2 * step))

    if loss in PROBABILITIES:
        y = np.arange(80.0)
        expected = PROBABILITIES[loss](f).pmf(y) @ information(y)
    else:
        expected = integral(
            lambda y: np.exp(-nll(likelihood, y, f)) * information(y), loss
        )
    assert curvature(likelihood, f, NOISE) == pytest.approx(expected, rel=5e-3)


def test_curvature_of_two_classes():
    likelihood = Bernoulli("bernoulli")
    p = 1 / (1 + np.exp(-0.4))
    assert curvature(likelihood, 0.4, 1.0) == pytest.approx(p * (1 - p))


def test_curvature_of_classes_is_right_on_average_over_the_signs():
    f = tf.constant([[0.3, -0.2, 1.0]], tf.float64)
    p = tf.nn.softmax(f).numpy()[0]
    squares = []
    for signs in itertools.product([-1.0, 1.0], repeat=3):
        with tf.GradientTape() as tape:
            tape.watch(f)
            root = losses.root_information("categorical", f, None)
            signed = tf.constant([signs], tf.float64)
            total = losses.sensitivity("categorical", root, signed, f)
        gradient = tape.gradient(total, f).numpy()[0]
        squares.append(np.outer(gradient, gradient))
    np.testing.assert_allclose(
        np.mean(squares, axis=0), np.diag(p) - np.outer(p, p), atol=1e-12
    )


def test_likelihoods_of_classes_are_those_of_scipy():
    f = np.array([[0.3, -0.2, 1.0], [0.0, 2.0, -1.0]])
    y = np.eye(3)[[2, 1]]
    p = Categorical("categorical").mean(f)
    found = losses.categorical(tf.constant(f), tf.constant(y), None).numpy()
    np.testing.assert_allclose(found, -np.log((p * y).sum(axis=1)))
    f, y = np.array([[0.3], [-2.0]]), np.array([[1.0], [0.0]])
    p = Bernoulli("bernoulli").mean(f)[:, 0]
    found = losses.bernoulli(tf.constant(f), tf.constant(y), None).numpy()
    np.testing.assert_allclose(found, -stats.bernoulli(p).logpmf(y[:, 0]))


def test_scaling_and_merging_commute():
    likelihood = family("squared_error")
    y = np.array([[1.0], [3.0], [8.0]])
    targets = likelihood.finish_targets(likelihood.targets(y).mean(0, keepdims=True))
    scaled = likelihood.standardise(targets, np.array([2.0]), np.array([5.0]))
    z = (y - 2.0) / 5.0
    np.testing.assert_allclose(scaled, [[z.mean(), z.var()]])


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_outcomes_that_cannot_be_are_refused(loss):
    with pytest.raises(ValueError, match="negative"):
        family(loss).check(np.array([[1.0], [-0.1]]))
    with pytest.raises(ValueError, match="are 0"):
        family(loss).check(np.zeros((3, 1)))


def test_quantile_and_loss_go_together():
    with pytest.raises(ValueError, match="quantile"):
        regression_likelihood("quantile", None)
    with pytest.raises(ValueError, match="'quantile' only"):
        regression_likelihood("huber", 0.5)


def test_weighted_quantile():
    values = np.array([3.0, 1.0, 2.0])
    weights = np.array([1.0, 1.0, 8.0])
    assert weighted_quantile(values, weights, 0.5) == 2.0
    assert weighted_quantile(values, weights, [0.5, 0.95]).tolist() == [2.0, 3.0]
