"""How many steps, how large, and when to stop: plain arithmetic."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .. import _settings as settings


class WarmUp(NamedTuple):
    """How the share of a posterior's spread that is drawn grows to 1.

    Attributes
    ----------
    part : float
        Part of a schedule before all of it is drawn; 0: all from the start.
    power : float
        Of the way, by which it grows from 0.
    """

    part: float = 0.0
    power: float = 1.0

    @classmethod
    def of(cls, n_columns, n_rows):
        """That of a fit.

        One column has nothing to interact with: its first-order term says it all. An
        interaction that is weaker than others is found after them, and needs more time
        before the noise drowns it. Many rows find it anyway; layers of few rows would
        learn by heart what they read without noise, and find none.
        """
        if n_columns < 2:
            return ALL_DRAWN
        few, many = settings.WARM_UP_ROWS
        slower = settings.WARM_UP_POWER * min(1.0, n_rows / few, many / n_rows)
        return cls(settings.NOISE_WARM_UP, 1.0 + slower)

    def drawn(self, places):
        """Shares at places of a schedule."""
        if not self.part:
            return np.ones_like(places)
        return np.minimum(places / self.part, 1.0) ** self.power


ALL_DRAWN = WarmUp()


def auto_batch_size(n, n_shards=1):
    """Rows per step: about a hundred steps per epoch, from 32 to 8,192 rows.

    Each of several shards may give more: a step has to outlast what is exchanged in it.
    """
    if n <= settings.MIN_BATCH:
        return max(int(math.ceil(n)), 1)
    most = settings.MAX_BATCH
    if n_shards > 1:
        most = n_shards * settings.MAX_BATCH_OF_SHARD
    size = 2.0 ** round(math.log2(n / settings.STEPS_PER_EPOCH))
    return int(min(max(size, settings.MIN_BATCH), most))


def steps_per_epoch(n, batch_size):
    """Batches that make up an epoch of `n` rows."""
    return max(1, math.ceil(n / batch_size - 1e-9))


def auto_epochs(n, steps_per_epoch):
    """Epochs of the budget: enough steps for small data, few passes over large."""
    rows = settings.EPOCHS_ROWS
    wanted = settings.EPOCHS * (rows / max(n, rows)) ** settings.EPOCHS_POWER
    least = settings.LEAST_STEPS / steps_per_epoch
    return min(math.ceil(max(wanted, least)), settings.MAX_EPOCHS)


@dataclass(frozen=True)
class Schedule:
    """Learning rates of the steps to come, as multiples of the first rate.

    ``decay="cosine"`` warms up and then falls along half a cosine to 0; after
    :meth:`finish` what is left of it is run through in a tenth of the steps made so
    far. ``decay="constant"`` stays at 1.

    Attributes
    ----------
    decay : {"cosine", "constant"}
    pace : float
        Part of the schedule that a step runs through.
    warm_up : WarmUp
        Of a posterior.
    progress : float
        Part of it that has been run through.
    n_steps : int
        Steps made so far.
    finishing : bool
        Whether it was brought to its end.
    """

    decay: str
    pace: float
    warm_up: WarmUp = ALL_DRAWN
    progress: float = 0.0
    n_steps: int = 0
    finishing: bool = False

    @classmethod
    def over(cls, n_steps, decay, warm_up=ALL_DRAWN):
        """Schedule of so many steps."""
        return cls(decay, 1.0 / n_steps, warm_up)

    def epochs_left(self, steps_per_epoch):
        """Epochs until it is done."""
        left = (1.0 - self.progress) / (self.pace * steps_per_epoch)
        return max(1, math.ceil(left - 1e-6))

    @property
    def done(self):
        """Whether all of it has been run through."""
        return self.progress >= 1.0 - 1e-9

    @property
    def doublings(self):
        """How often batches that grow are twice as large by now.

        Late in training the rate is low already, and batches that grow do the same as a
        rate that falls, in fewer steps (Smith et al. 2018, "Don't Decay the Learning
        Rate, Increase the Batch Size").
        """
        if self.decay == "constant":
            return 0
        return sum(self.progress > after - 1e-9 for after in settings.GROWN_AFTER)

    def in_steps(self, times):
        """Schedule of steps that are so many times as large."""
        return replace(self, pace=times * self.pace)

    def finish(self, steps_per_epoch):
        """Schedule that comes to its end soon."""
        if self.decay == "constant":
            return replace(self, progress=1.0, finishing=True)
        epochs = max(1, round(settings.FINISH * self.n_steps / steps_per_epoch))
        left = (1.0 - self.progress) / (epochs * steps_per_epoch)
        return replace(self, pace=max(self.pace, left), finishing=True)

    def after(self, n):
        """Schedule `n` steps later."""
        progress = self.progress + n * self.pace
        return replace(self, progress=progress, n_steps=self.n_steps + n)

    def temper(self, n):
        """Share of the posterior's spread that the next `n` steps draw.

        It grows to 1: an interaction of two columns is a saddle at vectors of 0, and
        under full noise they would fall back to the prior before it was found.
        """
        return self.warm_up.drawn(self._places(n)).astype(np.float32)

    def factors(self, n):
        """Multipliers of the next `n` steps' learning rates."""
        if self.decay == "constant":
            return np.ones(n, np.float32)
        at = self._places(n)
        rate = 0.5 * (1.0 + np.cos(np.pi * np.minimum(at, 1.0)))
        rising = np.minimum(1.0, at / settings.RATE_WARM_UP + 1e-3)
        return (rate * rising).astype(np.float32)

    def _places(self, n):
        """Places of the middles of the next `n` steps, from 0 to 1."""
        return self.progress + self.pace * (np.arange(n) + 0.5)


@dataclass(frozen=True)
class StopRule:
    """Whether the objective has stopped falling.

    Compares the best loss of the last `patience` epochs with the best before them; with
    a `tol` of None it never stops.
    """

    tol: float | None
    patience: int

    def __call__(self, losses):
        """Decide it from the losses of all epochs."""
        if self.tol is None or len(losses) <= self.patience:
            return False
        return min(losses[-self.patience :]) > min(losses[: -self.patience]) - self.tol
