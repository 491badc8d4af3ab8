"""Log-odds brought up to date: a slope and shifts, learned on labelled rows."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, softmax

from .. import _settings as settings


@dataclass(frozen=True, eq=False)
class LogOdds:
    """Log-odds times a slope and plus a shift.

    Attributes
    ----------
    slope : ndarray of shape (n_outputs,)
        Below 1 where predictions had been too sure.
    shift : ndarray of shape (n_outputs,)
    """

    slope: np.ndarray
    shift: np.ndarray

    def __call__(self, f):
        """Calibrated log-odds."""
        return f * self.slope + self.shift

    @classmethod
    def learned(cls, likelihood, f, targets, weights):
        """Learn them from log-odds and what has happened.

        They maximise the likelihood times normal densities of the logarithms of the
        slopes and of the shifts, so that a few rows change little (Platt 1999,
        "Probabilistic outputs for support vector machines"; Guo et al. 2017, "On
        calibration of modern neural networks", section 4.2).

        Parameters
        ----------
        likelihood : Likelihood
            Of classes, which share a slope; or of ones in every output.
        f : ndarray of shape (n_rows, n_outputs)
        targets : ndarray of shape (n_rows, n_outputs)
            0 or 1.
        weights : ndarray of shape (n_rows,)
        """
        if likelihood.name == "categorical":
            slope, shift = _fitted(_of_classes, f, targets, weights)
            return cls(np.repeat(slope, f.shape[1]), shift)
        each = [
            _fitted(_of_ones, f[:, [j]], targets[:, [j]], weights)
            for j in range(f.shape[1])
        ]
        slopes, shifts = (np.concatenate(parts) for parts in zip(*each, strict=True))
        return cls(slopes, shifts)


def _of_classes(f, targets):
    """Negative log-likelihood of each row, and its slope by the log-odds."""
    loss = np.logaddexp.reduce(f, axis=1) - (targets * f).sum(axis=1)
    return loss, softmax(f, axis=1) - targets


def _of_ones(f, targets):
    """The same for zeros and ones."""
    return (np.logaddexp(0.0, f) - targets * f).sum(axis=1), expit(f) - targets


def _fitted(misfit, f, targets, weights):
    """Slope (1,) and shifts (n_outputs,)."""
    spread = settings.CALIBRATION_SPREAD

    def objective(x):
        slope, shift = np.exp(x[0]), x[1:]
        loss, by_f = misfit(slope * f + shift, targets)
        loss, by_f = weights @ loss, by_f * weights[:, None]
        gradient = np.append((by_f * f).sum() * slope, by_f.sum(axis=0))
        penalty = 0.5 * np.sum(np.square(x / spread))
        return loss + penalty, gradient + x / np.square(spread)

    start = np.zeros(1 + f.shape[1])
    found = minimize(objective, start, jac=True, method="L-BFGS-B").x
    return np.exp(found[:1]), found[1:]
