"""How outcomes scatter about their predictions, in units of the outcome.

The spread of a prediction itself, under the vectors' posterior; the noise, row by row;
and the residuals of rows that had no say in their predictions, which determine both the
noise and the shape of intervals.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from .. import _settings as settings
from .._data.rows import sample
from . import row_noise
from .drift import drift
from .intervals import NORMAL, left_open_without, rarity, residual_quantiles
from .leverage import is_seen_at_once, joint_leverage


def moments(fitted, encoded):
    """Prediction, its own variance and that of the noise, each (n_rows, n_outputs)."""
    f = fitted.predictor.outputs(encoded)
    own = own_variance(fitted, encoded, f)
    return outcome(fitted, f), own, noise_variance(fitted, encoded, f)


def quantiles(fitted, encoded, levels):
    """Quantiles of the outcome at these levels, each (n_rows, n_outputs).

    What lies beyond the range of numbers knows nothing of how rare tokens are: by its
    share of the variance, quantiles are those of rows of common tokens.
    """
    f = fitted.predictor.outputs(encoded)
    beyond = _beyond(fitted, encoded, f)
    own = _within(fitted, encoded) + beyond
    std = np.sqrt(own + noise_variance(fitted, encoded, f))
    share = beyond / np.maximum(np.square(std), 1e-300)
    residuals = fitted.residuals or NORMAL  # while a fit is under way
    predicted, rare = outcome(fitted, f), rarity_of(fitted, encoded)
    ends = []
    for level in levels:
        found, common = residuals.at(level, rare), residuals.at(level, np.zeros(1))
        end = predicted + (found + share * (common - found)) * std
        ends.append(np.maximum(end, 0.0) if fitted.likelihood.non_negative else end)
    return ends


def outcome(fitted, f):
    """Outcome that the network's output stands for."""
    return fitted.likelihood.mean(f) * fitted.scale + fitted.centre


def slope(fitted, f):
    """Derivative of the outcome by the network's output."""
    step = settings.SLOPE_STEP
    return (outcome(fitted, f + step) - outcome(fitted, f - step)) / (2.0 * step)


def own_variance(fitted, encoded, f):
    """Variance of the mean under the posterior of the vectors, and beyond the range."""
    return _within(fitted, encoded) + _beyond(fitted, encoded, f)


def _within(fitted, encoded):
    """The part of it that is the posterior's of the vectors."""
    link = partial(outcome, fitted)
    return np.square(fitted.predictor.moments(encoded, link))


def _beyond(fitted, encoded, f):
    """The part of it that lies beyond the range of numbers."""
    variance = fitted.beyond.variance(encoded.numbers)
    return variance * np.square(slope(fitted, f))


def noise_variance(fitted, encoded, f):
    """Variance of an outcome about its mean."""
    variance = _plain_noise(fitted, f)
    if fitted.row_noise is None:
        return variance
    return variance * np.exp(_log_factor(fitted, fitted.row_noise, encoded, f))


def _log_factor(fitted, noise, encoded, f):
    places = fitted.predictor.places(encoded)
    return noise.log_factor(places, encoded.blend and encoded.blend.factors, f)


def noise_scale(fitted):
    """Learned scale of the noise in units of the network's output; 1 if it has none."""
    if not fitted.likelihood.has_noise:
        return np.ones(fitted.architecture.n_outputs)
    log_noise = fitted.weights.dense["log_noise"].astype(np.float64)
    return np.exp(np.maximum(log_noise, settings.MIN_LOG_NOISE))


def rarity_of(fitted, encoded, own=0.0):
    """How rare the tokens of every row are."""
    counts = [index.code_counts for index in fitted.encoder.tokens]
    if encoded.blend is None:
        return rarity(encoded.codes, counts, own)
    factors, slots = encoded.blend
    at = np.flatnonzero(slots.block < len(counts))
    counts = [counts[block] for block in slots.block[at]]
    return rarity(encoded.codes[:, at], counts, own, factors[:, at])


def with_scatter(fitted, rows):
    """The network with its noise by row, its drift, and quantiles of its residuals.

    All are read from the rows that it was trained on: noise and quantiles as if each
    had been left out.
    """
    seen = _LookedBackAt(fitted, rows)
    noise, own = seen.row_noise()
    return replace(
        fitted,
        row_noise=noise,
        drift=seen.drift(noise),
        residuals=seen.quantiles(noise, own),
    )


def with_scatter_of(fitted, rows, calibration, before=None):
    """The same, where the network `before` had not been trained on some rows.

    Noise by row and drift are read from `rows`, the noise's size and the quantiles
    from the others. With `before` as None neither has the network itself been.
    """
    seen = _LookedBackAt(fitted, rows)
    noise, _ = seen.row_noise()
    fitted = replace(fitted, row_noise=noise, drift=seen.drift(noise))
    return recalibrated(fitted, calibration, before)


