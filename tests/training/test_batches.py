"""Batches: what steps take of the rows, and how that grows."""

from dataclasses import replace

import numpy as np
import pytest
from keras.optimizers.schedules import ExponentialDecay

from skembed import EmbeddingRegressor
from skembed import _settings as settings
from skembed._training.batches import Batches
from skembed._training.schedule import Schedule


class Asked(EmbeddingRegressor):
    """A regressor that keeps the phases of its fit."""

    def _phases(self, *args):
        phases, calibration = super()._phases(*args)
        type(self).main = phases[1]
        return phases, calibration


@pytest.fixture(scope="module")
def rows():
    """A table of 1,500 rows that are all different, and its outcome."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 20, (1500, 2)).astype(str).astype(object)
    X = np.column_stack([tokens, rng.normal(size=1500)])
    return X, rng.normal(size=1500)


def main_phase(rows, **params):
    params = {"categorical_features": [0, 1], **params}
    Asked(random_state=0, **params).fit(*rows)
    return Asked.main


def plans_of(phase, n_epochs, calls=1):
    """Plans of a whole schedule of `n_epochs`, asked for in so many calls."""
    batches = Batches(phase.problem, phase.options, np.random.default_rng(0))
    per_epoch = batches.n_steps_per_epoch
    schedule = Schedule.over(n_epochs * per_epoch, "cosine")
    plans, n = [], n_epochs // calls
    for _ in range(calls):
        first = sum(len(plan.order) for plan in plans)
        plans += [plan for plan, _ in batches.plans(n, schedule, first, 1.0)]
        schedule = schedule.after(n * per_epoch)
    assert schedule.done
    return plans


def test_batches_grow_while_the_rate_falls(rows):
    phase = main_phase(rows)
    start = phase.options.batch_size
    plans = plans_of(phase, 10)
    sizes = [plan.order.shape for plan in plans]
    # 1,500 rows are 47 batches of 32: three epochs of them, two, two, and three.
    assert start == 32
    assert sizes == [(3 * 47, 32), (2 * 24, 64), (2 * 12, 128), (3 * 6, 256)]
    for plan in plans:
        n, rows_of_step = plan.order.shape
        assert plan.epoch_share == pytest.approx(rows_of_step / 1500, rel=0.05)
        assert plan.batch_share == pytest.approx(1.0, rel=0.05)
        assert plan.per_observation == pytest.approx(1.0 / rows_of_step)
        assert len(plan.learning_rates) == len(plan.offsets) == n
    # Next to no row waits longer than an epoch.
    seen = np.concatenate([plan.order.ravel() for plan in plans])
    counts = np.bincount(seen, minlength=1500)
    assert counts.min() >= 9 and counts.max() <= 11


def test_rates_rise_with_the_root_of_the_batch(rows):
    phase = main_phase(rows)
    options = replace(phase.options, rule=phase.options.rule._replace(name="sgd"))
    _, before, after, _ = plans_of(replace(phase, options=options), 10)
    last, first = before.learning_rates[-1], after.learning_rates[0]
    cosine = before.row_rates[-1] / after.row_rates[0]
    assert first / last * cosine == pytest.approx(np.sqrt(2.0), rel=1e-5)


def test_batches_do_not_depend_on_the_epochs_of_a_call(rows):
    phase = main_phase(rows)
    at_once, one_by_one = plans_of(phase, 10), plans_of(phase, 10, calls=10)
    for name in ("order", "offsets"):
        together, apart = (
            np.concatenate([getattr(plan, name).ravel() for plan in plans])
            for plans in (at_once, one_by_one)
        )
        np.testing.assert_array_equal(together, apart)
    together, apart = (
        np.concatenate([plan.learning_rates for plan in plans])
        for plans in (at_once, one_by_one)
    )
    np.testing.assert_allclose(together, apart, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    "params",
    [
        {"batch_size": 50},
        {"learning_rate": ExponentialDecay(1e-3, 100, 0.9)},
        {"batch_size": 1500},
        {"epochs": 10},
    ],
    ids=["a size", "a rate", "all rows", "epochs"],
)
def test_batches_that_are_told_stay(rows, params):
    phase = main_phase(rows, **params)
    batches = Batches(phase.problem, phase.options, np.random.default_rng(0))
    plans = [
        plan
        for plan, _ in batches.plans(phase.options.epochs, phase.options.schedule, 0, 1)
    ]
    assert {plan.order.shape[1] for plan in plans} == {phase.options.batch_size}


def test_batches_stay_below_a_quarter_of_the_rows_and_a_limit(rows):
    X, y = rows
    few = main_phase((X[:300], y[:300]))
    assert max(plan.order.shape[1] for plan in plans_of(few, 10)) == 64
    phase = main_phase(rows)
    options = replace(phase.options, batch_size=16, most_rows=settings.GROWN_MOST)
    sizes = [
        plan.order.shape[1] for plan in plans_of(replace(phase, options=options), 10)
    ]
    assert sizes == [16, 32, 64, 128]
    options = replace(phase.options, most_rows=100)
    sizes = [
        plan.order.shape[1] for plan in plans_of(replace(phase, options=options), 10)
    ]
    assert sizes == [32, 64]


def test_losses_are_means_of_epochs(rows):
    phase = main_phase(rows)
    batches = Batches(phase.problem, phase.options, np.random.default_rng(0))
    schedule = Schedule.over(10 * batches.n_steps_per_epoch, "cosine")
    n_steps = [47] * 3 + [24] * 2 + [12] * 2 + [6] * 3
    values = np.repeat(np.arange(10.0), n_steps)
    means = batches.epoch_means(np.array_split(values, 4), 10, schedule)
    np.testing.assert_array_equal(means, np.arange(10.0))
