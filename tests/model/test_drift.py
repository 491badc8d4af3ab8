"""How far outcomes drift along numbers, and what follows from it for later rows."""

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from skembed import EmbeddingRegressor
from skembed._data.additive import Effects, swept
from skembed._model.intervals import LEVELS, ResidualQuantiles

STEP = 4.0  # variance that the effect of a shop takes on in all of the time


def wandering(n, seed, step=STEP):
    """Sales of shops whose effects are random walks in time; rows in its order."""
    rng = np.random.default_rng(seed)
    time, shop = np.sort(rng.uniform(0, 1, n)), rng.integers(0, 60, n)
    walks = rng.normal(0, np.sqrt(step / 400), size=(400, 60)).cumsum(axis=0)
    effect = rng.normal(size=60)[shop] + walks[(400 * time).astype(int), shop]
    X = np.column_stack([shop.astype(str), 100.0 * time]).astype(object)
    return X, effect + 0.5 * rng.normal(size=n)


def regressor(**parameters):
    return EmbeddingRegressor(categorical_features=[0], random_state=0, **parameters)


def with_drift(model, drift):
    """The same estimator with another drift."""
    other = copy(model)
    other._fitted = replace(model._fitted, drift=drift)
    return other


def share_inside(model, X, y, coverage=0.8):
    low, high = model.predict_interval(X, coverage).T
    return np.mean((low <= y) & (y <= high))


@pytest.fixture(scope="module")
def shops():
    X, y = wandering(6_000, 0)
    return X, y, regressor().fit(X[:4_000], y[:4_000])


def test_the_walk_of_tokens_is_found(shops):
    _, _, model = shops
    found = model._fitted.drift * np.square(model._fitted.scale)
    knots = model._fitted.encoder.scales[0].knots
    per_distance = STEP * 4_000 / 6_000 / np.ptp(knots)
    assert found.shape == (2, 1, 1)
    assert (found > 0.5 * per_distance).all() and (found < 2.0 * per_distance).all()


def test_intervals_of_later_rows_hold_about_what_they_should(shops):
    X, y, model = shops
    later, none = (X[4_000:], y[4_000:]), with_drift(model, None)
    assert share_inside(none, *later) < 0.6
    assert share_inside(model, *later) == pytest.approx(0.8, abs=0.1)
    # Where rows were seen nothing is different.
    assert_array_equal(model.predict_std(X[:500]), none.predict_std(X[:500]))


def test_below_and_above_the_range_have_drifts_of_their_own(shops):
    X, _, model = shops
    rows = X[:3].copy()
    rows[:, 1] = [-60.0, 30.0, 160.0]
    none = with_drift(model, None)
    beyond, z = none._fitted.beyond, model._encoded(rows).numbers[:, 0]
    distance = np.maximum(z - beyond.high, beyond.low - z)
    for side, row in ((0, 0), (1, 2)):
        drift = np.zeros((2, 1, 1))
        drift[side] = 50.0
        squares = (m.predict_std(rows) ** 2 for m in (with_drift(model, drift), none))
        wanted = np.zeros(3)
        # The walk is the longer one, and not both.
        wanted[row] = (50.0 - beyond.walk[side, 0, 0]) * distance[row]
        more = np.subtract(*squares) / np.square(model._fitted.scale)
        assert_allclose(more, wanted, rtol=1e-6, atol=1e-9)


def test_where_nothing_drifts_next_to_nothing_is_found():
    X, y = wandering(6_000, 1, step=0.0)
    number = np.random.default_rng(0).normal(size=6_000)
    X = np.column_stack([X, number]).astype(object)
    y = y + number
    past = number < 1.0  # and a number that goes on as it was seen to
    model = regressor().fit(X[past], y[past])
    none = with_drift(model, None)
    before, now = (np.mean(m.predict_std(X[~past])) for m in (none, model))
    assert before < now < 2.0 * before
    # Time says nothing, so nothing is asked about it.
    assert (model._fitted.drift[:, 0] == 0).all()


def test_drift_is_that_of_copies_in_any_order(shops):
    X, y, _ = shops
    rng = np.random.default_rng(0)
    X, y = X[:600:2], y[:600:2]
    weights = rng.integers(1, 4, 300)
    order = rng.permutation(weights.sum())
    quick = {"epochs": 3, "hidden_layer_sizes": (4,)}
    one = regressor(**quick).fit(X, y, sample_weight=weights)
    many = X.repeat(weights, 0)[order], y.repeat(weights)[order]
    two = regressor(**quick).fit(*many)
    assert (one._fitted.drift > 0).any()
    assert_allclose(one._fitted.drift, two._fitted.drift, rtol=1e-4)