def recalibrated(fitted, rows, by=None):
    """The network with the size and shape of scatter that these rows have.

    Parameters
    ----------
    fitted : Fitted
    rows : Observations
    by : Fitted, default=None
        Predicts them: a network that was not trained on them. None: `fitted`.
    """
    by = fitted if by is None else by
    encoded, observed, weights = _sampled(rows)
    f = by.predictor.outputs(encoded)
    residual = observed - outcome(by, f)
    own, noise = own_variance(by, encoded, f), noise_variance(fitted, encoded, f)
    own_rows = 1.0 if by is not fitted else 0.0
    squares = np.square(residual) / np.maximum(own + noise, 1e-300)
    # The noise alone is known too little: the normal density counts as some rows.
    n = settings.NORMAL_ROWS
    factors = (weights @ squares + n) / (weights.sum() + n)
    rare = rarity_of(fitted, encoded, own_rows)
    std = np.sqrt(own + noise * factors)
    return replace(
        fitted,
        row_noise=fitted.row_noise.times(factors),
        residuals=residual_quantiles(residual, std, rare, weights),
    )


def up_to_date(fitted, rows):
    """The same by later rows, all at about one time: of a shift half is to last."""
    found = recalibrated(fitted, rows)
    return replace(found, residuals=found.residuals.lasting(fitted.residuals))


class _LookedBackAt:
    """Training rows, each as if it had not been in the fit."""

    def __init__(self, fitted, rows):
        self.fitted = fitted
        self.encoded, self.observed, self.weights = _sampled(rows)
        self.f = fitted.predictor.outputs(self.encoded)
        self.noise = _plain_noise(fitted, self.f)
        self.left_open = _left_open(fitted, self.encoded, self.f, self.noise)
        self.inflation = 1.0 + self.left_open
        if is_seen_at_once(fitted, self.encoded):
            noise = self.noise / np.square(slope(fitted, self.f))
            leverage = joint_leverage(fitted, self.encoded, self.weights, noise)
            self.inflation = 1.0 / (1.0 - leverage)
        self.residual = (self.observed - outcome(fitted, self.f)) * self.inflation

    def row_noise(self):
        """Noise by row, and what rows have added to their own."""
        encoder, encoded = self.fitted.encoder, self.encoded
        nothing = encoded.codes[:, :0], None
        direct = encoder.direct_blocks  # of the outcome only, not of its noise
        variance = np.maximum(self.noise * self.inflation, 1e-300)
        sizes = encoder.column_sizes
        return row_noise.learned(
            [
                nothing if block in direct else encoded.of_block(block)
                for block in range(len(sizes))
            ],
            sizes,
            encoder.n_token_blocks,
            self.f,
            np.square(self.residual) / variance,
            1.0 / self.inflation,
            self.weights,
        )

    def drift(self, row_noise):
        """How far outcomes drift along numbers, with this noise by row."""
        factor = np.exp(_log_factor(self.fitted, row_noise, self.encoded, self.f))
        noise = self.noise * factor
        rows = self.encoded, self.observed, noise, self.weights
        return drift(self.fitted, *rows)

    def quantiles(self, row_noise, own):
        """Quantiles of the residuals under this noise by row."""
        log_factor = _log_factor(self.fitted, row_noise, self.encoded, self.f)
        factor = np.exp(log_factor - own)
        std = np.sqrt(self.noise * (self.left_open + factor))
        rare = rarity_of(self.fitted, self.encoded, own=1.0)
        return residual_quantiles(self.residual, std, rare, self.weights)


def _sampled(rows):
    """Encoded rows, outcomes and weights of as many rows as are looked at."""
    blocks = [*rows.cells, rows.outcome]
    at, weights = sample(blocks, rows.weights, settings.NOISE_ROWS)
    return rows.encoded(at), rows.outcome[at], weights


def _left_open(fitted, encoded, f, noise):
    """As `left_open_without` has it, for every row and output."""
    by_f = np.square(slope(fitted, f))
    found, places = np.empty_like(f), fitted.predictor.places(encoded)
    for batch, by_row in fitted.predictor.slopes_by_row(encoded):
        found[batch] = left_open_without(
            np.square(by_row) * by_f[batch, :, None, None],
            1.0 / fitted.weights.table.precision[places[batch]],
            noise[batch],
        )
    return found


def _plain_noise(fitted, f):
    """Variance of the noise by the learned scale, the same for all rows or means."""
    variance = fitted.likelihood.variance(f, noise_scale(fitted))
    return variance * np.square(fitted.scale)
