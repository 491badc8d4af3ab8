"""varying_slopes and varying_curves: numbers that act differently by token."""

import pickle

import numpy as np
import pandas as pd
import pytest
from comparisons import equal_fits
from numpy.testing import assert_allclose, assert_array_equal
from onnxruntime import InferenceSession
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed.export import to_onnx

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}


@parametrize_with_checks(
    [
        EmbeddingRegressor(varying_slopes={}, varying_curves={}, **SMALL),
        EmbeddingClassifier(varying_slopes={}, **SMALL),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


class Growth:
    """Wages of persons: a level and a growth of each, beside common ones."""

    def __init__(
        self, n=400, per=8, level=1.0, growth=0.5, noise=0.5, seed=0, late=0.0
    ):
        rng = np.random.default_rng(seed)
        self.level, self.growth, self.noise = level, growth, noise
        self.of_person = rng.normal(size=(n, 2)) * [level, growth]
        begin = rng.normal(size=n) + np.sqrt(2.0) * late
        self.train, self.test = (self._rows(rng, begin, k) for k in (per, 4))

    def _rows(self, rng, begin, per):
        person = np.repeat(np.arange(len(begin)), per)
        # Nobody is there all the time, so levels and slopes hang together.
        time = np.sqrt(0.5) * (begin[person] + rng.normal(size=len(person)))
        own = self.of_person[person]
        mean = 2.0 + 0.5 * time + own[:, 0] + own[:, 1] * time
        y = mean + self.noise * rng.normal(size=len(mean))
        # In other units, as a table has them.
        X = pd.DataFrame({"person": person.astype(str), "time": 1990 + 5.0 * time})
        return X, y, mean, person, time

    def of_who_knows(self):
        """Level and slope of every person by Bayes' rule, all else known."""
        _, y, _, person, time = self.train
        found, rest = np.empty_like(self.of_person), y - 2.0 - 0.5 * time
        prior = np.diag([self.level**-2.0, max(self.growth, 1e-9) ** -2.0])
        for k in range(len(found)):
            design = np.stack([np.ones(np.sum(person == k)), time[person == k]], 1)
            precision = design.T @ design / self.noise**2 + prior
            by = design.T @ rest[person == k] / self.noise**2
            found[k] = np.linalg.solve(precision, by)
        return found

    def risk(self, predicted):
        """Mean squared error on new outcomes, over that of who knows everything."""
        _, _, mean, person, time = self.test
        best = self.of_who_knows()[person]
        best = 2.0 + 0.5 * time + best[:, 0] + best[:, 1] * time
        least = np.mean(np.square(best - mean)) + self.noise**2
        return (np.mean(np.square(predicted - mean)) + self.noise**2) / least


@pytest.fixture(scope="module", name="growth")
def growth_of_persons():
    return Growth()


@pytest.fixture(scope="module", name="fitted")
def regressor_of_growth(growth):
    X, y, *_ = growth.train
    model = EmbeddingRegressor(varying_slopes={"person": ["time"]}, random_state=0)
    return model.fit(X, y)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"n": 150, "per": 20, "growth": 0.2, "noise": 1.0},
        {"n": 300, "per": 5, "noise": 1.0},
        {"n": 600, "per": 6, "late": 2.0},
        {"n": 600, "per": 6, "late": -3.0, "growth": 0.3},
    ],
    ids=str,
)
def test_predictions_are_near_those_of_who_knows_everything(shape):
    growth = Growth(seed=1, **shape)
    X, y, *_ = growth.train
    model = EmbeddingRegressor(varying_slopes={"person": "time"}, random_state=0)
    assert growth.risk(model.fit(X, y).predict(growth.test[0])) < 1.05


def test_slopes_are_shrunk_as_by_bayes_rule(fitted, growth):
    slopes, std = fitted.slopes_[0, 1], fitted.slopes_std_[0, 1]
    best = growth.of_who_knows()[fitted.categories_[0].astype(int), 1] / 5.0
    assert slopes.shape == std.shape == (400,)
    assert np.sqrt(np.mean(np.square(slopes - best))) < 0.2 * best.std()
    error = slopes - growth.of_person[fitted.categories_[0].astype(int), 1] / 5.0
    # Said of a token whose level is known, which it is not: wider than that.
    assert 0.9 < np.sqrt(np.mean(np.square(error / std))) < 1.6


def test_the_scale_goes_to_zero_where_all_tokens_have_the_same_slope():
    growth = Growth(n=800, per=6, growth=0.0)
    X, y, *_ = growth.train
    model = EmbeddingRegressor(varying_slopes={"person": "all"}, random_state=0)
    slopes = model.fit(X, y).slopes_[0, 1]
    assert growth.risk(model.predict(growth.test[0])) < 1.05
    assert np.abs(slopes * 5.0).max() < 0.02


def test_an_unknown_token_has_the_common_slope_and_is_less_sure(fitted, growth):
    rows = pd.DataFrame({"person": "new", "time": [1985.0, 1995.0]})
    low, high = fitted.predict(rows)
    assert abs((high - low) / 2.0 - 0.5) < 0.15
    std = fitted.predict_std(rows, include_noise=False)
    known = fitted.predict_std(rows.assign(person="7"), include_noise=False)
    assert (std > 1.5 * known).all()


