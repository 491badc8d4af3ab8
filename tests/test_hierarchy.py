"""hierarchy: columns of tokens that are within others."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from comparisons import equal_fits
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
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
from skembed._data.columns import as_table

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}
CHAIN = {"zip": ["county", "state"]}
STATE_OF = np.arange(12) // 3
COUNTY_OF = np.arange(120) // 10
COUNTIES = {f"z{i:03d}": f"c{c:02d}" for i, c in enumerate(COUNTY_OF)}
STATES = {f"c{i:02d}": f"s{s}" for i, s in enumerate(STATE_OF)}


@parametrize_with_checks(
    [
        EmbeddingRegressor(categorical_features="all", hierarchy={}, **SMALL),
        EmbeddingClassifier(categorical_features="all", hierarchy={}, **SMALL),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def draw(n=1_500, seed=0):
    """Zips in counties in states, each with an effect of its own."""
    rng = np.random.default_rng(seed)
    county = 2.0 * rng.normal(size=12) + rng.normal(size=4)[STATE_OF]
    effect = county[COUNTY_OF] + 0.6 * rng.normal(size=120)
    zips = rng.integers(0, 120, n)
    X = pd.DataFrame({"zip": [f"z{i:03d}" for i in zips], "size": rng.random(n)})
    X["county"] = X["zip"].map(COUNTIES)
    X["state"] = X["county"].map(STATES)
    y = effect[zips] + X["size"].to_numpy() + 0.5 * rng.normal(size=n)
    return X, y, county, effect


@pytest.fixture(scope="module", name="fitted")
def regressor_of_places():
    X, y, _, _ = draw()
    old = ~X["zip"].isin(["z005", "z015"])
    model = EmbeddingRegressor(hierarchy=CHAIN, random_state=0)
    return model.fit(X[old], y[old])


def test_vectors_are_within_those_of_the_parents(fitted):
    X, _, county, effect = draw()
    assert [v.shape[0] for v in fitted.embeddings_] == [118, 12, 4]
    zips, counties, states = fitted.embeddings_
    known = [int(z[1:]) for z in fitted.categories_[0]]
    assert np.corrcoef(zips[:, 0], effect[known])[0, 1] > 0.97
    assert np.corrcoef(counties[:, 0], county)[0, 1] > 0.98
    # What is left of a zip is a deviation, and has a scale of its own.
    scale = fitted.prior_scales_[0][0]
    apart = zips[:, 0] - counties[COUNTY_OF[known], 0]
    assert 0.5 * scale < apart.std() < 1.2 * scale
    assert scale < 0.7 * fitted.prior_scales_[1][0]
    columns = fitted.parents_[0]
    assert list(columns) == [2, 3]
    assert_array_equal(columns[2], [COUNTIES[z] for z in fitted.categories_[0]])
    assert_array_equal(fitted.parents_[2][3], list(STATES.values()))
    assert_allclose(fitted.feature_importances_.sum(), 1.0)


def test_an_unknown_token_is_its_parent_with_the_spread_of_tokens(fitted):
    new = pd.DataFrame(
        {"zip": ["z005", "z999"], "size": 0.5, "county": "c00", "state": "s0"}
    )
    X, y, _, effect = draw()
    mean, std = fitted.predict(new), fitted.predict_std(new, include_noise=False)
    assert mean[0] == mean[1] == pytest.approx(effect[:10].mean() + 0.5, abs=0.4)
    known = fitted.predict_std(new.assign(zip="z003"), include_noise=False)
    assert std[0] > 1.5 * known[0]
    spread = fitted.prior_scales_[0][0] * y.std()
    assert 0.7 * spread < std[0] < 1.5 * spread
    elsewhere = fitted.predict(new.assign(county="c99", state="s0"))
    unknown = fitted.predict_std(new.assign(county="c99"), include_noise=False)
    assert elsewhere[0] != mean[0]
    assert unknown[0] > 1.5 * std[0]


WAYS = {
    "columns": (CHAIN, []),
    "indices": ({0: [2, -1]}, []),
    "chain": ({"zip": ["county"], "county": "state"}, []),
    "mappings": ({"zip": [COUNTIES, STATES]}, ["county", "state"]),
    "series": ({"zip": [pd.Series(COUNTIES), STATES]}, ["county", "state"]),
    "frame": (
        {"zip": pd.DataFrame({"c": COUNTIES}).assign(s=lambda d: d["c"].map(STATES))},
        ["county", "state"],
    ),
    "both": ({"zip": ["county", STATES]}, ["state"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_parents_come_in_columns_or_mappings(way, fitted):
    hierarchy, left_out = WAYS[way]
    X, y, _, _ = draw(400)
    X = X.drop(columns=left_out)
    model = EmbeddingRegressor(3, (8,), epochs=15, random_state=0, hierarchy=hierarchy)
    model.fit(X, y)
    assert model.score(X, y) > 0.85
    assert len(model.embeddings_) == X.shape[1] - 1
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    new = X[:1].assign(zip="z999")
    if "county" in left_out:  # a mapping knows no parent of it
        assert model.predict(new) != model.predict(new.assign(zip="z005"))
    inputs = model.model_inputs(X)
    assert inputs["codes_0"].shape == (400, 3)
    found = model.model_.predict(inputs, verbose=0).ravel()
    assert_allclose(found, model.predict(X), atol=1e-4)


def test_a_mapping_knows_the_parents_of_new_tokens():
    X, y, _, effect = draw()
    old = ~X["zip"].isin(["z005", "z015"])
    model = EmbeddingRegressor(hierarchy={"zip": COUNTIES}, random_state=0)
    model.fit(X.loc[old, ["zip", "size"]], y[old])
    new = pd.DataFrame({"zip": ["z005", "z015"], "size": 0.5})
    expected = [effect[:10].mean() + 0.5, effect[10:20].mean() + 0.5]
    assert_allclose(model.predict(new), expected, atol=0.6)


def test_other_tables_give_the_same_fit():
    X, y, _, _ = draw(200)
    model = EmbeddingRegressor(**SMALL, hierarchy=CHAIN)
    expected = clone(model).fit(X, y)
    for table in (pl.from_pandas(X), pl.from_pandas(X).to_arrow()):
        equal_fits(clone(model).fit(table, y), expected)
    by_index = clone(model).set_params(hierarchy={0: [2, 3]})
    equal_fits(by_index.fit(X.to_numpy(dtype=object), y), expected)
    named = clone(model).set_params(categorical_features=[])
    assert named.fit(X, y).is_categorical_.tolist() == [True, False, True, True]


@pytest.mark.parametrize("prior", ["normal", None])
def test_classes_and_points(prior):
    X, y, _, _ = draw(800)
    labels = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    model = EmbeddingClassifier(3, (16,), prior=prior, epochs=20, random_state=0)
    model.set_params(hierarchy=CHAIN, learning_rate=0.02).fit(X, labels)
    assert model.score(X, labels) > 0.7
    assert model.embeddings_[0].shape == (120, 3)


def test_later_rows():
    X, y, _, _ = draw(600)
    stream = EmbeddingRegressor(**SMALL, hierarchy={"zip": ["county", STATES]})
    X = X.drop(columns="state")
    stream.partial_fit(X[:300], y[:300])
    later = X[300:].copy()
    later.iloc[:9, [0, 2]] = ["z500", "c50"]
    stream.partial_fit(later, y[300:])
    assert "z500" in stream.categories_[0]
    assert "c50" in stream.categories_[1]
    at = stream.categories_[0].tolist().index("z500")
    assert stream.parents_[0][2][at] == "c50"
    fresh = pd.DataFrame({"zip": ["z501"] * 9, "size": 0.5, "county": "c51"})
    before = stream.predict(X[:50])
    stream.fold_in(fresh, np.full(9, 40.0))
    assert stream.predict(fresh)[0] > before.max()
    assert_array_equal(stream.predict(X[:50]), before)
    sibling = fresh[:1].assign(zip="z502")  # new in the new county
    assert stream.predict(sibling)[0] > before.max()
    warm = EmbeddingRegressor(**SMALL, hierarchy={"zip": "county"}, warm_start=True)
    assert warm.fit(X[:300], y[:300]).fit(later, y[300:]).n_iter_ == 12


def test_searches_and_clones():
    X, y, _, _ = draw(300)
    grid = {"hierarchy": [None, CHAIN]}
    search = GridSearchCV(EmbeddingRegressor(**SMALL), grid, cv=2).fit(X, y)
    assert len(search.cv_results_["mean_test_score"]) == 2
    assert clone(EmbeddingRegressor(hierarchy=CHAIN)).hierarchy == CHAIN


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"hierarchy": {"zap": "county"}}, "hierarchy names the column 'zap', which X"),
        ({"hierarchy": {"zip": ["land"]}}, "hierarchy names the column 'land'"),
        ({"hierarchy": {"zip": []}}, "give the column 'zip' at least one parent"),
        ({"hierarchy": {"zip": ["zip"]}}, "twice or itself"),
        ({"hierarchy": {"zip": ["county", "county"]}}, "twice or itself"),
        (
            {"hierarchy": {"zip": "county", "county": "zip"}},
            "hierarchy has the column 'zip' within itself",
        ),
        (
            {"hierarchy": CHAIN, "multi_valued_features": ["county"]},
            "column 'county' is in hierarchy and in multi_valued_features",
        ),
        (
            {"hierarchy": CHAIN, "shared_features": [["zip", "size"]]},
            "column 'zip' is in hierarchy and in shared_features",
        ),
        ({"hierarchy": ["zip", "county"]}, "hierarchy"),
    ],
)
def test_what_is_no_hierarchy_is_refused(more, message):
    X, y, _, _ = draw(30)
    with pytest.raises(ValueError, match=message):
        EmbeddingRegressor(**SMALL, **more).fit(X, y)


@pytest.mark.parametrize("output", ["mean", "mean_std"])
def test_the_encoder_gives_a_new_token_its_parent(output):
    X, y, _, _ = draw()
    old = ~X["zip"].isin(["z005", "z015"])
    encoder = EmbeddingEncoder(
        EmbeddingRegressor(3, (16,), epochs=15),
        categorical_features=["zip", "county", "state"],
        hierarchy=CHAIN,
        output=output,
        rotation=None,
        random_state=0,
    )
    model = make_pipeline(encoder, Ridge()).fit(X[old], y[old])
    assert model.score(X, y) > 0.85
    out = encoder.transform(X[:5])
    for zip_, vector in zip(X["zip"][:5], out, strict=True):
        if zip_ in encoder.categories_[0]:
            at = encoder.categories_[0].tolist().index(zip_)
            assert_allclose(vector[:3], encoder.embeddings_[0][at], rtol=1e-4)
    new = X[:1].assign(zip="z005", county="c00", state="s0")
    width = 3 * (1 + (output == "mean_std"))
    (vector,) = encoder.transform(new)
    # Its vector is its county's, whose column comes next.
    assert_allclose(vector[:3], vector[width : width + 3], rtol=1e-4)
    if output == "mean_std":
        assert (vector[3:6] > vector[width + 3 : width + 6]).all()
    encoder.partial_fit(X[:50], y[:50])


def test_similarity_and_displays(fitted):
    X, y, _, _ = draw(300)
    for metric in ("euclidean", "outcome"):
        similarity = TokenSimilarity(
            FrozenEstimator(fitted), feature="zip", metric=metric
        ).fit(X, y)
        near = [token for token, _ in similarity.most_similar("z031", n=12)]
        assert len(near) == 12
    # With its zip a place changes its county, too.
    at = fitted.categories_[0].tolist()
    gap = np.linalg.norm(similarity._spaces[0].profiles[[at.index("z031")]])
    assert gap > 0.1
    display = EmbeddingDisplay.from_estimator(fitted, feature="county")
    assert len(display.labels) == 12


@pytest.mark.parametrize("levels", [["county", "state"], ["county", STATES]])
def test_exchanged_cells_take_their_own_parents_along(levels):
    X, y, _, _ = draw(200)
    model = EmbeddingRegressor(hierarchy={"zip": levels}, **SMALL | {"epochs": 1})
    encoder = model.fit(X, y)._fitted.encoder
    encoded, rows = encoder.transform(as_table(X)), np.arange(200)[::-1]
    for column, name in enumerate(X.columns):
        other = X.copy()
        other[name] = X[name].to_numpy()[rows]
        found = encoder.exchanged(encoded, rows, column)
        expected = encoder.transform(as_table(other))
        assert_array_equal(found.codes, expected.codes)
        assert_array_equal(found.blend.factors, expected.blend.factors)


def test_a_report_of_places(fitted):
    pytest.importorskip("bokeh")
    from skembed import TokenReport

    X, y, _, _ = draw(300)
    report = TokenReport(fitted, X=X, y=y, verbose=False)
    assert "3 columns" in repr(report)
    assert "3 columns" in repr(TokenReport(fitted, verbose=False))
