"""Loss of rows that are not trained on."""

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar

from .. import _settings as settings
from .._data.encoded import Encoded
from . import losses


def loss(fitted, problem):
    """Loss per observation of rows that are not trained on, of their predictions.

    In the units of `Trained.losses`: the divergence from the prior is not a part of it.
    The scale of the noise is the one that fits these rows best. What is learned with
    the layers is too small once they know rows by heart, and the loss would grow while
    predictions still become better.
    """
    likelihood, rows = problem.likelihood, problem.rows
    offsets = fitted.offsets
    if rows.blend is not None:
        offsets = offsets[rows.blend.slots.block]
    encoded = Encoded(rows.codes - offsets, rows.numbers, rows.blend)
    f = tf.constant(fitted.predictor.integrated(encoded, likelihood))
    targets, function = tf.constant(rows.targets), losses.FUNCTIONS[likelihood.name]

    def mean(log_noise):
        values = function(f, targets, log_noise, **likelihood.params)
        return float(np.average(values.numpy(), weights=rows.weights))

    log_noise = None
    if fitted.architecture.tables.has_likelihood and likelihood.has_noise:
        log_noise = _noise_that_fits(mean, fitted.architecture.n_outputs)
    return mean(log_noise) + problem.loss_shift


def _noise_that_fits(loss, n_outputs):
    """Logarithms of the noise scales, output by output, at the least loss."""
    log_noise = np.zeros(n_outputs)
    for output in range(n_outputs):

        def of_one(value, output=output):
            log_noise[output] = value
            return loss(log_noise)

        log_noise[output] = minimize_scalar(of_one, bounds=settings.LOG_NOISES).x
    return log_noise
