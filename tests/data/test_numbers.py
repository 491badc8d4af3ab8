"""Scaling and binning of a numeric column."""

import numpy as np
import pandas as pd
import pytest

from skembed import EmbeddingRegressor
from skembed._data.numbers import NumberScale, places
from skembed._settings import MAX_BINS, MAX_KNOTS, ROWS_PER_BIN


def scale_of(values, weights=None):
    values = np.asarray(values, float)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    return NumberScale(values, weights)


@pytest.fixture
def values():
    return np.random.default_rng(0).gamma(2.0, 3.0, 5_000)


def test_small_deviations_are_standardised(values):
    scale = scale_of(values)
    at = values.mean() + 0.01 * values.std()
    np.testing.assert_allclose(scale.transform(np.array([at]))[0], 0.01, rtol=1e-2)


def test_outliers_end_at_three_standard_deviations_and_keep_their_order(values):
    z = scale_of(values).squash(np.array([-1e9, 0.0, 50.0, 1e4, 1e9]))
    assert (np.diff(z) > 0).all()
    np.testing.assert_allclose(z[[0, -1]], [-3.0, 3.0], atol=1e-6)


def test_missing_values_become_zero_with_an_indicator():
    z, missing = scale_of([1.0, np.nan, 3.0]).transform(np.array([3.0, np.nan]))
    assert z[1] == 0.0
    assert missing.tolist() == [0.0, 1.0]


def test_no_indicator_without_missing_values_in_fit():
    (z,) = scale_of([1.0, 2.0, 3.0]).transform(np.array([2.0, np.nan]))
    assert z.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("column", [[5.0] * 4, [np.nan] * 4])
def test_constant_and_empty_columns_are_zeros(column):
    scale = scale_of(column)
    assert not np.any(scale.transform(np.array(column))[0])
    assert len(scale.knots) == 0


def test_few_distinct_values_get_a_bin_each():
    scale = scale_of([1.0, 2.0, 5.0, 2.0] * 4)
    asked = np.array([1.0, 2.0, 5.0, 4.9, -7.0, np.nan])
    assert scale.bins(asked).tolist() == [0, 1, 2, 2, 0, 3]
    assert scale.n_bins == 4


def test_many_distinct_values_get_bins_of_equal_counts(values):
    scale = scale_of(values)
    counts = np.bincount(scale.bins(values), minlength=scale.n_bins)
    assert scale.n_bins <= MAX_BINS + 1
    assert counts[-1] == 0
    expected = len(values) / MAX_BINS
    assert counts[:-1].min() >= expected - 2
    assert counts[:-1].max() <= expected + 3


def test_no_row_is_alone_in_its_bin():
    values = np.random.default_rng(0).normal(size=200)
    scale = scale_of(values)
    counts = np.bincount(scale.bins(values), minlength=scale.n_bins)
    assert scale.n_bins == 200 // ROWS_PER_BIN + 1
    assert counts[:-1].min() >= ROWS_PER_BIN - 2
    assert not scale_of(values[: 2 * ROWS_PER_BIN]).is_binned
    # Of 200 copies of a few there is a bin for each.
    assert scale_of(values[:20].repeat(10)).n_bins == 21


def test_knots_are_quantiles(values):
    scale = scale_of(values)
    assert len(scale.knots) == MAX_KNOTS + 1
    upto = np.searchsorted(np.sort(scale.squash(values)), scale.knots) / len(values)
    np.testing.assert_allclose(upto, np.linspace(0, 1, MAX_KNOTS + 1), atol=2e-3)


def state(scale):
    parts = [scale.knots, scale.cuts, [scale.origin, scale.mean, scale.sd]]
    return np.concatenate(parts).tobytes()


def test_the_order_of_the_rows_does_not_show(values):
    values = values.round(2)
    order = np.random.default_rng(1).permutation(len(values))
    assert state(scale_of(values)) == state(scale_of(values[order]))


def test_a_weight_of_k_is_k_copies(values):
    values = values[:100]
    times = np.random.default_rng(1).integers(1, 6, 100)
    copies = np.repeat(values, times)
    assert state(scale_of(values, times)) == state(scale_of(copies))


def test_a_large_offset_costs_no_digits():
    values = np.random.default_rng(2).normal(size=500)
    near = scale_of(values).squash(values)
    far = scale_of(values + 1e9).squash(values + 1e9)
    np.testing.assert_allclose(near, far, atol=1e-5)


@pytest.mark.parametrize("n", [150, 300])
def test_a_number_is_no_name_of_a_row(n):
    """A bin of its own for every row would take all noise for an effect."""

    def draw(n, rng):
        X = pd.DataFrame({"token": rng.integers(0, 4, n), "number": rng.normal(size=n)})
        return X, 2.0 * X["token"] + rng.normal(size=n)

    rng = np.random.default_rng(0)
    model = EmbeddingRegressor(random_state=0).fit(*draw(n, rng))
    X, y = draw(3_000, rng)
    assert model.score(X, y) > 0.78  # 0.83 at best
    assert 0.7 < model.noise_scale_ < 1.2
    low, high = model.predict_interval(X, 0.9).T
    assert ((low <= y) & (y <= high)).mean() > 0.8


@pytest.mark.parametrize("kind", ["normal", "skewed", "whole", "close", "one", "two"])
@pytest.mark.parametrize("n", [100, 20_000])
def test_places_are_those_of_a_search(kind, n):
    rng = np.random.default_rng(0)
    values = rng.normal(size=n)
    if kind == "skewed":
        values = np.exp(2.0 * values)
    if kind == "whole":
        values = np.round(10 * values)
    cuts = np.unique(np.quantile(values, np.linspace(0, 1, 367)[1:-1]))
    cuts = {"close": cuts * 1e-9, "one": cuts[:1], "two": cuts[[0, -1]]}.get(kind, cuts)
    values = np.concatenate([values, cuts, np.nextafter(cuts, np.inf)])
    values = np.concatenate([values, np.nextafter(cuts, -np.inf), [-1e300, 1e300]])
    wanted = np.searchsorted(cuts, values, side="right")
    found = places(cuts, values)
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == np.int32
