"""How far outcomes drift along numbers, judged by rows ahead of those that are learned.

Inside the range of a date every row has neighbours in time, and a fit that follows them
cannot know how much of what it has learned will be true tomorrow. So an additive fit
(`_data.additive`) learns the rows up to some value of a number and predicts those
beyond it, from several origins (Tashman 2000, "Out-of-sample tests of forecasting
accuracy"). By how much its squared errors there exceed what it expects, and what it
errs on the same rows where it learns all others, is what drifts: trends, effects of
tokens, interactions, seasons that were not seen. As that of a random walk, its variance
is taken to grow in proportion to the distance.

An additive fit misses interactions, also inside the range. Whether the interactions
that a network has found hold beyond it, nobody knows: `settings.DRIFT_MISSED` of them
is taken to be lost.
"""

from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .._data.additive import Effects, swept
from .._data.rows import sample
from .likelihoods import weighted_quantile
from .row_noise import coarse

MOST, LEAST = 0.95, 0.2  # share of rows that can be learned from


def drift(fitted, encoded, observed, noise, weights):
    """Variance of the output that comes with a distance of 1 beyond each number.

    Parameters
    ----------
    fitted : Fitted
    encoded : Encoded
        Training rows.
    observed : ndarray of shape (n_rows, n_outputs)
        Their outcomes.
    noise : ndarray of shape (n_rows, n_outputs)
        Variance of an outcome about what the network predicts.
    weights : ndarray of shape (n_rows,)

    Returns
    -------
    drift : ndarray of shape (2, n_numbers, n_outputs), or None
        Below the range of each number, and above it. None where outcomes are no linear
        function of the output, or no number says anything.
    """
    columns = [] if fitted.likelihood.bends else _telling(fitted)
    if not columns:
        return None
    blocks = [encoded.codes, encoded.numbers, observed]
    at, weights = sample(blocks, weights, settings.DRIFT_ROWS)
    encoded, noise = encoded.rows(at), noise[at] / np.square(fitted.scale)
    outcome = (observed[at] - fitted.centre) / fitted.scale
    bins, codes = _codes(fitted.encoder, encoded, columns)
    expected = _expected(codes, outcome, noise, weights)
    found = np.zeros((2, encoded.numbers.shape[1], outcome.shape[1]))
    for k, column in enumerate(columns, codes.shape[1] - len(columns)):
        z = encoded.numbers[:, column.place]
        known = bins[:, column.bins] != column.missing
        for side, sign in enumerate((-1, 1)):
            total, distance = 0.0, 0.0
            for past, end in _origins(sign * z, known, weights):
                last = sign * (sign * codes[past & known, k]).max()
                excess = _ahead(codes, k, last, past, outcome, expected, weights)
                total = total + excess
                distance += weights[~past] @ (sign * z[~past] - end)
            if distance > 0.0:
                found[side, column.place] = np.maximum(total / distance, 0.0)
    return found


class _Column(NamedTuple):
    """A number that is looked at.

    Attributes
    ----------
    place : int
        Where it is among the numbers.
    bins : int
        Where its bins are among those of all numbers.
    missing : int
        The bin of missing values.
    """

    place: int
    bins: int
    missing: int


def _telling(fitted):
    """The numbers with bins that say something, at most so many."""
    encoder = fitted.encoder
    share = fitted.importances[~encoder.is_categorical]
    places = encoder.number_places
    found = []
    for bins, (j, scale) in enumerate(encoder.binned):
        if share[j] >= settings.DRIFT_LEAST:
            column = _Column(places[j][0], bins, scale.n_bins - 1)
            found.append((share[j], column))
    found.sort(key=lambda pair: (-pair[0], pair[1].place))
    return sorted(column for _, column in found[: settings.DRIFT_NUMBERS])


def _codes(encoder, encoded, columns):
    """Bins of all numbers; and codes of tokens, and of these numbers in coarse bins."""
    codes = encoder.codes_by_column(encoded)
    tokens, bins = np.split(codes, [codes.shape[1] - len(encoder.binned)], axis=1)
    few = [
        coarse(column.missing + 1, settings.NOISE_BINS)[bins[:, column.bins]]
        for column in columns
    ]
    return bins, np.concatenate([tokens, np.stack(few, axis=1)], axis=1)


def _expected(codes, outcome, noise, weights):
    """Squared error about what is known of the effects, inside the range."""
    rest, effects, own_noise = _fit(codes, outcome, weights)
    share = sum(
        h / (1.0 - h)
        for h in (
            np.minimum(one.uncertainty(own_noise) / own_noise, settings.MAX_LEVERAGE)
            for one in effects
        )
    )
    without = np.square(rest * (1.0 + share)) - share * own_noise
    lost = settings.DRIFT_MISSED
    return lost * noise + (1.0 - lost) * without


def _origins(z, known, weights):
    """Yield which rows are learned, and where they end, for a number that rises."""
    for share in settings.DRIFT_CUTS:
        end = weighted_quantile(z[known], weights[known], share)
        past = (z <= end) | ~known
        if LEAST <= np.average(past, weights=weights) <= MOST:
            yield past, end


def _ahead(codes, k, last, past, outcome, expected, weights):
    """By how much squared errors of later rows exceed what is expected, summed.

    They are predicted with the last bin of column `k` that was learned, as in `f`.
    """
    codes, ahead = codes.copy(), ~past
    codes[ahead, k] = last
    rest, effects, noise = _fit(codes, outcome, np.where(past, weights, 0.0))
    known = sum(one.uncertainty(noise) for one in effects)
    return weights[ahead] @ (np.square(rest) - known - expected)[ahead]


def _fit(codes, outcome, weights):
    """Residuals, effects and noise of an additive fit."""
    effects = [Effects(column, weights) for column in codes.T]
    rest = swept(effects, outcome - np.average(outcome, axis=0, weights=weights))
    noise = np.average(np.square(rest), axis=0, weights=weights)
    return rest, effects, np.maximum(noise, 1e-300)
