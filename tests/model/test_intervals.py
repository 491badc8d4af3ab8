"""predict_interval, and the quantiles of residuals behind it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skembed import EmbeddingRegressor, _settings
from skembed._data.rows import Observations, set_apart
from skembed._model.intervals import (
    LEVELS,
    left_open_without,
    rarity,
    residual_quantiles,
)
from skembed._training.phases import calibration_rows


def skewed(n, seed, n_tokens=150):
    """Tokens with a long tail of counts, and noise that is far from normal."""
    rng = np.random.default_rng(seed)
    effect = np.random.default_rng(99).normal(0, 3, n_tokens)
    share = 1.0 / np.arange(1, n_tokens + 1)
    tokens = rng.choice(n_tokens, n, p=share / share.sum())
    return tokens[:, None], effect[tokens] + rng.exponential(2.0, n)


def test_intervals_cover_skewed_noise_for_common_and_rare_tokens():
    levels, shares = (0.5, 0.8, 0.9, 0.95), []
    for seed in (2, 0):  # few rows are of rare tokens: of two data sets
        X, y = skewed(6_000, seed)
        model = EmbeddingRegressor(random_state=0).fit(X, y)
        X_new, y_new = skewed(20_000, seed + 1)
        counts = np.bincount(X[:, 0], minlength=150)[X_new[:, 0]]
        for rows in (counts >= 20, counts < 20):
            assert rows.sum() > 1_000
            for level in levels:
                low, high = model.predict_interval(X_new[rows], level).T
                shares.append(((low <= y_new[rows]) & (y_new[rows] <= high)).mean())
    shares = np.reshape(shares, (2, 2, len(levels))).mean(axis=0)
    assert_allclose(shares, [levels, levels], atol=0.03)
    # A normal interval of the same model would have next to nothing below it.
    mean, std = model.predict(X_new, return_std=True)
    assert np.mean(y_new < mean - norm.ppf(0.95) * std) < 0.02
    low = model.predict_interval(X_new, 0.9)[:, 0]
    assert np.mean(y_new < low) == pytest.approx(0.05, abs=0.02)


def test_residual_without_its_row_is_that_of_the_leave_one_out_mean():
    rng = np.random.default_rng(0)
    y = rng.normal(size=8)  # one token, one number, prior of variance 2, noise 0.5
    precision = 1 / 2.0 + len(y) / 0.5
    residual = y - y.sum() / 0.5 / precision
    ones = np.ones((8, 1, 1, 1))
    u = left_open_without(ones, np.full((8, 1, 1), 1 / precision), np.full((8, 1), 0.5))
    without = [
        y[i] - (y.sum() - y[i]) / 0.5 / (precision - 1 / 0.5) for i in range(len(y))
    ]
    assert_allclose(residual * (1 + u[:, 0]), without)
    assert_allclose(u, 1 / (precision - 1 / 0.5) / 0.5)


def test_few_rows_fall_back_to_the_normal_density():
    table = residual_quantiles(
        np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1), np.ones(1)
    )
    at = table.at(0.975, np.zeros(1))[0, 0]
    assert 1.8 < at < norm.ppf(0.975)
    # Beyond the last level of the table its tail goes on.
    assert table.at(0.9999, np.zeros(1)) > table.at(0.995, np.zeros(1))
    assert table.quantiles.shape == (1, 1, len(LEVELS))


def test_rarity_is_that_of_the_rarest_token():
    codes = np.array([[0, 0], [0, 1], [1, 0], [2, 2]])
    counts = [np.array([99.0, 1.0, 0.0]), np.array([99.0, 3.0, 0.0])]
    common, one, other, unseen = rarity(codes, counts)
    assert common == pytest.approx(np.sqrt(2) / 100)
    assert 1 / 4 < one < 0.26
    assert 1 / 2 < other < 0.51
    assert unseen == pytest.approx(np.sqrt(2))
    # A training row does not count itself; copies of it are rows like others.
    assert rarity(codes, counts, own=1.0)[2] == pytest.approx(1.0, abs=1e-3)
    # Columns of numbers, in the codes behind those of the tokens, are not looked at.
    assert_array_equal(rarity(codes, counts[:1]), rarity(codes[:, :1], counts[:1]))


@pytest.mark.parametrize("n_columns", [2, 4], ids=["all rows", "rows held back"])
def test_noise_of_rare_tokens_is_their_own(n_columns):

    def draw(n, seed):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, 5, (n, n_columns))
        rare = rng.random(n) < 0.3
        X[rare, 0] = rng.integers(5, 5 + n_columns * 20, rare.sum())
        y = X[:, 1] + rng.normal(0, np.where(rare, 0.7, 2.0))
        return X, y, rare

    X, y, _ = draw(8_000, 0)
    model = EmbeddingRegressor(random_state=0).fit(X, y)
    X_new, y_new, rare = draw(10_000, 1)
    low, high = model.predict_interval(X_new, 0.8).T
    inside = (low <= y_new) & (y_new <= high)
    assert inside[~rare].mean() == pytest.approx(0.8, abs=0.03)
    assert inside[rare].mean() == pytest.approx(0.8, abs=0.1)
    assert (high - low)[~rare].mean() > 2 * (high - low)[rare].mean()


def test_weight_is_a_number_of_copies():
    X, y = skewed(300, 2, n_tokens=10)
    k = np.random.default_rng(0).integers(1, 4, 300)
    weighted = EmbeddingRegressor(random_state=0).fit(X, y, sample_weight=k)
    copied = EmbeddingRegressor(random_state=0).fit(X.repeat(k, 0), y.repeat(k))
    assert_allclose(weighted.predict_interval(X), copied.predict_interval(X))


def test_several_outputs_and_counts():
    X, y = skewed(400, 3, n_tokens=10)
    both = EmbeddingRegressor(epochs=20, random_state=0).fit(X, np.c_[y, -y])
    interval = both.predict_interval(X, 0.8)
    assert interval.shape == (400, 2, 2)
    assert (interval[:, 0] < interval[:, 1]).all()
    count = np.random.default_rng(0).poisson(np.exp(y / 8))
    model = EmbeddingRegressor(loss="poisson", random_state=0).fit(X, count)
    low, high = model.predict_interval(X, 0.9).T
    assert low.min() == 0.0
    assert np.mean((low <= count) & (count <= high)) > 0.87
    half = EmbeddingRegressor(hidden_layer_sizes=(8,), loss="gamma", random_state=0)
    low, high = half.fit(X, np.exp(y / 8)).predict_interval(X, 0.5).T
    assert np.mean((low <= np.exp(y / 8)) & (np.exp(y / 8) <= high)) == pytest.approx(
        0.5, abs=0.06
    )


def test_own_head_and_partial_fit_have_intervals():
    import keras

    def head(meta):
        layers = [
            keras.Input((meta["n_inputs"],)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(meta["n_outputs"]),
        ]
        return keras.Sequential(layers)

    X, y = skewed(400, 4, n_tokens=10)
    model = EmbeddingRegressor(model=head, epochs=10, random_state=0).fit(X, y)
    before = model.predict_interval(X[:5])
    assert_array_equal(before, model.predict_interval(X[:5]))
    model.partial_fit(*skewed(400, 5, n_tokens=10))
    assert (model.predict_interval(X[:5]) != before).any()


def test_bad_coverage_and_points_are_refused():
    X, y = skewed(100, 6, n_tokens=10)
    model = EmbeddingRegressor(epochs=2, random_state=0).fit(X, y)
    for coverage in (0, 1, 90):
        with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
            model.predict_interval(X, coverage)
    points = EmbeddingRegressor(prior=None, epochs=2, random_state=0).fit(X, y)
    with pytest.raises(AttributeError, match="needs the posterior"):
        points.predict_interval(X)
    for method in ("predict_std", "predict_interval"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(EmbeddingRegressor(), method)(X)


def test_chunks_beyond_the_kept_rows_leave_the_quantiles_alone():
    X, y = skewed(600, 7, n_tokens=10)
    model = EmbeddingRegressor(epochs=10, random_state=0).fit(X, y)
    before = model._fitted.residuals
    model.partial_fit(X[:3], y[:3])
    assert model._fitted.residuals is before
    streamed = EmbeddingRegressor(epochs=10, random_state=0).partial_fit(X, y)
    before = streamed._fitted.residuals
    streamed.partial_fit(X, y)
    assert streamed._fitted.residuals is not before


def test_small_wide_tables_are_not_learned_by_heart():
    # 100 rows against tens of thousands of dense weights.
    scores, covered = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        tokens, numbers = rng.integers(0, 10, (2_100, 3)), rng.normal(size=(2_100, 6))
        y = numbers[:, 0] + rng.normal(size=10)[tokens[:, 0]] + rng.normal(size=2_100)
        X = np.concatenate([tokens.astype(str).astype(object), numbers], axis=1)
        model = EmbeddingRegressor(categorical_features=[0, 1, 2], random_state=seed)
        model.fit(X[:100], y[:100])
        low, high = model.predict_interval(X[100:], 0.8).T
        scores.append(model.score(X[100:], y[100:]))
        covered.append(np.mean((low <= y[100:]) & (y[100:] <= high)))
    assert np.mean(scores) > 0.2
    assert np.mean(covered) > 0.7


@pytest.mark.parametrize("shape", [(2, 0), (3, 0), (1, 1), (0, 2)])
def test_intervals_of_a_hundred_rows_hold_what_they_say(shape):
    n_tokens, n_numbers = shape
    covered = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        tokens = rng.integers(0, 60, (2_100, n_tokens))
        numbers = rng.normal(size=(2_100, n_numbers))
        y = rng.normal(size=2_100) + 2 * np.sin(2 * numbers[:, :1]).sum(axis=1)
        for column in tokens.T:
            y += rng.normal(size=60)[column]
        X = np.concatenate([tokens.astype(str).astype(object), numbers], axis=1)
        model = EmbeddingRegressor(
            categorical_features=list(range(n_tokens)), random_state=seed
        )
        model.fit(X[:100], y[:100])
        low, high = model.predict_interval(X[100:], 0.9).T
        covered.append(np.mean((low <= y[100:]) & (y[100:] <= high)))
    # The mean of eight has a standard error of about 0.015.
    assert np.mean(covered) == pytest.approx(0.9, abs=0.05)


def wide(n, seed):
    """Tokens and numbers of many columns, few of which matter."""
    rng = np.random.default_rng(seed)
    tokens, numbers = rng.integers(0, 60, (n, 4)), rng.normal(size=(n, 6))
    effects = np.random.default_rng(99).normal(size=(60, 2))
    y = numbers[:, 0] + effects[tokens[:, 0], 0] + effects[tokens[:, 1], 1]
    X = np.concatenate([tokens.astype(str).astype(object), numbers], axis=1)
    return X, y + rng.normal(size=n)


@pytest.fixture
def not_at_once(monkeypatch):
    """Have residuals of few rows found as those of many are."""
    monkeypatch.setattr(_settings, "JOINT_CELLS", 0.0)


def test_intervals_hold_what_they_say_whatever_they_are_read_from(monkeypatch):
    covered = {"at once": [], "held back": [], "one by one": []}
    for way in covered:
        if way != "at once":
            monkeypatch.setattr(_settings, "JOINT_CELLS", 0.0)
        if way == "one by one":
            monkeypatch.setattr(_settings, "HELD_BACK_ROWS_PER_WEIGHT", 0.0)
        for seed in range(3):
            X, y = wide(4_000, seed)
            model = EmbeddingRegressor(
                categorical_features=[0, 1, 2, 3], random_state=seed
            )
            model.fit(X[:1_500], y[:1_500])
            low, high = model.predict_interval(X[1_500:], 0.8).T
            covered[way].append(np.mean((low <= y[1_500:]) & (y[1_500:] <= high)))
    # Of 1,500 rows 150 are held back: three fits have a standard error of 0.02 then.
    for way, error in (("at once", 0.025), ("held back", 0.05), ("one by one", 0.04)):
        assert np.mean(covered[way]) == pytest.approx(0.8, abs=error)


@pytest.mark.parametrize("cells", [_settings.JOINT_CELLS, 0.0])
def test_copies_are_weights_and_their_order_means_nothing(monkeypatch, cells):
    monkeypatch.setattr(_settings, "JOINT_CELLS", cells)
    X, y = wide(400, 0)
    model = EmbeddingRegressor(categorical_features=[0, 1, 2, 3], random_state=0)
    k = np.random.default_rng(0).integers(1, 4, 400)
    model.fit(X, y, sample_weight=k)
    order = np.random.default_rng(1).permutation(k.sum())
    copied = clone(model).fit(X.repeat(k, 0)[order], y.repeat(k)[order])
    assert_array_equal(model.predict_interval(X), copied.predict_interval(X))


def test_a_share_of_the_rows_is_set_apart_and_of_copies_as_many():
    codes = np.arange(2_000)[:, None]
    outcome = np.zeros((2_000, 1))
    at, taken, left = set_apart([codes, outcome], np.ones(2_000), 0.1)
    assert set(taken) == {0.0, 1.0}
    assert_array_equal(taken + left, 1.0)
    assert taken.mean() == pytest.approx(0.1, abs=0.03)
    again, taken_again, _ = set_apart([codes[::-1], outcome], np.ones(2_000), 0.1)
    assert_array_equal(codes[::-1][again[taken_again > 0]], codes[at[taken > 0]])
    # Outcomes of few values: of each value a share, not one value and no other.
    answers = np.repeat([[1.0], [2.0], [3.0]], [30, 200, 1_000], axis=0)
    at, taken, left = set_apart([answers], np.ones(1_230), 0.1)
    order = np.argsort(at)
    assert_allclose(taken[order], [3, 20, 100])
    weighted = set_apart([answers[[0, 30, 230]]], np.array([30.0, 200.0, 1e3]), 0.1)
    assert_array_equal(weighted[1][np.argsort(weighted[0])], taken[order])
    # A weight below 1 is one row, and never more than it has is taken.
    _, taken, left = set_apart([codes], np.full(2_000, 0.25), 0.1)
    assert set(taken) == {0.0, 0.25}
    assert taken.mean() == pytest.approx(0.025, abs=0.0075)
    _, taken, left = set_apart([codes], np.full(2_000, 1.5), 0.1)
    assert (left > 0).all() and set(taken) == {0.0, 0.75}


def test_rows_held_back_are_learned_in_the_end(not_at_once):
    X, y = wide(600, 1)
    held = {}

    class Spy(EmbeddingRegressor):
        def _phases(self, *args):
            held["phases"], held["rows"] = super()._phases(*args)
            return held["phases"], held["rows"]

    y = np.where(np.arange(600) < 300, y, y + 10.0)
    X = np.concatenate([X, np.arange(600)[:, None].astype(str).astype(object)], axis=1)
    model = Spy(categorical_features=[0, 1, 2, 3, 10], random_state=0).fit(X, y)
    rows = held["rows"]
    assert 30 < len(rows.weights) < 90
    totals = [phase.problem.rows.total for phase in held["phases"]]
    assert totals == 2 * [600 - rows.weights.sum()] + [600]
    # What only these rows could teach: the last column has a token for every row.
    last = np.isin(y, rows.outcome[:, 0])
    error = np.abs(y - model.predict(X))
    assert error[last].mean() < 1.3 * error[~last].mean()
    assert len(model.loss_curve_) == model.n_iter_


def test_a_callback_that_stops_does_not_keep_rows_from_being_learned(not_at_once):
    import keras

    class StopAtOnce(keras.callbacks.Callback):
        ended = 0

        def on_epoch_end(self, epoch, logs=None):
            StopAtOnce.ended += 1
            self.model.stop_training = True

    X, y = wide(400, 2)
    X = np.concatenate([X[:, :4], np.arange(400)[:, None].astype(str)], axis=1)
    model = EmbeddingRegressor(callbacks=[StopAtOnce()], random_state=0).fit(X, y)
    assert StopAtOnce.ended == 1
    assert model.n_iter_ > 1
    # Of the last column every row has a token of its own: none is at the prior.
    assert (model.embeddings_std_[4][:, 0] < model.prior_scales_[4][0]).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 5},
        {"early_stopping": True},
        {"prior": None},
        {"learning_rate": "schedule"},
        {"optimizer": "schedule"},
    ],
)
def test_no_rows_are_held_back_where_the_epochs_are_not_our_own(settings, not_at_once):
    import keras

    X, y = wide(400, 3)
    schedule = keras.optimizers.schedules.ExponentialDecay(5e-3, 100, 0.9)
    made = {
        "learning_rate": schedule,
        "optimizer": keras.optimizers.Adam(schedule),
    }
    settings = {k: made[k] if v == "schedule" else v for k, v in settings.items()}
    asked = []

    class Spy(EmbeddingRegressor):
        def _phases(self, *args):
            asked.append(super()._phases(*args))
            return asked[-1]

    Spy(categorical_features=[0, 1, 2, 3], random_state=0, **settings).fit(X, y)
    ((phases, calibration),) = asked
    assert {phase.problem.rows.total for phase in phases} <= {400, 360}
    assert not any(phase.always for phase in phases)
    assert calibration is None


def test_neither_of_three_columns_nor_of_few_or_many_rows_are_any_held_back(
    monkeypatch,
):
    rng = np.random.default_rng(0)
    codes, y = rng.integers(0, 60, (400, 4)), rng.normal(size=(400, 1))
    rows = Observations(codes, np.zeros((400, 0)), y, np.ones(400))
    weights = SimpleNamespace(dense={"kernel_0": np.zeros((30, 500))})
    columns = {
        "architecture": SimpleNamespace(head=None),
        "encoder": SimpleNamespace(column_sizes=[60] * 4, has_blends=False),
        "weights": weights,
    }
    fitted = SimpleNamespace(mask=np.ones((4, 3)), **columns)
    assert calibration_rows(fitted, rows) is None  # so few are seen at once
    monkeypatch.setattr(_settings, "JOINT_CELLS", 0.0)
    last, others = calibration_rows(fitted, rows)
    assert 20 < last.weights.sum() < 60
    assert last.weights.sum() + others.weights.sum() == 400
    few = rows.counted(np.arange(400), (np.arange(400) < 99).astype(float))
    assert calibration_rows(fitted, few) is None
    many = rows._replace(weights=np.full(400, 1_000.0))
    assert calibration_rows(fitted, many) is None
    three = SimpleNamespace(mask=np.ones((3, 3)), **columns)
    assert calibration_rows(three, rows) is None


def test_a_fit_under_way_has_normal_intervals():
    X, y = skewed(300, 8, n_tokens=10)
    model = EmbeddingRegressor(epochs=10, random_state=0).fit(X, y)
    model._fitted = replace(model._fitted, residuals=None, row_noise=None)
    mean, std = model.predict(X, return_std=True)
    low, high = model.predict_interval(X, 0.95).T
    assert_allclose(high - mean, norm.ppf(0.975) * std)
    assert_allclose(mean - low, norm.ppf(0.975) * std)