def test_slopes_go_on_beyond_the_range_and_curves_stay(fitted, growth):
    X, y, *_ = growth.train
    ends = X["time"].max() + np.array([0.0, 2.0, 4.0])
    k = int(np.argmax(fitted.slopes_[0, 1]))
    rows = pd.DataFrame({"person": fitted.categories_[0][k], "time": ends})
    general = fitted.predict(rows.assign(person="new"))
    own = np.diff(fitted.predict(rows) - general)
    assert_allclose(own, 2.0 * fitted.slopes_[0, 1][k], rtol=0.3)
    curved = EmbeddingRegressor(varying_curves={"person": "time"}, **SMALL).fit(X, y)
    assert curved.slopes_ == {}
    codes, numbers, blend = curved._encoded(rows)
    waves = [one.is_curve for _, one in curved._fitted.encoder.slope_blocks]
    assert all(waves) and len(waves) > 2
    assert (blend.factors == blend.factors[:1]).all()


def test_a_curve_per_token_finds_what_no_line_can():
    rng = np.random.default_rng(0)
    person, time = rng.integers(0, 150, 4_500), rng.uniform(0.0, 1.0, 4_500)
    bend = rng.normal(size=150)
    X = pd.DataFrame({"person": person.astype(str), "time": time})
    mean = bend[person] * np.cos(2.0 * np.pi * time)
    y = mean + 0.5 * rng.normal(size=len(mean))
    errors = []
    for name in ("varying_slopes", "varying_curves"):
        model = EmbeddingRegressor(
            hidden_layer_sizes=(), random_state=0, **{name: {"person": "time"}}
        )
        errors.append(np.mean(np.square(model.fit(X, y).predict(X) - mean)))
    assert errors[1] < 0.05 < 0.3 < errors[0]


def test_a_missing_number_adds_nothing(fitted, growth):
    X, y, *_ = growth.train
    holes = X.assign(time=X["time"].where(np.arange(len(X)) % 7 > 0))
    model = EmbeddingRegressor(
        varying_slopes={"person": "time"}, varying_curves={"person": "time"}, **SMALL
    ).fit(holes, y)
    codes, numbers, blend = model._encoded(holes.iloc[:1])
    own = blend.slots.measure != blend.slots.source
    assert own.sum() == 7 and (blend.factors[0, own] == 0.0).all()
    assert np.isfinite(model.predict(holes)).all()


def test_layers_do_not_read_slopes(fitted):
    encoder = fitted._fitted.encoder
    width = fitted._fitted.architecture.width
    kernel = fitted._fitted.weights.dense["kernel_0"]
    assert encoder.unread == [encoder.n_fields - 1]
    unread = slice(encoder.unread[0] * width, (encoder.unread[0] + 1) * width)
    assert (kernel[unread] == 0.0).all()
    assert (kernel[:width] != 0.0).any()


def test_without_hidden_layers_first_order_effects_are_the_whole_of_a_token(growth):
    X, y, *_ = growth.train
    model = EmbeddingRegressor(hidden_layer_sizes=(), random_state=0).fit(X, y)
    by_token = model._fitted.weights.dense["kernel_0"][: model.embedding_.shape[1]]
    assert (by_token == 0.0).all()
    # Were they read, the layer would take back what effects of a wider prior give.
    assert 0.7 < model.prior_scales_[0][0] * y.std() < 1.2


def test_the_keras_model_says_the_same(fitted, growth):
    rows = growth.test[0].iloc[:50]
    inputs = fitted.model_inputs(rows)
    by_keras = fitted.model_.predict(inputs, verbose=0).ravel()
    assert_allclose(by_keras, fitted.predict(rows), atol=1e-3)


def test_importances_count_slopes_for_token_and_number():
    growth = Growth(level=0.05, growth=1.0)
    X, y, *_ = growth.train
    y = y - 0.5 * growth.train[4]
    model = EmbeddingRegressor(varying_slopes={"person": "time"}, random_state=0)
    assert model.fit(X, y).feature_importances_.min() > 0.3


def test_cells_of_one_column_are_exchanged_apart_from_the_other(fitted, growth):
    encoder, rows = fitted._fitted.encoder, growth.test[0]
    encoded, other = fitted._encoded(rows), np.arange(len(rows))[::-1]
    for k, name in enumerate(rows):
        changed = encoder.exchanged(encoded, other, k)
        swapped = rows.assign(**{name: rows[name].to_numpy()[other]})
        wanted = fitted._encoded(swapped)
        assert_array_equal(changed.codes, wanted.codes)
        assert_array_equal(changed.numbers, wanted.numbers)
        assert_array_equal(changed.blend.factors, wanted.blend.factors)


def test_later_rows_bring_slopes_of_new_tokens(growth):
    X, y, *_ = growth.train
    model = EmbeddingRegressor(varying_slopes={"person": "time"}, random_state=0)
    old = X["person"] < "35"
    model.fit(X[old], y[old])
    after = clone(model).partial_fit(X[old], y[old]).partial_fit(X[~old], y[~old])
    model.fold_in(X[~old], y[~old])
    for one in (model, after):
        assert len(one.slopes_[0, 1]) == 400
        assert growth.risk(one.predict(growth.test[0])) < 1.12


