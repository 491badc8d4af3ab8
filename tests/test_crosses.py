"""crosses: pairs of columns that are a column, too."""

import pickle

import numpy as np
import pandas as pd
import pytest
from comparisons import equal_fits
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}


@parametrize_with_checks(
    [
        EmbeddingRegressor(categorical_features="all", crosses="auto", **SMALL),
        EmbeddingClassifier(categorical_features="all", crosses="auto", **SMALL),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def draw(n=6_000, seed=0, sd=1.0):
    """Agents and countries with an effect of every pair, and a column beside them."""
    rng = np.random.default_rng(seed)
    of_pair = sd * rng.normal(size=(40, 25))
    agent, country, other = (rng.integers(0, k, n) for k in (40, 25, 30))
    X = pd.DataFrame({"agent": agent, "country": country, "other": other}).astype(str)
    X["z"] = rng.normal(size=n)
    return X, of_pair[agent, country] + X["z"].to_numpy(), rng


@pytest.fixture(scope="module", name="rows")
def rows_of_pairs():
    X, mean, rng = draw()
    return X, mean, mean + 0.7 * rng.normal(size=len(mean))


@pytest.fixture(scope="module", name="fitted")
def regressor_of_pairs(rows):
    X, _, y = rows
    return EmbeddingRegressor(crosses="auto", random_state=0).fit(X, y)


def test_the_memory_of_a_pair_is_shrunk_as_by_bayes_rule(fitted, rows):
    X, mean, y = rows
    assert fitted.crosses_ == [(0, 1)]
    rest = pd.Series(y - X["z"]).groupby([X["agent"], X["country"]])
    best = rest.transform("sum") / (rest.transform("count") + 0.7**2)
    least = np.mean(np.square(best + X["z"] - mean))
    error = np.mean(np.square(fitted.predict(X) - mean))
    without = EmbeddingRegressor(random_state=0).fit(X, y).predict(X)
    assert error < 1.3 * least
    assert error < 0.4 * np.mean(np.square(without - mean))


def test_what_pairs_do_not_say_is_not_crossed():
    X, _, rng = draw(sd=0.0)
    additive = rng.normal(size=40)[X["agent"].astype(int)] + X["z"]
    y = additive + 0.7 * rng.normal(size=len(X))
    model = EmbeddingRegressor(crosses="auto", **SMALL).fit(X, y)
    assert model.crosses_ == []
    assert not model._fitted.encoder.has_blends
    equal_fits(model, EmbeddingRegressor(**SMALL).fit(X, y))


def test_a_column_that_follows_from_another_is_not_crossed_with_it(rows):
    X, _, y = rows
    X = X[["agent", "country"]].assign(group=X["agent"].astype(int) // 4)
    model = EmbeddingRegressor(crosses="auto", **SMALL).fit(X, y)
    assert model.crosses_ == [(0, 1)]


def test_pairs_may_be_named(fitted, rows):
    X, _, y = rows
    named = EmbeddingRegressor(crosses=[("country", "agent")], random_state=0)
    equal_fits(named.fit(X, y), fitted)
    at = EmbeddingRegressor(crosses=[(0, 1), (1, 2)], **SMALL).fit(X, y)
    assert at.crosses_ == [(0, 1), (1, 2)]


def test_pairs_of_one_row_are_as_pairs_never_seen(rows):
    X, _, y = rows
    lone = pd.DataFrame({"agent": ["0"], "country": ["new"], "other": "0", "z": 0.0})
    X, y = pd.concat([X, lone]), np.append(y, 50.0)
    model = EmbeddingRegressor(crosses=[(0, 1)], **SMALL).fit(X, y)
    ((block, cross),) = model._fitted.encoder.cross_blocks
    unseen = lone.assign(country="of no row")
    codes = model._encoded(pd.concat([lone, unseen])).of_block(block)[0]
    assert (codes == cross.size - 1).all()


def test_a_new_pair_has_the_spread_of_pairs(fitted, rows):
    X, *_ = rows
    seen = set(zip(X["agent"], X["country"], strict=True))
    assert len(seen) > 900
    new = X.iloc[:1].assign(country="new")
    std = fitted.predict_std(pd.concat([X.iloc[:1], new]), include_noise=False)
    assert std[1] > 1.5 * std[0]


def test_cells_of_one_column_are_exchanged_with_their_pairs(fitted, rows):
    X, *_ = rows
    rows = X.iloc[:200]
    encoded, other = fitted._encoded(rows), np.arange(len(rows))[::-1]
    for k, name in enumerate(rows):
        changed = fitted._fitted.encoder.exchanged(encoded, other, k)
        wanted = fitted._encoded(rows.assign(**{name: rows[name].to_numpy()[other]}))
        assert_array_equal(changed.codes, wanted.codes)
        assert_array_equal(changed.numbers, wanted.numbers)
        assert_array_equal(changed.blend.factors, wanted.blend.factors)
    assert fitted.feature_importances_[:2].min() > 0.2
    assert fitted.feature_importances_[2] < 0.02


def test_later_rows_bring_new_pairs(rows):
    X, mean, y = rows
    old = X["agent"].astype(int) < 20
    model = EmbeddingRegressor(crosses=[("agent", "country")], random_state=0)
    model.fit(X[old], y[old])
    before = model._fitted.encoder.cross_blocks[0][1].size
    model.fold_in(X[~old], y[~old])
    assert model._fitted.encoder.cross_blocks[0][1].size > 1.8 * before
    errors = np.square(model.predict(X) - mean)
    assert errors[~old].mean() < 2.0 * errors[old].mean() < 0.4
    chunks = clone(model).partial_fit(X[old], y[old]).partial_fit(X[~old], y[~old])
    assert np.mean(np.square(chunks.predict(X) - mean)) < 0.2


def test_weights_are_copies_and_the_order_of_rows_does_not_matter(rows):
    X, _, y = rows
    X, y = X[:1_500], y[:1_500]
    weights = np.random.default_rng(0).integers(1, 4, len(y))
    for crosses in "auto", [("agent", "country")]:
        model = EmbeddingRegressor(crosses=crosses, **SMALL)
        weighted = clone(model).fit(X, y, weights)
        again = X.loc[X.index.repeat(weights)]
        copied = clone(model).fit(again, np.repeat(y, weights))
        assert weighted.crosses_ == copied.crosses_
        assert weighted.crosses_[0] == (0, 1)
        assert_array_equal(weighted.predict(X), copied.predict(X))
        turned = clone(model).fit(X[::-1], y[::-1], weights[::-1])
        assert_array_equal(weighted.predict(X), turned.predict(X))


def test_classes_several_outputs_and_pickles(rows):
    X, mean, _ = rows
    X, mean = X[:3_000], mean[:3_000]
    for y in (mean > 0, np.digitize(mean, [-1.0, 1.0])):
        model = EmbeddingClassifier(crosses="auto", **SMALL).fit(X, y)
        assert model.crosses_ == [(0, 1)]
        again = pickle.loads(pickle.dumps(model))
        assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    both = EmbeddingRegressor(crosses="auto", **SMALL).fit(X, np.stack([mean] * 2, 1))
    assert both.predict(X).shape == (3_000, 2)


def test_beside_slopes_and_shared_columns_keras_says_the_same(rows):
    X, _, y = rows
    X = X[:1_000].assign(peer=np.roll(X["agent"][:1_000], 1))
    model = EmbeddingRegressor(
        crosses=[("agent", "country")],
        varying_slopes={"other": "z"},
        shared_features=[["agent", "peer"]],
        **SMALL,
    ).fit(X, y[:1_000])
    by_keras = model.model_.predict(model.model_inputs(X), verbose=0).ravel()
    assert_allclose(by_keras, model.predict(X), atol=1e-4)


def test_the_encoder_returns_vectors_without_pairs(rows):
    X, _, y = rows
    encoder = EmbeddingEncoder(
        EmbeddingRegressor(**SMALL),
        categorical_features=["agent", "country"],
        crosses=[("agent", "country")],
        cv=2,
    )
    found = encoder.fit_transform(X[["agent", "country", "z"]], y)
    assert found.shape == (len(X), 6)
    assert encoder.estimator_.crosses_ == [(0, 1)]


@pytest.mark.parametrize(
    ("crosses", "more", "message"),
    [
        ([("agent",)], {}, "such as .* each of them once"),
        ([("agent", "agent")], {}, "such as .* each of them once"),
        ([("agent", "country", "other")], {}, "such as .* each of them once"),
        ([("agent", "country"), (1, 0)], {}, "such as .* each of them once"),
        (["agent"], {}, "such as .* each of them once"),
        ([("agent", "land")], {}, "'land', which X does not have"),
        ([("agent", "country")], {"prior": None}, "Use prior='normal'"),
        ([(0, 1)], {"multi_valued_features": ["agent"]}, "one of them only"),
    ],
    ids=str,
)
def test_what_is_no_pair_is_refused(crosses, more, message, rows):
    X, _, y = rows
    model = EmbeddingRegressor(crosses=crosses, **SMALL, **more)
    with pytest.raises(ValueError, match=message):
        model.fit(X[:50], y[:50])
    assert not hasattr(model, "categories_")


def test_pairs_that_are_alike_only_nearby_are_not_crossed():
    X, _, rng = draw()
    z, noise = rng.uniform(0.0, np.pi, len(X)), 0.7 * rng.normal(size=len(X))
    pair = X["agent"].astype(int) * 25 + X["country"].astype(int)
    one, other = rng.normal(size=(2, 1000))[:, pair]
    found = {}
    for name, y in (
        ("lasting", one + other),
        # What a pair does turns with the number: its rows are alike near each other.
        ("nearby", one * np.cos(1.5 * z) + other * np.sin(1.5 * z)),
    ):
        for X_told in (X.assign(z=z), X.drop(columns="z")):
            model = EmbeddingRegressor(crosses="auto", **SMALL).fit(X_told, y + noise)
            found[name, "z" in X_told] = model.crosses_
    assert found.pop(("nearby", True)) == []
    assert list(found.values()) == [[(0, 1)]] * 3
