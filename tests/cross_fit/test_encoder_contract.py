"""EmbeddingEncoder: what scikit-learn and category_encoders test of theirs."""

import copy
import pickle
from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, TargetEncoder

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor

SMALL = {"embedding_dim": 2, "hidden_layer_sizes": (8,), "epochs": 10}
NAMES = list("pqrstu")


def make(predictor=EmbeddingRegressor, handle_unknown="prior", **settings):
    estimator = predictor(**SMALL, handle_unknown=handle_unknown)
    return EmbeddingEncoder(estimator, **{"random_state": 0, **settings})


def draw(n=240):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, n), rng.integers(0, 4, n)
    X = pd.DataFrame({"a": np.array(NAMES)[a], "b": b})
    return X, np.linspace(-2, 2, 6)[a] + 0.3 * b + 0.3 * rng.normal(size=n)


@pytest.fixture(scope="module")
def crossed():
    return make().fit_transform(*draw())


@pytest.fixture(name="fitted")
def fitted_encoder():
    return make().fit(*draw())


TABLES = {
    "objects": lambda X: X.to_numpy(dtype=object),
    "rows": lambda X: X.to_numpy(dtype=object).tolist(),
    "polars": pl.from_pandas,
    "arrow": lambda X: pl.from_pandas(X).to_arrow(),
    "dtypes": lambda X: X.astype({"a": "string", "b": "Int8"}),
    "categories": lambda X: X.assign(a=pd.Categorical(X["a"], ["x", *NAMES[::-1]])),
    "renamed": lambda X: X.assign(a="long " + X["a"], b=X["b"] - 2.5),
}


@pytest.mark.parametrize("table", TABLES)
def test_container_and_names_of_the_same_order_change_nothing(table, crossed):
    X, y = draw()
    assert_array_equal(make().fit_transform(TABLES[table](X), y), crossed)


def test_names_in_another_order_change_little(crossed):
    X, y = draw()
    X["a"] = X["a"].map(dict(zip(NAMES, NAMES[::-1], strict=True)))
    out = make().fit_transform(X, y)
    assert_allclose(out, crossed, atol=0.1)
    scores = [cross_val_score(Ridge(), Z, y, cv=3).mean() for Z in (out, crossed)]
    assert min(scores) > 0.9
    assert_allclose(*scores, atol=0.01)


def test_index_is_kept_and_matters_no_more_than_that_of_y(crossed):
    X, y = draw()
    X.index = np.arange(len(X)) // 2
    before, later = X.copy(deep=True), np.arange(len(X))[::-1]
    y.flags.writeable = False
    for outcome in (pd.Series(y, later), pd.DataFrame({"y": y}, later), list(y)):
        out = make().set_output(transform="pandas").fit_transform(X, outcome)
        assert_array_equal(out, crossed)
        assert out.index.equals(X.index)
    pd.testing.assert_frame_equal(X, before)


def test_rows_and_copies_and_fits_know_nothing_of_each_other(fitted, crossed):
    X, y = draw()
    out, b = fitted.transform(X), X[["b"]].to_numpy()
    assert_array_equal(fitted.transform(X[7:8]), out[7:8])
    assert_array_equal(fitted.transform(X[::-1]), out[::-1])
    fresh = make().fit(b, -y).transform(b)
    for copied in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert_array_equal(copied.fit(b, -y).transform(b), fresh)
        assert not hasattr(copied, "feature_names_in_")
    assert_array_equal(fitted.fit_transform(X, y), crossed)
    assert_array_equal(fitted.transform(X), out)
    with pytest.raises(NotFittedError):
        clone(fitted).get_feature_names_out()


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=repr)
def test_missing_is_one_token_and_no_text(missing):
    X = pd.DataFrame({"a": pd.Series([missing, "None", "nan", ""] * 30, dtype=object)})
    encoder = make().fit(X, np.tile([3.0, 1.0, -1.0, -3.0], 30))
    assert encoder.categories_[0].tolist() == ["", "None", "nan", None]
    new = pd.DataFrame({"a": pd.Series([None, np.nan, pd.NA, "new"], dtype=object)})
    of_missing = encoder.embeddings_[0][-1]
    assert of_missing[0] > 1.0
    assert_array_equal(encoder.transform(new), [of_missing] * 3 + [[0.0, 0.0]])


