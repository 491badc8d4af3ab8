"""EmbeddingEncoder: what comes out, and that nothing leaks."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from comparisons import equal_fits
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed._cross_fit.tasks import folds
from skembed._training.rows import rows_for
from skembed.datasets import load_flights


def draw(n=500, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 8, n), rng.integers(0, 3, n)
    effect = np.linspace(-2, 2, 8)
    z = rng.normal(size=n)
    X = pd.DataFrame({"a": [f"t{i}" for i in a], "b": b, "z": z})
    X.index = np.arange(n) + 100
    return X, effect[a] + 0.5 * b + z + 0.5 * rng.normal(size=n)


def make(estimator=None, **settings):
    estimator = estimator or EmbeddingRegressor(3, epochs=10, random_state=0)
    return EmbeddingEncoder(estimator, random_state=0, **settings)


def test_vectors_of_all_columns_come_out():
    X, y = draw()
    encoder = make().fit(X[["a", "b"]], y)
    out = encoder.transform(X[["a", "b"]])
    assert out.shape == (500, 6)
    assert out.dtype == np.float64
    of_a = {t: e for t, e in zip(encoder.categories_[0], encoder.embeddings_[0])}  # noqa: B905
    assert_array_equal(out[:, :3], np.array([of_a[t] for t in X["a"]]))
    assert encoder.get_feature_names_out().tolist() == [
        *["a_0", "a_1", "a_2"],
        *["b_0", "b_1", "b_2"],
    ]
    assert encoder.embeddings_std_[1].shape == (3, 3)
    assert encoder.category_counts_[1].sum() == 500
    assert encoder.infrequent_categories_ == [None, None]


def test_order_of_the_effects_is_in_the_vectors():
    X, y = draw(2000)
    columns = ["a", "b"]
    encoder = EmbeddingEncoder(
        categorical_features=columns, output="first_order", random_state=0
    ).fit(X, y)
    assert encoder.get_feature_names_out().tolist() == ["a_0", "b_0"]
    effects = encoder.embeddings_[0][:, 0]
    assert_array_equal(np.argsort(effects), np.arange(8))


def test_spreads_stand_beside_the_means():
    X, y = draw()
    encoder = make(output="mean_std").fit(X[["a"]], y)
    assert encoder.get_feature_names_out()[2:4].tolist() == ["a_2", "a_std_0"]
    out = encoder.transform(pd.DataFrame({"a": ["t0", "never"]}))
    assert_allclose(out[0, 3:], encoder.embeddings_std_[0][0], rtol=1e-6)
    assert_allclose(out[1, :3], 0.0)
    assert (out[1, 3:] >= out[0, 3:] * 0.99).all()


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(container):
    X, y = draw()
    table = X if container == "pandas" else pl.from_pandas(X)
    encoder = make(categorical_features=["a", "b"], remainder="passthrough")
    encoder.set_output(transform=container)
    for out in (encoder.fit_transform(table, y), encoder.transform(table)):
        assert isinstance(out, pd.DataFrame if container == "pandas" else pl.DataFrame)
        assert list(out.columns) == encoder.get_feature_names_out().tolist()
        assert_array_equal(out["z"], X["z"])
        if container == "pandas":
            assert_array_equal(out.index, X.index)
    back = encoder.inverse_transform(out)
    assert list(back.columns) == ["a", "b", "z"]
    for column in X:
        assert back[column].to_list() == X[column].to_list()
    if container == "pandas":
        assert_array_equal(back.index, X.index)
        assert back["b"].dtype == X["b"].dtype


def test_inverse_transform_of_arrays():
    X, y = draw()
    encoder = make().fit(X[["b"]], y)
    vectors = encoder.transform(X[["b"]]) + 1e-4
    assert_array_equal(encoder.inverse_transform(vectors), X[["b"]])
    encoder = make(categorical_features=["b"]).fit(X[["b", "z"]], y)
    back = encoder.inverse_transform(encoder.transform(X[["b", "z"]]))
    assert_array_equal(back[:, 0], X["b"])
    assert set(back[:, 1]) == {None}
    with pytest.raises(ValueError, match="X has 2 features, but EmbeddingEncoder puts"):
        encoder.inverse_transform(vectors[:, :2])


def test_unknown_missing_and_rare_tokens():
    X, y = draw()
    tokens = X[["a"]].astype(object)
    tokens.iloc[:40] = None
    tokens.iloc[40] = "rare"
    encoder = make(EmbeddingRegressor(3, epochs=10, min_frequency=5)).fit(tokens, y)
    assert encoder.categories_[0][-1] is None
    assert encoder.infrequent_categories_[0].tolist() == ["rare"]
    out = encoder.transform(pd.DataFrame({"a": ["rare", "never", None]}))
    assert_array_equal(out[0], out[1])
    assert_array_equal(out[2], encoder.embeddings_[0][-1])
    strict = make(EmbeddingRegressor(3, epochs=2, handle_unknown="error"))
    strict.fit(tokens, y)
    with pytest.raises(ValueError, match="Found unknown tokens 'never'"):
        strict.transform(pd.DataFrame({"a": ["never"]}))


def test_token_of_one_fold_has_the_prior_there():
    X, y = draw()
    tokens = X[["a"]].to_numpy(dtype=object).copy()
    tokens[:3] = "alone"
    encoder = make(cv=[(np.arange(250, 500), np.arange(250)), (np.arange(250),) * 2])
    with pytest.raises(ValueError, match="exactly once with no overlap"):
        encoder.fit_transform(tokens, y)
    halves = [np.arange(250), np.arange(250, 500)]
    out = make(cv=[halves, halves[::-1]]).fit_transform(tokens, y)
    assert_array_equal(out[:3], 0.0)
    assert np.abs(out[3:]).max() > 0.1


def test_fold_is_given_the_rows_outside_of_it_only():
    X, y = draw()
    X, halves = X[["a", "b"]], [np.arange(250), np.arange(250, 500)]
    encoder = make(cv=[halves, halves[::-1]])
    out = encoder.fit_transform(X, y)
    predictor = encoder.estimator_
    codes = predictor._encoded(X).codes
    seed = np.random.RandomState(0).randint(2**31 - 1)
    for inside, outside in (halves, halves[::-1]):
        rows = predictor._observed(X.iloc[outside], y[outside], None)
        rng = np.random.default_rng(seed)
        rows = rows_for(predictor._fitted, rows)
        network = predictor._learned_anew(predictor._fitted, rows, rng)
        assert_array_equal(encoder._vectors(codes[inside], network, None), out[inside])
        # The head, and with it the axes, are the same in all of them.
        for name, value in network.weights.dense.items():
            assert_array_equal(value, predictor._fitted.weights.dense[name])


@pytest.mark.parametrize("n_tokens", [30, 2700])
def test_nothing_is_learned_from_random_outcomes(n_tokens):
    # As scikit-learn's test of TargetEncoder; 2,700 tokens are nearly unique.
    rng = np.random.default_rng(0)
    n = 3000
    y = np.sort(rng.normal(size=n))
    X = rng.integers(0, n_tokens, size=(n, 1))
    encoder = make(cv=KFold(2, shuffle=True, random_state=0))
    encoded = encoder.fit_transform(X, y)
    forest = RandomForestRegressor(n_estimators=10, min_samples_leaf=20, random_state=0)
    cv = ShuffleSplit(n_splits=10, random_state=0)
    assert cross_val_score(forest, encoded, y, cv=cv).mean() < 0.1


def test_nothing_is_learned_from_random_labels_of_several_columns():
    rng = np.random.default_rng(0)
    n = 2000
    y = rng.integers(0, 2, n)
    X = np.c_[rng.integers(0, 1800, n), rng.integers(0, 50, n)].astype(object)
    encoder = EmbeddingEncoder(EmbeddingClassifier(epochs=15), random_state=0)
    encoded = encoder.fit_transform(X, y)
    forest = RandomForestRegressor(n_estimators=10, min_samples_leaf=20, random_state=0)
    cv = ShuffleSplit(n_splits=5, random_state=0)
    honest = cross_val_score(forest, encoded, y, cv=cv).mean()
    assert honest < 0.02
    # Without cross-fitting, the same table shows what is to be learned by heart.
    naive = cross_val_score(forest, encoder.transform(X), y, cv=cv).mean()
    assert naive > honest + 0.05


@pytest.mark.parametrize(
    "y, kind",
    [
        (np.linspace(0, 1, 60), "continuous"),
        (np.arange(60) % 2, "binary"),
        (np.array(["no", "yes"])[np.arange(60) % 2], "binary"),
        (np.arange(60) % 3, "multiclass"),
        (np.eye(3, dtype=int)[np.arange(60) % 3], "multilabel-indicator"),
        (np.random.default_rng(0).normal(size=(60, 2)), "continuous-multioutput"),
        (np.full(60, 3), "binary"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_of_target(y, kind):
    X = np.array([["a"], ["b"], ["c"]] * 20)
    encoder = EmbeddingEncoder(random_state=0)
    out = encoder.fit_transform(X, y)
    assert np.isfinite(out).all()
    assert encoder.target_type_ == kind
    if kind.startswith("continuous"):
        assert encoder.classes_ is None
        assert isinstance(encoder.estimator_, EmbeddingRegressor)
    else:
        n = 3 if kind == "multilabel-indicator" else len(np.unique(y))
        assert len(encoder.classes_) == n
    again = EmbeddingEncoder(random_state=0).fit_transform(X, y)
    assert_array_equal(out, again)


def test_target_type_may_be_said():
    X = np.array([["a"], ["b"], ["c"]] * 20)
    y = np.arange(60) % 3
    encoder = EmbeddingEncoder(target_type="continuous", random_state=0).fit(X, y)
    assert isinstance(encoder.estimator_, EmbeddingRegressor)
    with pytest.raises(ValueError, match="inferred to be 'multiclass-multioutput'"):
        EmbeddingEncoder().fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match="Found input variables with inconsistent"):
        EmbeddingEncoder().fit_transform(X, y[:-1])
    with pytest.raises(ValueError, match="requires y to be passed"):
        EmbeddingEncoder().fit(X)


def test_other_estimators_are_refused():
    X, y = draw()
    for wrong in (Ridge(), make_pipeline(EmbeddingRegressor())):
        with pytest.raises(TypeError, match="estimator must be an EmbeddingRegressor"):
            EmbeddingEncoder(wrong).fit(X[["a"]], y)
    frozen = EmbeddingEncoder(FrozenEstimator(Ridge().fit(X[["z"]], y)))
    with pytest.raises(TypeError, match="in a FrozenEstimator"):
        frozen.fit(X[["a"]])
    points = make(EmbeddingRegressor(2, prior=None, epochs=2), output="first_order")
    with pytest.raises(ValueError, match="output='first_order' needs"):
        points.fit(X[["a"]], y)


def test_frozen_estimator_is_taken_as_it_is():
    X, y = draw()
    predictor = EmbeddingRegressor(2, epochs=5, random_state=0).fit(X, y)
    encoder = EmbeddingEncoder(FrozenEstimator(predictor))
    out = encoder.fit_transform(X)
    assert out.shape == (500, 4)
    assert encoder.estimator_ is predictor
    assert_array_equal(out, encoder.transform(X))
    assert_array_equal(out[:, :2], clone(encoder).fit(X, y).transform(X)[:, :2])
    assert_array_equal(encoder.embeddings_[0], predictor.embeddings_[0])


def test_points_are_cross_fitted_too():
    X, y = draw()
    encoder = make(EmbeddingRegressor(2, prior=None, epochs=60, random_state=0))
    out = encoder.fit_transform(X[["a"]], y)
    score = cross_val_score(Ridge(), out, y, cv=3).mean()
    assert score > 0.4


def test_sample_weight_is_a_number_of_copies():
    X, y = draw(200)
    weights = np.random.default_rng(0).integers(0, 3, 200)
    weighted = make().fit(X[["a"]], y, weights)
    copies = np.repeat(np.arange(200), weights)
    copied = make().fit(X[["a"]].iloc[copies], y[copies])
    equal_fits(weighted.estimator_, copied.estimator_)
    # Folds are of rows, and copies of a row may be in several.
    assert_allclose(weighted.embeddings_[0], copied.embeddings_[0], atol=0.02)
    assert np.isfinite(make().fit_transform(X[["a"]], y, sample_weight=weights)).all()


def test_partial_fit_keeps_the_axes():
    X, y = draw()
    encoder = make().partial_fit(X[["a"]], y)
    before = encoder.transform(X[["a"]])
    more = pd.DataFrame({"a": ["new"] * 40 + ["t0"] * 5})
    encoder.partial_fit(more, np.array([2.0] * 40 + [-1.5] * 5))
    others = (X["a"] != "t0").to_numpy()
    assert_array_equal(encoder.transform(X[["a"]])[others], before[others])
    assert encoder.categories_[0][0] == "new"
    effect = dict(zip(encoder.categories_[0], encoder.embeddings_[0][:, 0]))  # noqa: B905
    assert effect["t4"] < effect["new"]
    classes = EmbeddingEncoder(EmbeddingClassifier(3, epochs=5, random_state=0))
    classes.partial_fit(X[["a"]], y > 0, classes=[False, True])
    classes.partial_fit(X[["a"]][:5], [True] * 5)
    assert classes.classes_.tolist() == [False, True]


def test_pipeline_beats_ordinal_codes():
    X, y = draw(2000)
    model = make_pipeline(
        make_column_transformer(
            (EmbeddingEncoder(random_state=0), ["a", "b"]), remainder="passthrough"
        ),
        Ridge(),
    )
    assert cross_val_score(model, X, y, cv=2).min() > 0.85


def test_table_vectorizer_takes_it():
    from skrub import TableVectorizer

    X, y = draw()
    vectorizer = TableVectorizer(cardinality_threshold=5, high_cardinality=make())
    out = vectorizer.fit_transform(X, y)
    assert {"a_0", "a_1", "a_2"} <= set(out.columns)
    assert vectorizer.transform(X).shape == out.shape


def test_folds_lie_in_one_optimum_where_columns_interact():
    # Without effects of their own tokens have no first-order term to hold on to.
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(10, 8))
    a, b = rng.integers(10, size=2_000), rng.integers(8, size=2_000)
    X, y = np.c_[a, b], cells[a, b] + 0.3 * rng.normal(size=2_000)
    encoder = EmbeddingEncoder(target_type="continuous", random_state=0)
    model = make_pipeline(encoder, HistGradientBoostingRegressor(random_state=0))
    assert model.fit(X[:1_000], y[:1_000]).score(X[1_000:], y[1_000:]) > 0.75


def fold_tables(encoder, X, y):
    """Fit; what every fold has for every token: by column (folds, tokens, numbers)."""
    parts = encoder._fit_predictor(X, y, None, make_folds=folds)
    tables = [encoder._output.tables(part.network, part.sums) for part in parts]
    known = encoder._fitted.encoder.tokens
    columns = zip(known, zip(*tables, strict=True), strict=True)
    return [np.stack(found)[:, index.codes] for index, found in columns]


@pytest.mark.parametrize(
    "estimator, settings, outcome",
    [
        (None, {"target_type": "continuous"}, "number"),
        (None, {"target_type": "continuous", "target_mean": False}, "number"),
        (EmbeddingRegressor(3, epochs=10, min_frequency=5), {}, "number"),
        (EmbeddingRegressor(3, epochs=10), {"rotation": None}, "number"),
        (EmbeddingRegressor(3, epochs=10), {"output": "first_order"}, "number"),
        (EmbeddingRegressor(3, prior=None, epochs=10), {}, "number"),
        (EmbeddingRegressor(3, prior=None, epochs=10), {"rotation": None}, "number"),
        (EmbeddingClassifier(3, epochs=10), {}, "three"),
        (EmbeddingClassifier(3, epochs=10), {"target_mean": True}, "three"),
        (EmbeddingClassifier(3, epochs=10), {"target_mean": True}, "binary"),
    ],
    ids=lambda value: str(value).replace("\n", "")[:50],
)
def test_new_rows_get_what_lies_among_the_folds(estimator, settings, outcome):
    X, y = draw()
    X = X[["a", "b"]].astype(object)
    X.iloc[:5, 0], X.iloc[5, 0] = "five rows", "one row"
    classes = {"binary": [0.0], "three": [-1.0, 1.0]}
    y = np.digitize(y, classes[outcome]) if outcome in classes else y
    encoder = EmbeddingEncoder(estimator, random_state=0, **settings)
    tables = fold_tables(encoder, X, y)
    assert sum(map(len, encoder.embeddings_)) >= 11
    for of_folds, found in zip(tables, encoder.embeddings_, strict=True):
        slack = 1e-5 * np.abs(of_folds).max()
        assert (of_folds.min(axis=0) - slack <= found).all()
        assert (found <= of_folds.max(axis=0) + slack).all()


def test_trees_behind_vectors_do_not_lose_frequent_tokens():
    flights = load_flights(as_frame=True)
    X, y = flights.data[:4_000], flights.target[:4_000]
    new, y_new = flights.data[-4_000:], flights.target[-4_000:]
    encoder = make(EmbeddingRegressor(4, epochs=10), target_type="continuous")
    scores = [
        make_pipeline(first, HistGradientBoostingRegressor(random_state=0))
        .fit(X, y)
        .score(new, y_new)
        for first in (encoder, TargetEncoder(target_type="continuous", random_state=0))
    ]
    assert scores[0] > scores[1] - 0.01


def test_few_rows_have_no_folds():
    X, y = [["a"], ["b"], ["a"]], [1.0, 2.0, 1.5]
    encoder = make().fit(X, y)
    assert_array_equal(encoder.category_counts_[0], [2, 1])
    assert np.isfinite(encoder.transform(X)).all()


def test_linear_models_behind_the_encoder_draw_no_warning():
    X, y = draw()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_pipeline(EmbeddingEncoder(random_state=0), Ridge()).fit(X, y)
