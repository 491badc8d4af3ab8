"""The generator tells the truth it says it tells, and the table is what it says."""

import numpy as np
import pytest

from skembed.datasets import load_flights, make_token_outcomes


def test_defaults_are_five_effects_from_minus_to_plus_twenty():
    X, y = make_token_outcomes(random_state=0)
    assert X.shape == (10_000, 1)
    assert X.dtype == np.int64
    assert y.shape == (10_000,)
    means = [y[X[:, 0] == token].mean() for token in range(5)]
    np.testing.assert_allclose(np.sort(means), [-20, -10, 0, 10, 20], atol=0.2)
    noise = y - np.array(means)[X[:, 0]]
    assert noise.std() == pytest.approx(2.0, rel=0.03)


def test_same_seed_same_data():
    first = make_token_outcomes(50, random_state=3)
    again = make_token_outcomes(50, random_state=3)
    other = make_token_outcomes(50, random_state=4)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_bunch_holds_the_truth_of_the_same_data():
    X, y = make_token_outcomes(500, 7, noise_scale=0.5, random_state=0)
    data = make_token_outcomes(
        500, 7, noise_scale=0.5, return_X_y=False, random_state=0
    )
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, y)
    np.testing.assert_allclose(data.mean, data.effects[0][X[:, 0]])
    assert (data.y - data.mean).std() == pytest.approx(data.noise_scale, rel=0.2)
    assert "500 observations" in data.DESCR


def test_several_columns_add_up():
    data = make_token_outcomes(
        300, [3, 8], effect_scale=[1.0, 5.0], return_X_y=False, random_state=0
    )
    assert data.X.shape == (300, 2)
    assert [len(effect) for effect in data.effects] == [3, 8]
    assert [effect.max() for effect in data.effects] == [1.0, 5.0]
    first, second = data.effects
    np.testing.assert_allclose(data.mean, first[data.X[:, 0]] + second[data.X[:, 1]])


def test_interaction_is_what_the_factors_say():
    data = make_token_outcomes(
        5_000,
        200,
        n_columns=3,
        effect_scale=0.0,
        interaction_rank=4,
        interaction_scale=3.0,
        return_X_y=False,
        random_state=0,
    )
    a, b, c = (f[data.X[:, k]] for k, f in enumerate(data.factors))
    np.testing.assert_allclose(data.mean, (a * b + a * c + b * c).sum(axis=1))
    assert data.mean.std() == pytest.approx(3.0, rel=0.1)


def test_normal_effects_have_the_scale_asked_for():
    data = make_token_outcomes(
        10, 5_000, effects="normal", effect_scale=7.0, return_X_y=False, random_state=0
    )
    assert data.effects[0].std() == pytest.approx(7.0, rel=0.05)


def test_zipf_counts_follow_the_law():
    data = make_token_outcomes(
        100_000, 50, counts="zipf", exponent=1.5, return_X_y=False, random_state=0
    )
    counts = np.bincount(data.X[:, 0], minlength=50)
    expected = np.arange(1, 51) ** -1.5
    expected *= 100_000 / expected.sum()
    np.testing.assert_allclose(data.probabilities[0] * 100_000, expected)
    np.testing.assert_allclose(counts, expected, atol=5 * np.sqrt(expected.max()))
    assert counts[0] / counts[3] == pytest.approx(8, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_tokens": [3, 4], "n_columns": 3}, "each of the 3 column"),
        ({"n_columns": 2, "effect_scale": [1, 2, 3]}, "effect_scale must be one"),
        ({"n_tokens": [3, 0]}, "at least 1"),
        ({"n_tokens": [2.5, 2]}, "must be integers"),
        ({"n_columns": 2, "effect_scale": [1, -1]}, "not be negative"),
        ({"interaction_rank": 2}, "at least two columns"),
        ({"counts": "poisson"}, "counts"),
        ({"n_samples": 0}, "n_samples"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_token_outcomes(**arguments)


def test_flights_are_what_the_docs_say():
    flights = load_flights()
    assert flights.data.shape == (30_000, 6)
    assert flights.data.dtype == object
    assert flights.target.dtype == np.float64
    assert (flights.target.min(), flights.target.max()) == (21, 667)
    assert flights.target_names == ["air_time"]
    assert flights.frame is None
    kinds = {
        name: {type(value) for value in column}
        for name, column in zip(flights.feature_names, flights.data.T, strict=True)
    }
    assert kinds.pop("hour") == {float}
    assert kinds.pop("month") == {int}
    assert set(map(frozenset, kinds.values())) == {frozenset({str})}
    distinct = [len(set(column)) for column in flights.data.T]
    assert distinct == [16, 3, 102, 3471, 12, 19]
    assert "public domain" in flights.DESCR
    assert "CC0" in flights.DESCR


def test_every_airport_of_the_flights_is_described():
    flights = load_flights()
    codes = set(flights.data[:, 1]) | set(flights.data[:, 2])
    assert codes == set(flights.airports)
    burbank = flights.airports["BUR"]
    assert (burbank.name, burbank.city, burbank.state) == ("Bob Hope", "Burbank", "CA")
    assert burbank.lat == pytest.approx(34.2)
    assert all(15 < airport.lat < 65 for airport in flights.airports.values())
    assert all(-160 < airport.lon < -60 for airport in flights.airports.values())


def test_flights_as_frame_holds_the_same():
    flights, framed = load_flights(), load_flights(as_frame=True)
    assert framed.frame.columns.tolist() == [*flights.feature_names, "air_time"]
    np.testing.assert_array_equal(framed.data.to_numpy(dtype=object), flights.data)
    np.testing.assert_array_equal(framed.target, flights.target)
    assert framed.target.name == "air_time"
    assert framed.data.dtypes["hour"] == np.float64
    assert framed.data.dtypes["month"] == np.int64
    assert framed.airports.loc["BUR", "name"] == "Bob Hope"
    assert framed.airports["lat"].dtype == np.float64


def test_flights_as_a_pair():
    data, target = load_flights(return_X_y=True)
    assert data.shape == (30_000, 6)
    assert target.shape == (30_000,)
    frame, series = load_flights(as_frame=True, return_X_y=True)
    assert frame.shape == (30_000, 6)
    assert series.name == "air_time"