@pytest.mark.parametrize(
    "values",
    [
        [False, True],
        [date(2020, 1, 1), date(2021, 1, 1)],
        [pd.Timestamp("2020-01-01"), pd.Timestamp("2021-01-01")],
        [timedelta(-9), timedelta(3)],
        [2.5, "2.5", 7, ("a", 1), None],
        list(pd.interval_range(0, 2)),
    ],
    ids=lambda values: type(values[0]).__name__,
)
def test_tokens_of_any_type_come_back(values):
    X = pd.DataFrame({"a": pd.Series(values * 30)})
    encoder = make(cv=2).set_output(transform="pandas")
    out = encoder.fit_transform(X, np.arange(len(X)) % 7 * 1.0)
    assert np.isfinite(out.to_numpy()).all()
    back = encoder.inverse_transform(encoder.transform(X[: len(values)]))
    if isinstance(values[0], date):  # a date is its midnight
        values = [pd.Timestamp(value) for value in values]
    assert back["a"].tolist() == values


@pytest.mark.parametrize(
    "settings, change, message",
    [
        ({}, lambda y: np.where(y > 1, np.nan, y), "Input y contains NaN"),
        ({"target_type": "binary"}, None, "Unknown label type: continuous"),
        ({"target_type": "continuous"}, lambda y: y.astype(str) + "x", "to float"),
        ({"cv": 241}, None, "greater than the number of samples"),
        ({"cv": ShuffleSplit(5)}, None, "exactly once with no overlap"),
        ({"cv": iter(())}, None, "exactly once with no overlap"),
    ],
)
def test_what_cannot_be_learned_is_said_and_changes_nothing(settings, change, message):
    X, y = draw()
    encoder = EmbeddingEncoder(random_state=0).fit(X, y)
    before = encoder.transform(X)
    encoder.set_params(**settings)
    with pytest.raises(ValueError, match=message):
        encoder.fit_transform(X[["b"]], change(y) if change else y)
    assert_array_equal(encoder.transform(X), before)


@pytest.mark.parametrize("y", [3.4, 0, "a"])
def test_constants_say_nothing(y):
    X = np.c_[np.ones(60), np.arange(60) % 6]
    encoder = EmbeddingEncoder(random_state=0)
    assert_allclose(encoder.fit_transform(X, [y] * 60), 0.0, atol=0.02)
    assert_allclose(encoder.transform([[1, 1], [0, 9]]), 0.0, atol=0.02)
    assert encoder.classes_ is None if y == 3.4 else encoder.classes_.tolist() == [y]


def test_token_of_one_row_says_nothing():
    X, y = np.arange(100)[:, None], np.random.default_rng(0).normal(size=100)
    assert EmbeddingEncoder(random_state=0).fit_transform(X, y > 0.5).var() < 1e-6
    # That a fold does not know a token is no reason to refuse it.
    assert_array_equal(make(handle_unknown="error").fit_transform(X, y), 0.0)


def test_effects_are_those_of_a_target_encoder():
    X, y = draw(600)
    for predictor, outcome in ((EmbeddingRegressor, y), (EmbeddingClassifier, y > 0)):
        ours = make(predictor).fit(X[["a"]], outcome).transform(X[["a"]])[:, 0]
        theirs = TargetEncoder().fit(X[["a"]], outcome).transform(X[["a"]])[:, 0]
        assert np.corrcoef(ours, theirs)[0, 1] > 0.97


def test_shuffling_keeps_sorted_outcomes_from_leaking():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 30, size=(2000, 1)), np.sort(rng.normal(size=2000))
    forest = RandomForestRegressor(n_estimators=10, min_samples_leaf=20, random_state=0)
    cv, scores = ShuffleSplit(5, random_state=0), []
    for folds in (2, KFold(2)):
        out = make(cv=folds).fit_transform(X, y)
        scores.append(cross_val_score(forest, out, y, cv=cv).mean())
    assert scores[0] < 0.1 < 0.5 < scores[1]


