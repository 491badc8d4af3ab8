"""shared_features: columns of one vocabulary."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from comparisons import equal_fits
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import (
    EmbeddingClassifier,
    EmbeddingDisplay,
    EmbeddingEncoder,
    EmbeddingRegressor,
    TokenSimilarity,
)
from skembed.export import to_onnx, to_table

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}
TEAMS = np.array([f"t{i:02d}" for i in range(16)])
GROUPS = [["home", "away"]]


@parametrize_with_checks(
    [
        EmbeddingRegressor(categorical_features="all", shared_features=[], **SMALL),
        EmbeddingClassifier(categorical_features="all", shared_features=[], **SMALL),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def draw(n=600, seed=0):
    """Matches: strengths that add up, and styles that suit each other or not."""
    rng = np.random.default_rng(seed)
    strength, style = rng.normal(0, 1, 16), rng.normal(0, 1, (16, 2))
    home = rng.integers(0, 16, n)
    away = (home + rng.integers(1, 16, n)) % 16
    f = strength[home] - strength[away] + (style[home] * style[away]).sum(axis=1)
    X = pd.DataFrame({"home": TEAMS[home], "rain": rng.random(n), "away": TEAMS[away]})
    return X, f + 0.5 * rng.normal(size=n), f


@pytest.fixture(scope="module", name="fitted")
def regressor_of_matches():
    X, y, _ = draw(1_500)
    model = EmbeddingRegressor(4, shared_features=GROUPS, random_state=0)
    return model.fit(X.drop(columns="rain"), y)


def test_one_vocabulary_and_effects_of_each_column(fitted):
    X, _, _ = draw(1_500)
    assert fitted.categories_[0] is fitted.categories_[1]
    assert fitted.categories_[0].tolist() == TEAMS.tolist()
    for k, column in enumerate(("home", "away")):
        counts = X[column].value_counts().sort_index()
        assert_array_equal(fitted.category_counts_[k], counts)
    home, away = fitted.embeddings_
    assert home.shape == away.shape == (16, 4)
    assert_array_equal(home[:, 1:], away[:, 1:])
    assert np.corrcoef(home[:, 0], away[:, 0])[0, 1] < -0.7
    for spread in fitted.embeddings_std_:
        assert (spread > 0).all()
    scales = [scales[0] for scales in fitted.prior_scales_]
    assert min(scales) > 0.1
    assert scales[0] != scales[1]
    assert fitted.n_active_dims_[0] >= 2


def test_a_token_of_one_column_is_known_in_the_other():
    X, y, f = draw(3_000)
    new = X["away"].isin(["t03", "t07", "t11"]).to_numpy()
    X = X[["home", "away"]]
    errors = {}
    for name, groups in (("apart", None), ("shared", GROUPS)):
        model = EmbeddingRegressor(shared_features=groups, random_state=0)
        model.fit(X[~new][:1_200], y[~new][:1_200])
        errors[name] = np.mean(np.square(model.predict(X[new]) - f[new]))
    assert errors["shared"] < 0.8 * errors["apart"]
    at = list(TEAMS).index("t03")
    assert model.category_counts_[1][at] == 0
    away = model.embeddings_[1]
    assert away[at, 0] == pytest.approx(0.0, abs=1e-6)  # the prior of the column
    assert np.abs(away[at, 1:]).max() > 0.1
    assert model.embeddings_std_[1][at, 0] > 2 * model.embeddings_std_[1][0, 0]


SAME = {
    "indices": (lambda X: X, [[0, 2]]),
    "order": (lambda X: X, [["away", "home"]]),
    "array": (lambda X: X.to_numpy(dtype=object), [np.array([0, -1])]),
    "polars": (pl.from_pandas, (("home", "away"),)),
    "arrow": (lambda X: pl.from_pandas(X).to_arrow(), GROUPS),
    "categories": (lambda X: X.astype({"home": "category"}), GROUPS),
    "named": (lambda X: X, GROUPS),
}


@pytest.mark.parametrize("kind", SAME)
def test_the_same_columns_in_other_tables_are_the_same_fit(kind):
    X, y, _ = draw(150)
    change, groups = SAME[kind]
    expected = EmbeddingRegressor(**SMALL, shared_features=GROUPS).fit(X, y)
    found = EmbeddingRegressor(**SMALL, shared_features=groups)
    if kind == "named":  # names imply tokens
        found.set_params(categorical_features=[])
    equal_fits(found.fit(change(X), y), expected)
    assert_array_equal(found.predict(change(X)), expected.predict(X))
    assert_allclose(found.feature_importances_.sum(), 1.0)


def test_tokens_of_different_kinds_are_one_vocabulary():
    X = pd.DataFrame({"a": [1, 2, 3] * 20, "b": ["x", 2.0, None] * 20, "c": 1.5})
    y = np.arange(60.0) % 3
    model = EmbeddingRegressor(**SMALL, shared_features=[["a", "b"]]).fit(X, y)
    assert model.categories_[1].tolist() == [1, 2, 3, "x", None]
    assert model.category_counts_[0].tolist() == [20, 20, 20, 0, 0]
    assert model.category_counts_[1].tolist() == [0, 20, 0, 20, 20]


def test_rare_tokens_are_rare_in_all_columns_together():
    X = pd.DataFrame({"a": list("uvw") * 20, "b": list("vwu") * 20})
    X.loc[0] = ["s", "t"]
    X.loc[1, "b"] = "t"
    X.loc[2, "a"] = "t"
    model = EmbeddingRegressor(**SMALL, min_frequency=3, shared_features=[["a", "b"]])
    model.fit(X, np.arange(60.0))
    assert [found.tolist() for found in model.infrequent_categories_] == [["s"]] * 2


@pytest.mark.parametrize("prior", ["normal", None])
def test_classes_and_points(prior):
    X, _, f = draw(600)
    labels = np.digitize(f, [-1.0, 1.0])
    model = EmbeddingClassifier(4, (16,), prior=prior, epochs=20, random_state=0)
    model.set_params(shared_features=GROUPS, learning_rate=0.02).fit(X, labels)
    assert model.score(X, labels) > 0.6
    home, away = model.embeddings_
    n_first = 3 if prior else 0
    assert_array_equal(home[:, n_first:], away[:, n_first:])
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_later_rows():
    X, y, _ = draw(400)
    stream = EmbeddingRegressor(**SMALL, shared_features=GROUPS)
    stream.partial_fit(X[:150], y[:150])
    later = X[150:300].copy()
    later.iloc[:9, 0], later.iloc[9:12, 2] = "new", "newer"
    stream.partial_fit(later, y[150:300])
    assert stream.categories_[0].tolist() == ["new", "newer", *TEAMS]
    assert stream.categories_[0] is stream.categories_[1]
    assert stream.category_counts_[0][:2].tolist() == [9, 0]
    assert stream.category_counts_[1][:2].tolist() == [0, 3]
    home, away = stream.embeddings_
    assert_array_equal(home[:, 1:], away[:, 1:])
    before = stream.predict(X[:50])
    only = pd.DataFrame({"home": "last", "rain": 0.5, "away": ["newer"] * 9})
    stream.fold_in(only, np.full(9, 9.0))
    assert stream.predict(only)[0] > before.max()
    assert_array_equal(stream.predict(X[:50]), before)
    warm = EmbeddingRegressor(**SMALL, shared_features=GROUPS, warm_start=True)
    assert warm.fit(X[:200], y[:200]).fit(later, y[150:300]).n_iter_ == 12


def test_the_keras_model_says_the_same(fitted):
    X, _, _ = draw(30)
    inputs = fitted.model_inputs(X[["home", "away"]])
    assert inputs["codes_0"].shape == (30, 2)
    found = fitted.model_.predict(inputs, verbose=0).ravel()
    assert_allclose(found, fitted.predict(X[["home", "away"]]), atol=1e-4)


def test_searches_and_clones():
    X, y, _ = draw(200)
    grid = {"shared_features": [None, GROUPS]}
    search = GridSearchCV(EmbeddingRegressor(**SMALL), grid, cv=2).fit(X, y)
    assert len(search.cv_results_["mean_test_score"]) == 2
    assert clone(search.best_estimator_).set_params(shared_features=GROUPS)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([["home", "guest"]], "shared_features names the column 'guest', which X does"),
        ([["home"]], "must name two columns or more in a group"),
        ([["home", "home"]], "each of them once"),
        ([["home", "away"], ["rain", "home"]], "each of them once"),
        (["home", "away"], "list of groups of columns.*got an entry 'home'"),
        ([[0, 7]], "shared_features has the index 7, but X has 3 columns"),
        ("home", "shared_features"),
    ],
)
def test_what_names_no_columns_is_refused(groups, message):
    X, y, _ = draw(20)
    with pytest.raises(ValueError, match=message):
        EmbeddingRegressor(**SMALL, shared_features=groups).fit(X, y)


def test_vectors_of_a_group_are_of_one_length():
    X, y, _ = draw(20)
    model = EmbeddingRegressor([2, 3], shared_features=GROUPS)
    with pytest.raises(ValueError, match=r"one group .* lengths \[2, 3\]"):
        model.fit(X, y)
    model.set_params(embedding_dim=[3, 3], epochs=1).fit(X, y)
    assert [vectors.shape[1] for vectors in model.embeddings_] == [3, 3]


def test_unknown_tokens_are_named():
    X, y, _ = draw(60)
    model = EmbeddingRegressor(**SMALL, shared_features=GROUPS, handle_unknown="error")
    model.fit(X, y)
    with pytest.raises(ValueError, match="unknown tokens 'nobody' in column 'away'"):
        model.predict(X[:1].assign(away="nobody"))


@pytest.mark.parametrize("output", ["mean", "mean_std", "first_order"])
def test_the_encoder(output):
    X, y, f = draw(900)
    estimator = EmbeddingRegressor(4, (16,), epochs=20)
    encoder = EmbeddingEncoder(
        estimator,
        categorical_features=["home", "away"],
        shared_features=GROUPS,
        output=output,
        rotation=None,
        random_state=0,
    )
    model = make_pipeline(encoder, Ridge()).fit(X[:700], y[:700])
    assert encoder.categories_[0] is encoder.categories_[1]
    home, away = encoder.embeddings_
    assert_array_equal(home[:, 1:], away[:, 1:])
    assert model.score(X[700:], f[700:]) > 0.2
    out = encoder.transform(X[:1])
    at = list(TEAMS).index(X["home"][0])
    assert_allclose(out[0, : home.shape[1]], home[at], rtol=1e-6)
    encoder.partial_fit(X[:50], y[:50])


def test_columns_of_several_tokens_share_too():
    rng = np.random.default_rng(0)
    names = np.array(list("abcdef"))
    cells = [["|".join(rng.choice(names, 2)) for _ in range(300)] for _ in range(2)]
    X = pd.DataFrame({"ours": cells[0], "theirs": cells[1]})
    y = X["ours"].str.count("a") - X["theirs"].str.count("b") + rng.normal(0, 0.1, 300)
    model = EmbeddingRegressor(3, (8,), epochs=30, random_state=0)
    both = {"shared_features": [["ours", "theirs"]]}
    model.set_params(multi_valued_features=["ours", "theirs"], **both).fit(X, y)
    assert model.categories_[0].tolist() == list("abcdef")
    assert model.score(X, y) > 0.9
    inputs = model.model_inputs(X[:5])
    assert inputs["codes_0"].shape == (5, 4)
    found = model.model_.predict(inputs, verbose=0).ravel()
    assert_allclose(found, model.predict(X[:5]), atol=1e-4)


def test_similarity_and_displays(fitted):
    X, y, _ = draw(200)
    from sklearn.frozen import FrozenEstimator

    similarity = TokenSimilarity(FrozenEstimator(fitted), feature="away").fit(
        X[["home", "away"]], y
    )
    assert similarity.transform(X[["home", "away"]][:3]).shape == (3, 16)
    display = EmbeddingDisplay.from_estimator(fitted, feature="home")
    assert display.labels == TEAMS.tolist()


@pytest.mark.parametrize("n_numbers", [0, 1])
def test_onnx_says_the_same(n_numbers):
    pytest.importorskip("onnxruntime")
    import onnxruntime

    X, y, _ = draw(400)
    columns = ["home", "away", *["rain"] * n_numbers]
    model = EmbeddingRegressor(**SMALL, shared_features=GROUPS).fit(X[columns], y)
    graph = to_onnx(model, outputs=["prediction", "std", "vectors"])
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    feeds = {name: X[[name]].to_numpy() for name in columns}
    predicted, std, vectors = session.run(None, feeds)
    assert_allclose(predicted[:, 0], model.predict(X[columns]), rtol=1e-5, atol=1e-5)
    assert_allclose(std[:, 0], model.predict_std(X[columns]), rtol=1e-4)
    at = [list(TEAMS).index(team) for team in X["away"]]
    assert_allclose(vectors[:, 3:], model.embeddings_[1][at], rtol=1e-5)
    encoder = EmbeddingEncoder(
        EmbeddingRegressor(**SMALL),
        categorical_features=["home", "away"],
        shared_features=GROUPS,
    ).fit(X[["home", "away"]], y)
    session = onnxruntime.InferenceSession(to_onnx(encoder).SerializeToString())
    (out,) = session.run(None, {name: feeds[name] for name in ("home", "away")})
    assert_allclose(out, encoder.transform(X[["home", "away"]]), rtol=1e-5, atol=1e-6)


def test_tables_for_sql(fitted):
    pytest.importorskip("pyarrow")
    assert to_table(fitted).num_rows > 0


def test_a_report_of_shared_columns(fitted):
    pytest.importorskip("bokeh")
    from skembed import TokenReport

    assert "2 columns, 32 tokens" in repr(TokenReport(fitted, verbose=False))