def test_missing_numbers_and_several_outputs(shops):
    X, y, _ = shops
    X = X[:1_500].copy()
    X[::7, 1] = np.nan
    Y = np.stack([y[:1_500], np.random.default_rng(0).normal(size=1_500)], axis=1)
    model = regressor(epochs=10).fit(X, Y)
    found = model._fitted.drift
    # The number and its indicator, below and above, for both outputs.
    assert found.shape == (2, 2, 2) and np.isfinite(found).all()
    assert (found[:, 1] == 0).all()  # the indicator has no range
    assert found[:, 0, 0].min() > 2 * found[:, 0, 1].max()
    std = model.predict_std(np.array([["1", np.nan], ["1", 30.0]], object))
    assert np.isfinite(std).all()


@pytest.mark.parametrize(
    "parameters", [{"loss": "poisson"}, {"prior": None}, {"hidden_layer_sizes": ()}]
)
def test_who_has_a_drift(shops, parameters):
    X, y, _ = shops
    model = regressor(epochs=2, **parameters).fit(X[:400], np.abs(y[:400]))
    has_one = parameters == {"hidden_layer_sizes": ()}
    assert (model._fitted.drift is not None) == has_one


def test_later_chunks_renew_the_drift_and_single_rows_keep_it(shops):
    X, y, _ = shops
    model = regressor(epochs=5).partial_fit(X[:800], y[:800])
    before = model._fitted.drift
    model.fold_in(X[800:810], y[800:810])
    assert_array_equal(model._fitted.drift, before)
    model.partial_fit(X[810:1600], y[810:1600])
    assert not np.array_equal(model._fitted.drift, before)


def test_rows_of_weight_0_are_predicted_and_not_learned():
    rng = np.random.default_rng(0)
    codes, effects = rng.integers(0, 20, 4_000), rng.normal(size=21)
    codes[-1] = 20  # never learned
    y = effects[codes] + 0.3 * rng.normal(size=4_000)
    weights = np.where(np.arange(4_000) < 3_000, 1.0, 0.0)
    one = Effects(codes, weights)
    rest = swept([one], y[:, None])
    assert np.var(rest[3_000:-1]) == pytest.approx(0.09, rel=0.15)
    assert rest[-1, 0] == y[-1]  # the prior's mean
    assert one.variance[0] == pytest.approx(np.var(effects[:20]), rel=0.2)
    uncertainty = one.uncertainty(np.array([0.09]))
    assert uncertainty[0, 0] == pytest.approx(0.09 / one.count[codes[0], 0], rel=0.05)
    assert uncertainty[-1, 0] == one.variance[0]
    y[3_000:] += 100.0
    changed = swept([Effects(codes, weights)], y[:, None])
    assert_allclose(changed[:3_000], rest[:3_000])


def test_half_of_a_shift_lasts_and_the_rest_is_scatter():
    normal = norm.ppf(LEVELS)
    at = np.array([0.1, 0.5])
    of_fit = ResidualQuantiles(at, np.stack([normal, 0.5 * normal])[None])
    assert_allclose(of_fit.lasting(of_fit).quantiles, of_fit.quantiles)
    shifted = replace(of_fit, quantiles=of_fit.quantiles + 2.0)
    found = shifted.lasting(of_fit)
    # The square of what is not believed to last is not lost.
    variance = np.square([1.0, 0.5]) + 2.0**2 - 1.0**2
    wanted = 1.0 + np.sqrt(variance)[:, None] * normal
    assert_allclose(found.quantiles[0], wanted)
    # Skewed ones stay in order.
    skewed = replace(of_fit, quantiles=np.exp(of_fit.quantiles) - 4.0)
    assert (np.diff(skewed.lasting(of_fit).quantiles, axis=2) > 0).all()
    # Said again, it is the same shift since fit.
    assert_allclose(shifted.lasting(found).quantiles[0], wanted)


def test_what_drifts_is_not_as_rare_tokens_are(shops):
    _, _, model = shops
    rare = np.stack([norm.ppf(LEVELS), 0.1 * norm.ppf(LEVELS)])
    other = with_drift(model, np.full((2, 1, 1), 1e6))
    other._fitted = replace(
        other._fitted, residuals=ResidualQuantiles(np.array([0.0, 1.0]), rare[None])
    )
    rows = np.array([["1", 50.0], ["new", 50.0], ["new", 200.0]], object)
    width = np.ptp(other.predict_interval(rows, 0.8), axis=1) / other.predict_std(rows)
    usual = 2 * norm.ppf(0.9)
    assert_allclose(width, usual * np.array([1.0, 0.1, 1.0]), rtol=0.05)
