"""How many steps, how large, and when to stop: plain arithmetic."""

import math

import numpy as np

WARM = 0.3  # the warm-up of a posterior, where columns may interact
LEAST_STEPS = 1000  # that a fit of few rows makes
MAX_EPOCHS = 600  # of a table of so few rows that it has a step or two an epoch
LAST = 0.3  # of the epochs again, for the rows held back and all others


def warm_up(likelihood, n_columns):
    """Length of the warm-up of a posterior, and the share of its spread at the start.

    One column has nothing to interact with: its first-order term says it all. A noise
    scale that is still large holds the layers back while nothing else does; without
    one they would learn small tables by heart, so half of the spread is there at once.
    """
    if n_columns < 2:
        return 0.0, 1.0
    return WARM, (0.0 if likelihood.has_noise else 0.5)


def auto_batch_size(n):
    """Rows a step: about a hundred steps an epoch, from 32 to 8,192 rows."""
    if n <= 32:
        return max(int(math.ceil(n)), 1)
    size = 2.0 ** round(math.log2(n / 100.0))
    return int(min(max(size, 32.0), 8192.0))


def steps_per_epoch(n, batch_size):
    """Batches that make up an epoch of `n` rows."""
    return max(1, math.ceil(n / batch_size - 1e-9))


def auto_epochs(n, steps_per_epoch):
    """Epochs of the budget: enough steps for small data, few passes over large."""
    wanted = 40 * (1e5 / max(n, 1e5)) ** 0.3  # 40 up to 100,000 rows, 10 at 10 million
    least = LEAST_STEPS / steps_per_epoch
    return min(math.ceil(max(wanted, least)), MAX_EPOCHS)


class Schedule:
    """Learning rates of the steps to come, as multiples of the first rate.

    ``decay="cosine"`` warms up over the first 2 % of the steps and then falls along
    half a cosine to 0; after :meth:`finish` what is left of it is run through in a
    tenth of the steps made so far. ``decay="constant"`` stays at 1. `warm` is the part
    of the steps before a posterior is drawn at its full spread, `cold` the share of it
    that is drawn at first.
    """

    def __init__(self, decay, total_steps, warm=0.0, cold=0.0):
        self.decay = decay
        self.warm = warm
        self.cold = cold
        self.progress = 0.0
        self.pace = 1.0 / total_steps
        self.steps = 0
        self.finishing = False

    def over(self, total_steps):
        """A schedule of the same shape and another length."""
        return Schedule(self.decay, total_steps, self.warm, self.cold)

    def epochs_left(self, steps_per_epoch):
        """Epochs until it is done."""
        left = (1.0 - self.progress) / (self.pace * steps_per_epoch)
        return max(1, math.ceil(left - 1e-6))

    @property
    def done(self):
        return self.progress >= 1.0 - 1e-9

    def finish(self, steps_per_epoch):
        """Bring the run to its end."""
        if self.decay == "constant":
            self.progress = 1.0
        elif not self.finishing:
            epochs = max(1, round(0.1 * self.steps / steps_per_epoch))
            left = (1.0 - self.progress) / (epochs * steps_per_epoch)
            self.pace = max(self.pace, left)
        self.finishing = True

    def temper(self, n):
        """Share of the posterior's spread that the next `n` steps draw.

        It grows to 1: an interaction of two columns is a saddle at vectors of 0, and
        under full noise they would fall back to the prior before it was found.
        """
        at = self.progress + self.pace * (np.arange(n) + 0.5)
        grown = np.minimum(at / max(self.warm, 1e-9), 1.0)
        return (self.cold + (1.0 - self.cold) * grown).astype(np.float32)

    def take(self, n):
        """Multipliers of the next `n` steps."""
        at = self.progress + self.pace * (np.arange(n) + 0.5)
        self.progress += n * self.pace
        self.steps += n
        if self.decay == "constant":
            return np.ones(n, np.float32)
        rate = 0.5 * (1.0 + np.cos(np.pi * np.minimum(at, 1.0)))
        return (rate * np.minimum(1.0, at / 0.02 + 1e-3)).astype(np.float32)


class StopRule:
    """Whether the objective has stopped falling.

    Compares the best loss of the last `patience` epochs with the best before them.
    """

    def __init__(self, tol, patience):
        self.tol = tol
        self.patience = patience

    def __call__(self, losses):
        if self.tol is None or len(losses) <= self.patience:
            return False
        return min(losses[-self.patience :]) > min(losses[: -self.patience]) - self.tol