def test_linear_model_is_not_misled_by_many_tokens():
    rng = np.random.RandomState(0)
    n, train, test = 4000, slice(3000), slice(3000, None)
    y = rng.normal(size=n)
    bins = KBinsDiscretizer(30, encode="ordinal", strategy="uniform")
    told = bins.fit_transform((y + 0.8 * rng.normal(size=n))[:, None])
    told = rng.permutation(30)[told.astype(int)]
    X = np.c_[told, rng.permutation(told), rng.choice(3600, n)]
    model = make_pipeline(make(), Ridge(1e-6, fit_intercept=False, solver="lsqr"))
    model.fit(X[train], y[train])
    assert min(model.score(X[rows], y[rows]) for rows in (train, test)) > 0.55
    # A first axis is in units of the outcome, so its slope is 1.
    assert model[1].coef_[0] == pytest.approx(1.0, abs=0.1)
    Z = model[0].transform(X)
    effects = np.abs(model[1].coef_ * Z.std(axis=0))
    assert effects[2:].max() < 0.1 * effects[0]
    naive = clone(model[1]).fit(Z[train], y[train])
    assert naive.score(Z[test], y[test]) < model.score(X[test], y[test])
    # Points show what folds are for: no prior keeps them from the noise.
    points = EmbeddingEncoder(EmbeddingRegressor(**SMALL, prior=None), random_state=0)
    Z = points.fit(X[train], y[train]).transform(X)
    naive = clone(model[1]).fit(Z[train], y[train])
    assert naive.score(Z[train], y[train]) > naive.score(Z[test], y[test]) + 0.2


@pytest.mark.parametrize("labels", [["u", "v", "w"], [False, True]], ids=str)
def test_labels_are_only_names(labels):
    X, y = draw()
    codes = np.digitize(y, [-1, 1][: len(labels) - 1])
    encoder = make(EmbeddingClassifier).set_output(transform="pandas")
    out = encoder.fit_transform(X, np.array(labels, dtype=object)[codes].tolist())
    assert_array_equal(out, make(EmbeddingClassifier).fit_transform(X, codes))
    assert out.columns.tolist() == ["a_0", "a_1", "b_0", "b_1"]
    assert_array_equal(out.columns, encoder.get_feature_names_out())
    assert encoder.classes_.tolist() == labels


def test_kind_of_target_is_that_of_the_predictor():
    X, y = draw()
    three = np.digitize(y, [-1, 1])
    kinds = {"binary": y > 0, "multiclass": three}
    kinds["multilabel-indicator"] = np.eye(3, dtype=int)[three]
    for kind, labels in kinds.items():
        encoder = make(EmbeddingClassifier).fit(X, labels)
        frozen = EmbeddingEncoder(FrozenEstimator(encoder.estimator_)).fit(X)
        assert encoder.target_type_ == frozen.target_type_ == kind
    # The first chunk need not show all labels.
    encoder = make(EmbeddingClassifier).partial_fit(X, (y > 0) * 1, classes=[0, 1, 2])
    assert encoder.target_type_ == "multiclass"
    encoder.fit(X, np.array(["no", "yes"], dtype=object)[(y > 0) * 1])
    assert encoder.classes_.dtype == object


def test_weights_are_routed_through_pipelines():
    X, y = draw()
    weights = pd.Series(np.arange(len(y)) % 2, index=X.index[::-1])
    with sklearn.config_context(enable_metadata_routing=True):
        encoder = make().set_fit_request(sample_weight=True)
        model = make_pipeline(encoder, Ridge().set_fit_request(sample_weight=True))
        model.fit(X, y, sample_weight=weights)
    half = make().fit(X, y, weights.to_numpy())
    assert half.category_counts_[0].sum() == 120
    assert_array_equal(model[0].transform(X), half.transform(X))
