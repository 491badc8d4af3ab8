"""The random part of training: order of the rows, and where noise is read.

All of it comes from a NumPy Generator as arrays, so the engine is plain arithmetic.
"""

from itertools import groupby
from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .order import order_of
from .schedule import steps_per_epoch


class Plan(NamedTuple):
    """The steps of one call of the engine.

    Attributes
    ----------
    order : ndarray of int32 of shape (n_steps, batch)
        Rows of the data.
    learning_rates : ndarray of float32 of shape (n_steps,)
        Of the dense weights, and of points, as their rule takes them.
    row_rates : ndarray of float32 of shape (n_steps,)
        1 / number of passes over a token's rows that move its vector fully.
    temper : ndarray of float32 of shape (n_steps,)
        Share of the posterior's spread that is drawn.
    offsets : ndarray of int32 of shape (n_steps,)
        Where in the pool the noise of a step starts.
    first_row : int32
        Rows of every batch that others have, before those that are here.
    per_observation : float32
        1 / weight of a batch.
    batch_share : float32
        Observations that a step stands for / weight of its batch.
    scale_paces : ndarray of float32 of shape (n_steps,)
        Shares of a full step of the priors; where 0, they stay.
    epoch_share : float32
        A step's part of an epoch.
    most_touched : int32
        Rows of the table that a step touches at most, where others have to know it.
    """

    order: np.ndarray
    learning_rates: np.ndarray
    row_rates: np.ndarray
    temper: np.ndarray
    offsets: np.ndarray
    first_row: np.int32
    per_observation: np.float32
    batch_share: np.float32
    scale_paces: np.ndarray
    epoch_share: np.float32
    most_touched: np.int32 = np.int32(0)


class Batches:
    """Plans of the steps to come.

    Parameters
    ----------
    problem : Problem
    options : Options
    rng : numpy.random.Generator

    Attributes
    ----------
    batch : int
        Rows per step, before it grows.
    n_steps_per_epoch : int
        Of such steps.
    pool : ndarray of float32
        Standard normal numbers that steps read their noise from.
    """

    def __init__(self, problem, options, rng):
        rows = problem.rows
        self.problem = problem
        self.options = options
        self.n_rows = rows.n_rows
        # Every shard gives a row at least.
        self.batch = max(min(options.batch_size, self.n_rows), rows.n_shards)
        self.n_steps_per_epoch = steps_per_epoch(rows.n_counted, options.batch_size)
        # Two of them: what is drawn does not depend on how many epochs a call trains.
        order_rng, self._noise_rng = rng.spawn(2)
        self._order = order_of(rows, self.batch, order_rng)
        architecture = problem.architecture
        per_row = rows.codes.shape[1] * architecture.width
        per_row *= architecture.tables.has_spread
        n_noise = self.batch * max(per_row, architecture.n_outputs)
        most = n_noise * self._most_times
        size = _pool_size(n_noise, most) if architecture.tables.has_spread else 1
        self.pool = rng.standard_normal(size, dtype=np.float32)
        self._last_offset = max(size - most, 0)

    def state(self):
        """What there is to keep of it."""
        return self._noise_rng, self._order.state()

    def restore(self, state):
        """Go on from what was kept."""
        self._noise_rng, order = state
        self._order.restore(order)

    @property
    def _most_times(self):
        """Batches that a step takes at most."""
        most = min(self.options.most_rows, settings.GROWN_SHARE * self.n_rows)
        return 1 << (max(1, int(most / self.batch)).bit_length() - 1)

    def _n_steps(self, times):
        """Steps of an epoch, of so many batches each."""
        return max(1, round(self.n_steps_per_epoch / times))

    def _times(self, n_epochs, schedule):
        """How many batches a step takes, in each of the next epochs."""
        starts = (schedule.after(i * self.n_steps_per_epoch) for i in range(n_epochs))
        return [min(1 << start.doublings, self._most_times) for start in starts]

    def epoch_means(self, values, n_epochs, schedule):
        """Means over the steps of each epoch.

        Parameters
        ----------
        values : list of ndarray
            One number per step, of the plans of these epochs.
        n_epochs, schedule
            As in `plans`.
        """
        ends = np.cumsum([self._n_steps(k) for k in self._times(n_epochs, schedule)])
        parts = np.split(np.concatenate(values), ends[:-1])
        return np.array([part.mean() for part in parts])

    def plans(self, n_epochs, schedule, first_step, rate_factor):
        """Plans of the next epochs, one for each stretch of rows that is in memory.

        Parameters
        ----------
        n_epochs : int
        schedule : Schedule
            Before the first of them, in steps of one batch.
        first_step : int
            Steps made before them.
        rate_factor : float

        Yields
        ------
        plan : Plan
        held : tuple of ndarrays or None
            The rows that its order is of, as `SpilledRows.block` gives them; None: all.
        """
        for times, alike in groupby(self._times(n_epochs, schedule)):
            n, n_steps = len(list(alike)), self._n_steps(times)
            now = schedule.in_steps(self.n_steps_per_epoch / n_steps)
            for order, held in self._order.stretches(n * n_steps, times):
                yield self._plan(order, now, first_step, rate_factor, times), held
                first_step += len(order)
                now = now.after(len(order))
            schedule = schedule.after(n * self.n_steps_per_epoch)

    def _plan(self, order, schedule, first_step, rate_factor, times):
        """Plan of steps over these rows, of `times` batches each."""
        n, n_steps = len(order), self._n_steps(times)
        options, total = self.options, self.problem.rows.total
        factors = schedule.factors(n)
        base = options.learning_rate
        if callable(base):
            base = np.array([base(first_step + i) for i in range(n)])
        # The noise of rules that divide by a gradient's size falls with the root of the
        # rows (Malladi et al. 2022, "On the SDEs and Scaling Rules for Adaptive
        # Gradient Algorithms", section 5).
        lifted = np.minimum(np.sqrt(times) * factors, 1.0)
        rates = options.rule.rates(lifted * base * rate_factor, first_step)
        batch_weight = times * self.batch * (total / self.n_rows)
        offsets = self._noise_rng.integers(0, self._last_offset + 1, n)
        return Plan(
            order=order,
            learning_rates=np.asarray(rates, np.float32),
            row_rates=factors * settings.ROW_RATE * rate_factor,
            temper=schedule.temper(n),
            offsets=offsets.astype(np.int32),
            first_row=np.int32(times * self._order.first_row),
            per_observation=np.float32(1.0 / batch_weight),
            batch_share=np.float32(total / n_steps / batch_weight),
            scale_paces=self._scale_paces(first_step + np.arange(n), n_steps),
            epoch_share=np.float32(1.0 / n_steps),
        )

    def _scale_paces(self, steps, n_steps):
        """Pace of the priors: few long steps cost less than many, and say as much."""
        pace = settings.SCALE_PACE / n_steps
        pace = min(pace, settings.MAX_SCALE_PACE)
        every = max(1, int(settings.SCALE_PACE_AT_ONCE / pace + 1e-9))
        is_time = (steps % every == 0) & (not self.problem.frozen)
        return np.where(is_time, np.float32(every * pace), np.float32(0.0))


def _pool_size(n_noise, most):
    """Normal numbers to draw from, where steps read `n_noise` of them, and `most`."""
    wanted = max(settings.POOL_STEPS * n_noise, settings.MIN_POOL, 2 * most)
    return min(wanted, max(settings.MAX_POOL, 2 * most))