def test_weights_are_copies_and_the_order_of_rows_does_not_matter(growth):
    X, y, *_ = growth.train
    few = slice(0, 600)
    X, y = X[few], y[few]
    weights = np.random.default_rng(0).integers(1, 4, len(y))
    model = EmbeddingRegressor(varying_slopes={"person": "time"}, **SMALL)
    weighted = clone(model).fit(X, y, weights)
    copied = clone(model).fit(X.loc[X.index.repeat(weights)], np.repeat(y, weights))
    equal_fits(weighted, copied)
    equal_fits(weighted, clone(model).fit(X[::-1], y[::-1], weights[::-1]))


def test_classes_have_slopes_on_their_log_odds():
    rng = np.random.default_rng(0)
    shop, price = rng.integers(0, 60, 6_000), rng.normal(size=6_000)
    slope = rng.normal(size=60)
    y = rng.random(6_000) < 1.0 / (1.0 + np.exp(-slope[shop] * price))
    X = pd.DataFrame({"shop": shop.astype(str), "price": price})
    model = EmbeddingClassifier(varying_slopes={"shop": "price"}, random_state=0)
    found = model.fit(X, y).slopes_[0, 1]
    truth = slope[model.categories_[0].astype(int)]
    assert np.corrcoef(found, truth)[0, 1] > 0.95
    three = EmbeddingClassifier(varying_slopes={"shop": "price"}, **SMALL)
    y = np.where(rng.random(6_000) < 0.2, 2, y)
    assert three.fit(X, y).slopes_[0, 1].shape == (60, 3)


def test_searches_clones_and_pickles(growth):
    X, y, *_ = growth.train
    choices = {"varying_slopes": [None, {"person": ["time"]}]}
    search = GridSearchCV(EmbeddingRegressor(**SMALL), choices, cv=2)
    found = search.fit(X[:800], y[:800]).best_estimator_
    again = pickle.loads(pickle.dumps(found))
    assert_array_equal(again.predict(X), found.predict(X))
    assert clone(found).get_params() == found.get_params()
    by_place = EmbeddingRegressor(varying_slopes={np.int64(0): [np.int64(1)]}, **SMALL)
    by_place.fit(X[:800], y[:800])
    named = EmbeddingRegressor(varying_slopes={"person": "time"}, **SMALL)
    equal_fits(by_place, named.fit(X[:800], y[:800]))


def test_columns_beside_shared_ones_and_in_graphs_of_the_encoder(growth):
    X, y, *_ = growth.train
    X = X.assign(peer=np.roll(X["person"], 8), boss=np.roll(X["person"], 16))
    encoder = EmbeddingEncoder(
        EmbeddingRegressor(
            varying_slopes={"person": "time"},
            shared_features=[["peer", "boss"]],
            **SMALL,
        ),
        categorical_features="auto",
        cv=2,
    ).fit(X, y)
    rows = X.iloc[:20]
    session = InferenceSession(to_onnx(encoder).SerializeToString())
    cells = {name: rows[[name]].to_numpy() for name in rows}
    (found,) = session.run(None, cells)
    assert_allclose(found, encoder.transform(rows), rtol=1e-5, atol=1e-6)


def test_the_encoder_returns_vectors_without_slopes(growth):
    X, y, *_ = growth.train
    encoder = EmbeddingEncoder(
        EmbeddingRegressor(**SMALL),
        categorical_features=["person"],
        varying_slopes={"person": ["time"]},
        cv=2,
    )
    found = encoder.fit_transform(X, y)
    assert found.shape == (len(X), 3)
    assert (0, 1) in encoder.estimator_.slopes_


NUMBERS = pd.DataFrame(
    {"a": ["x", "y"] * 20, "b": np.arange(40) % 3, "z": np.arange(40.0)}
)


@pytest.mark.parametrize("name", ["varying_slopes", "varying_curves"])
@pytest.mark.parametrize(
    ("wanted", "more", "message"),
    [
        ({"a": ["b"]}, {}, "the column 'a' the column 'b', which is categorical"),
        ({"a": ["c"]}, {}, "names the column 'c', which X does not have"),
        ({"a": ["z", "z"]}, {}, "'all' or one column of numbers or more, each once"),
        ({"a": []}, {}, "'all' or one column of numbers or more, each once"),
        ({"a": "all"}, {"categorical_features": "all"}, "and X has none"),
        ({"z": "z"}, {}, "'z', which is categorical"),
        ({"a": "z"}, {"prior": None}, "Use prior='normal'"),
        ({"a": "z"}, {"multi_valued_features": ["a"]}, "one of them only"),
    ],
    ids=str,
)
def test_what_has_no_slopes_is_refused(name, wanted, more, message):
    model = EmbeddingRegressor(**SMALL, **{name: wanted}, **more)
    with pytest.raises(ValueError, match=message):
        model.fit(NUMBERS, np.arange(40.0))
    assert not hasattr(model, "categories_")
