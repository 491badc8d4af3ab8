"""Noise that depends on the row: its logarithm as a sum of effects.

    log variance of the noise = constant + effect of each token + effect of each
    number's bin + effect of the prediction's bin

Effects are normal about 0, with one scale per column that the evidence finds, so they
go to 0 where all tokens scatter alike. Squares of residuals about their variance are a
regression with a logarithmic link (Smyth 1989, "Generalized linear models with varying
dispersion", section 3); its posterior is found column by column, with the scores and
the Fisher information of the quasi-likelihood whose dispersion the residuals have:
2 where they are normal, more where their tails are heavier.
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import _settings as settings
from .likelihoods import weighted_quantile

TINY = 1e-12


@dataclass(frozen=True, eq=False)
class RowNoise:
    """Effects on the logarithm of the noise's variance.

    Attributes
    ----------
    by_token : ndarray of float32 of shape (n_table_rows, n_outputs)
        Of every row of the table of vectors: of a token, or of a number's bin.
    cuts : list of ndarray of shape (n_cuts,)
        Outputs of the network between the bins of the prediction, output by output.
    by_prediction : list of ndarray of shape (n_cuts + 1,)
        Effects of these bins, the constant included.
    """

    by_token: np.ndarray
    cuts: list
    by_prediction: list

    def log_factor(self, at, factors, f):
        """What is added to the log variance, (n_rows, n_outputs).

        Parameters
        ----------
        at : ndarray of int of shape (n_rows, n_slots)
            Positions of table rows.
        factors : ndarray of shape (n_rows, n_slots) or None
            What their effects are multiplied by; None: by 1.
        f : ndarray of shape (n_rows, n_outputs)
            Outputs of the network.
        """
        found = self.by_token[at].astype(np.float64)
        if factors is not None:
            found *= factors[:, :, None]
        found = found.sum(axis=1)
        for output, cuts in enumerate(self.cuts):
            bins = np.searchsorted(cuts, f[:, output], side="right")
            found[:, output] += self.by_prediction[output][bins]
        return found

    def times(self, factors):
        """The same with the variances of the outputs times these factors."""
        pairs = zip(self.by_prediction, np.log(factors), strict=True)
        return replace(self, by_prediction=[table + shift for table, shift in pairs])

    def rows(self, at):
        """The same for the table rows at these positions."""
        return replace(self, by_token=self.by_token[at])


def learned(columns, sizes, n_token_blocks, f, squares, share, weights):
    """Learn the effects from residuals of rows that had no say in their predictions.

    Parameters
    ----------
    columns : list of (codes, factors)
        Of each block of the table: which of its rows each row has, (n_rows, n_slots),
        and what their effects are multiplied by, or None for ones.
    sizes : list of int
        Number of table rows of each block.
    n_token_blocks : int
        The first blocks; the others are bins of numbers.
    f : ndarray of shape (n_rows, n_outputs)
        Outputs of the network.
    squares : ndarray of shape (n_rows, n_outputs)
        Squared residuals over their variances, those of the predictions included.
    share : ndarray of shape (n_rows, n_outputs)
        Share of the noise in these variances.
    weights : ndarray of shape (n_rows,)

    Returns
    -------
    noise : RowNoise
    own : ndarray of shape (n_rows, n_outputs)
        What each row has added to its own log variance. A copy counts as a row.
    """
    offsets = np.cumsum([0, *sizes])[:-1]
    groups = [
        np.arange(size) if k < n_token_blocks else coarse(size, settings.NOISE_BINS)
        for k, size in enumerate(sizes)
    ]
    pairs = zip(groups, columns, strict=True)
    columns = [(group[codes], factors) for group, (codes, factors) in pairs]
    by_token = np.zeros((sum(sizes), f.shape[1]), np.float32)
    own = np.empty_like(squares)
    cuts, by_prediction = [], []
    for output in range(f.shape[1]):
        levels = np.linspace(0.0, 1.0, settings.NOISE_CUTS + 1)[1:-1]
        cuts.append(_between(f[:, output], weights, levels))
        predicted = np.searchsorted(cuts[-1], f[:, output], side="right")
        found, constant, own[:, output] = _additive(
            [*columns, (predicted[:, None], None)],
            squares[:, output],
            share[:, output],
            weights,
        )
        *of_columns, of_prediction = found
        for k, (group, effects) in enumerate(zip(groups, of_columns, strict=True)):
            if not effects.codes.size:  # a block that the noise leaves alone
                continue
            rows = slice(offsets[k], offsets[k] + sizes[k])
            by_token[rows, output] = effects.of(group)
        of_bins = of_prediction.of(np.arange(len(cuts[-1]) + 1))
        by_prediction.append(of_bins + constant)
    return RowNoise(by_token, cuts, by_prediction), own


def _between(f, weights, levels):
    """Cuts at these levels, halfway between outputs, where rounding moves none."""
    distinct = np.unique(f)
    at = np.searchsorted(distinct, weighted_quantile(f, weights, levels))
    at = np.unique(np.minimum(at, len(distinct) - 2)) if len(distinct) > 1 else at[:0]
    return 0.5 * (distinct[at] + distinct[at + 1])


def coarse(size, most):
    """Which of at most so many ranges each bin of a number is in; the last is apart."""
    if size - 1 <= most:
        return np.arange(size)
    bins = np.arange(size - 1) * most // (size - 1)
    return np.append(bins, most)


class _Effects:
    """Effects of one block of the table, and their scale."""

    def __init__(self, codes, factors):
        self.codes = codes
        self.factors = np.ones(codes.shape) if factors is None else factors
        self.n = int(codes.max(initial=0)) + 1
        self.mean = np.zeros(self.n)
        self.precision = np.ones(self.n)
        self.log_scale = np.log(settings.NOISE_START)

    def of(self, codes):
        """Log of the mean factor of these effects; one never seen is all prior."""
        seen = codes < self.n
        at = np.where(seen, codes, 0)
        mean = np.where(seen, self.mean[at], 0.0)
        spread = np.where(seen, 1.0 / self.precision[at], np.exp(2.0 * self.log_scale))
        return mean + 0.5 * spread

    def own(self, score, information):
        """What rows have added to their own effects, by a step without them."""
        square = np.square(self.factors)
        without = np.maximum(
            self.precision[self.codes] - square * information[:, None],
            np.exp(-2.0 * self.log_scale),
        )
        return score * (square / without).sum(axis=1)

    def step(self, score, information):
        """A step of the posterior and of its scale; how much each row's effect moved.

        Scales take steps of Fisher scoring on the evidence, as those of vectors do.
        """
        score = self._summed(self.factors * score[:, None])
        information = self._summed(np.square(self.factors) * information[:, None])
        target = information * self.mean + score
        for _ in range(settings.NOISE_SCALE_STEPS):
            prior = np.exp(-2.0 * self.log_scale)
            precision = information + prior
            known = information / precision
            seen = np.square(target / precision) * prior * (information > 0)
            against = np.square(np.exp(self.log_scale) / settings.NOISE_SPREAD)
            excess = 0.5 * np.sum(seen - known) - against
            change = excess / (np.sum(np.square(known)) + TINY)
            self.log_scale += np.clip(change, -0.5, 0.5)
            self.log_scale = max(self.log_scale, settings.MIN_LOG_SCALE)
        self.precision = information + np.exp(-2.0 * self.log_scale)
        before = self.mean
        self.mean = np.clip(target / self.precision, before - 1.0, before + 1.0)
        return ((self.mean - before)[self.codes] * self.factors).sum(axis=1)

    def _summed(self, values):
        return np.bincount(self.codes.ravel(), values.ravel(), self.n)


def _additive(columns, squares, share, weights):
    """Effects of each column, the constant, and what rows add to their own."""
    effects = [_Effects(*column) for column in columns]
    total, constant, dispersion = np.zeros(len(squares)), 0.0, 2.0

    def score():
        """Score and Fisher information of every row, by its log variance."""
        variance = share * np.exp(constant + total) + (1.0 - share)
        of_noise = 1.0 - (1.0 - share) / variance
        error = squares / variance - 1.0
        return weights * of_noise * error, weights * np.square(of_noise), error

    for _ in range(settings.NOISE_PASSES):
        by_row, information, error = score()
        constant += np.clip(by_row.sum() / (information.sum() + TINY), -0.5, 0.5)
        spread = np.average(np.square(error), weights=information + TINY)
        dispersion = max(2.0, spread)
        for column in effects:
            by_row, information, _ = score()
            total += column.step(by_row / dispersion, information / dispersion)
    by_row, information, _ = score()
    by_one, of_one = (part / dispersion / weights for part in (by_row, information))
    own = sum(column.own(by_one, of_one) for column in effects)
    return effects, constant, own
