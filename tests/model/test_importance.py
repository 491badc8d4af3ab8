"""feature_importances_: shares of the columns in the variance of the output."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_selection import RFE, RFECV, SelectFromModel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor


def draw(n=3_000, seed=0):
    """Variances 4, 1, 1 and 0 of two columns of tokens and two of numbers."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "a": rng.integers(0, 8, n),
            "z": rng.normal(size=n),
            "b": rng.choice(list("uvwxyz"), n),
            "noise": rng.normal(size=n),
        }
    )
    effects = np.linspace(-1, 1, 8)
    effects *= 2.0 / effects.std()
    of_b = dict(zip("uvwxyz", np.tile([-1.0, 1.0], 3), strict=True))
    f = effects[X["a"]] + X["z"].to_numpy() + X["b"].map(of_b).to_numpy()
    return X, f, rng


@pytest.fixture(scope="module", name="fitted")
def regressor_of_four_columns():
    X, f, rng = draw()
    return EmbeddingRegressor(epochs=30, random_state=0).fit(
        X, f + rng.normal(0, 0.5, len(f))
    )


def test_shares_are_those_of_the_variances(fitted):
    found = fitted.feature_importances_
    assert found.shape == (4,)
    assert found.sum() == pytest.approx(1.0)
    assert_allclose(found, [4 / 6, 1 / 6, 1 / 6, 0.0], atol=0.02)
    found[:] = 0.0  # it is a copy
    assert fitted.feature_importances_.sum() == pytest.approx(1.0)
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.feature_importances_, fitted.feature_importances_)
    assert not hasattr(EmbeddingRegressor(), "feature_importances_")


def test_an_interaction_counts_for_both_columns(quick):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (2_000, 3))
    y = 3.0 * (X[:, 0] == X[:, 1]) + 0.1 * rng.normal(size=2_000)
    model = EmbeddingRegressor(2, (16,), epochs=40, random_state=0)
    model.set_params(categorical_features="all").fit(X, y)
    assert model.score(X, y) > 0.9
    assert_allclose(model.feature_importances_, [0.5, 0.5, 0.0], atol=0.03)


def test_numbers_of_every_kind_have_their_share():
    rng = np.random.default_rng(0)
    gap, switch = rng.normal(size=(2, 2_000))
    gap[rng.random(2_000) < 0.5] = np.nan
    switch = (switch > 0) * 1.0
    y = np.isnan(gap) * 2.0 + 2.0 * switch + 0.3 * rng.normal(size=2_000)
    model = EmbeddingRegressor(epochs=20, random_state=0)
    model.fit(np.c_[gap, switch, np.ones(2_000)], y)
    assert_allclose(model.feature_importances_, [0.5, 0.5, 0.0], atol=0.06)


@pytest.mark.parametrize("labels", [2, 3])
def test_classes(labels):
    X, f, rng = draw()
    y = np.digitize(f + rng.logistic(size=len(f)), [-1.0, 1.0][: labels - 1])
    model = EmbeddingClassifier(epochs=15, random_state=0).fit(X, y)
    found = model.feature_importances_
    assert found.sum() == pytest.approx(1.0)
    assert found[0] > 0.55
    assert found[3] < 0.03
    assert_allclose(found[1], found[2], atol=0.1)


@pytest.mark.parametrize("prior", ["normal", None])
def test_outputs_count_alike_whatever_their_units(prior):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (800, 2))
    y = np.c_[X[:, 0] - 1.5, 30.0 * (X[:, 1] - 1.5)] + rng.normal(0, 0.1, (800, 2))
    model = EmbeddingRegressor(3, (16,), prior=prior, random_state=0)
    model.set_params(epochs=60, learning_rate=0.02, categorical_features="all")
    assert_allclose(model.fit(X, y).feature_importances_, [0.5, 0.5], atol=0.1)


def test_order_of_rows_and_copies_do_not_matter(quick):
    X, f, rng = draw(200)
    times = rng.integers(1, 3, 200)
    plain = quick(epochs=2).fit(X, f, sample_weight=times)
    copies = np.repeat(np.arange(200), times)[::-1]
    copied = quick(epochs=2).fit(X.iloc[copies], f[copies])
    assert_array_equal(copied.feature_importances_, plain.feature_importances_)


def test_one_column_says_all_and_a_constant_nothing(quick):
    X = np.repeat(["a", "b"], 30)[:, None]
    assert_array_equal(quick().fit(X, [1.0, 2.0] * 30).feature_importances_, [1.0])
    point = quick(prior=None, epochs=1)
    assert_array_equal(point.fit(X[:1], [0.0]).feature_importances_, [0.0])


def test_later_rows(quick):
    X, f, _ = draw(400)
    model = quick(warm_start=True).fit(X, f)
    before = model.feature_importances_
    model.fit(X, X["noise"])
    assert model.feature_importances_[3] > before[3]
    before = model.feature_importances_
    model.fold_in(X[:20], f[:20])
    assert_array_equal(model.feature_importances_, before)
    stream = quick().partial_fit(X[:200], f[:200]).partial_fit(X[200:], f[200:])
    assert stream.feature_importances_.sum() == pytest.approx(1.0)


def test_scikit_learn_selects_by_them(fitted):
    X, f, _ = draw()
    select = SelectFromModel(fitted, prefit=True, threshold=0.1)
    assert select.set_output(transform="pandas").fit(X, f).transform(X).shape[1] == 3
    codes = np.c_[X["a"], X["b"].map(ord), np.arange(len(X)) % 5]
    small = EmbeddingRegressor(2, (), epochs=4, random_state=0)
    small.set_params(categorical_features="all")
    chosen = RFE(small, n_features_to_select=1).fit(codes, f)
    assert chosen.ranking_.tolist() == [1, 2, 3]
    search = RFECV(small, cv=2).fit(codes, f)
    assert search.support_[:2].all()


def test_an_encoder_has_those_of_its_predictor(fitted):
    from skembed import FeatureImportanceDisplay

    X, f, _ = draw(300)
    small = EmbeddingRegressor(2, (), epochs=2, random_state=0)
    encoder = EmbeddingEncoder(small, categorical_features=["a", "b"]).fit(X, f)
    pipeline = make_pipeline(FunctionTransformer(), encoder)
    display = FeatureImportanceDisplay.from_estimator(pipeline)
    expected = encoder.estimator_.feature_importances_
    assert_array_equal(display.importances, expected)
    assert display.frame()["feature"][0] == "a"
