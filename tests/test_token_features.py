"""token_features: what is known of tokens besides."""

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
from skembed._data.token_features import token_features

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}
FILMS = np.array([f"f{i:03d}" for i in range(120)])


@parametrize_with_checks(
    [
        EmbeddingRegressor(categorical_features="all", token_features={}, **SMALL),
        EmbeddingClassifier(categorical_features="all", token_features={}, **SMALL),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def draw(n=1_500, seed=0):
    """Films with a year, a genre and a length that says nothing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "year": rng.uniform(1950, 2000, 120),
            "genre": rng.choice(["crime", "love", "war"], 120),
            "length": rng.normal(size=120),
        },
        index=FILMS,
    )
    effect = 0.06 * (frame["year"] - 1975) + frame["genre"].map(
        {"crime": 1.0, "love": -1.0, "war": 0.0}
    )
    effect = (effect + 0.4 * rng.normal(size=120)).to_numpy()
    films = rng.integers(0, 120, n)
    X = pd.DataFrame({"film": FILMS[films], "hour": rng.random(n)})
    y = effect[films] + X["hour"].to_numpy() + 0.5 * rng.normal(size=n)
    return X, y, frame, effect


@pytest.fixture(scope="module", name="fitted")
def regressor_of_films():
    X, y, frame, _ = draw()
    old = X["film"] < "f100"
    model = EmbeddingRegressor(token_features={"film": frame}, random_state=0)
    return model.fit(X[old], y[old])


def test_a_new_token_is_what_its_features_say(fitted):
    _, y, _, effect = draw()
    new = pd.DataFrame({"film": [*FILMS[100:], "f999"], "hour": 0.5})
    predicted = fitted.predict(new)
    assert np.corrcoef(predicted[:-1], effect[100:])[0, 1] > 0.85
    error = np.mean(np.square(predicted[:-1] - effect[100:] - 0.5))
    assert error < 0.3 < 0.8 < effect[100:].var()
    std = fitted.predict_std(new, include_noise=False)
    known = fitted.predict_std(new.assign(film="f003"), include_noise=False)
    assert std[:-1].min() > 1.3 * known[0]
    spread = fitted.prior_scales_[0][0] * y.std()
    assert 0.25 < spread < 0.6  # of films about their features
    assert std[-1] != std[0]


def test_vectors_have_what_features_say_in_them(fitted):
    _, _, frame, effect = draw()
    vectors = fitted.embeddings_[0]
    assert fitted.categories_[0].tolist() == FILMS[:100].tolist()
    assert np.corrcoef(vectors[:, 0], effect[:100])[0, 1] > 0.97
    assert (fitted.embeddings_std_[0] > 0).all()
    (known,) = fitted._fitted.encoder.described
    waves = [f"wave_{i}" for i in range(1, 5)]
    year, length = (
        [number, *(f"{number}_{wave}" for wave in waves)]
        for number in ("year", "length")
    )
    assert known.names == [*year, "genre_crime", "genre_love", "genre_war", *length]
    assert_allclose(np.square(known.factors[:-1]).sum(axis=1).mean(), 1.0)
    assert_array_equal(known.factors[-1], 0.0)
    assert_allclose(fitted.feature_importances_.sum(), 1.0)


def test_features_of_every_kind():
    frame = pd.DataFrame(
        {
            "number": [1.0, np.nan, 3.0],
            "flag": [True, False, True],
            "text": list("aab"),
        },
        index=["x", "y", "z"],
    )
    frame["text"] = list("aab")
    found = token_features(0, frame, "token")
    assert found.names == ["number", "flag", "text_a", "text_b"]
    scale = found.factors[0, 2]
    assert_allclose(found.factors[:3, 0], [-scale, 0.0, scale], atol=1e-12)
    assert_allclose(found.of_tokens(np.array(["b", "z"], dtype=object))[0], 0.0)
    # Categories of polars may be those of the whole process.
    pl.Series(["c", "d"], dtype=pl.Categorical)
    other = pl.from_pandas(frame.reset_index())
    assert_array_equal(token_features(0, other, "token").factors, found.factors)
    unused = frame.assign(text=pd.Categorical(frame["text"], list("dcba")))
    assert_array_equal(token_features(0, unused, "token").factors, found.factors)
    columns = {name: other[name].to_list() for name in other.columns}
    assert_array_equal(token_features(0, columns, "token").factors, found.factors)


@pytest.mark.parametrize("prior", ["normal", None])
def test_classes_and_points(prior):
    X, y, frame, _ = draw()
    labels = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    model = EmbeddingClassifier(3, (16,), prior=prior, epochs=20, random_state=0)
    model.set_params(token_features={"film": frame}, learning_rate=0.02).fit(X, labels)
    assert model.score(X, labels) > 0.65
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_other_tables_give_the_same_fit():
    X, y, frame, _ = draw(200)
    model = EmbeddingRegressor(**SMALL, token_features={"film": frame})
    expected = clone(model).fit(X, y)
    other = pl.from_pandas(frame.rename_axis("film").reset_index())
    changed = clone(model).set_params(token_features={0: other})
    equal_fits(changed.fit(pl.from_pandas(X), y), expected)
    shuffled = clone(model).set_params(token_features={"film": frame[::-1]})
    assert_allclose(shuffled.fit(X, y).predict(X), expected.predict(X), atol=1e-4)


def test_the_keras_model_says_the_same(fitted):
    X, _, _, _ = draw(30)
    inputs = fitted.model_inputs(X)
    assert inputs["codes_0"].shape == (30, 14)  # itself, 2 x 5 of numbers, 3 genres
    found = fitted.model_.predict(inputs, verbose=0).ravel()
    assert_allclose(found, fitted.predict(X), atol=1e-4)


def test_later_rows():
    X, y, frame, _ = draw(600)
    stream = EmbeddingRegressor(**SMALL, token_features={"film": frame})
    early = (X["film"] < "f060").to_numpy()
    stream.partial_fit(X[early], y[early])
    stream.partial_fit(X[~early], y[~early])
    assert stream.category_counts_[0].sum() == 600
    before = stream.predict(X)
    fresh = pd.DataFrame({"film": ["without"] * 9, "hour": 0.5})
    stream.fold_in(fresh, np.full(9, 30.0))
    assert stream.predict(fresh)[0] > before.max()
    old = fresh.assign(film="f003")
    stream.fold_in(old, np.full(9, 30.0))
    assert stream.predict(old)[0] > before.max()
    warm = EmbeddingRegressor(**SMALL, token_features={"film": frame}, warm_start=True)
    assert warm.fit(X[early], y[early]).fit(X, y).n_iter_ == 12


def test_searches_and_clones():
    X, y, frame, _ = draw(300)
    grid = {"token_features": [None, {"film": frame}]}
    search = GridSearchCV(EmbeddingRegressor(**SMALL), grid, cv=2).fit(X, y)
    assert len(search.cv_results_["mean_test_score"]) == 2
    copied = clone(EmbeddingRegressor(token_features={"film": frame}))
    pd.testing.assert_frame_equal(copied.token_features["film"], frame)


FRAME = pd.DataFrame({"a": [1.0, 2.0]}, index=["f000", "f001"])


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        (
            {"token_features": {"fim": FRAME}},
            ValueError,
            "names the column 'fim', which",
        ),
        (
            {"token_features": {"film": [1, 2]}},
            TypeError,
            "of the column 'film' must be",
        ),
        (
            {"token_features": {"film": FRAME.iloc[[0, 0]]}},
            ValueError,
            "column 'film' has several rows for one token",
        ),
        ({"token_features": {"film": {"film": ["a"]}}}, ValueError, "has no features"),
        (
            {"token_features": {"film": {"film": ["a"], "x": [1, 2]}}},
            ValueError,
            r"columns of \[1, 2\] rows",
        ),
        (
            {"token_features": {"film": FRAME}, "multi_valued_features": ["film"]},
            ValueError,
            "column 'film' is in token_features and in multi_valued_features",
        ),
        (
            {"token_features": {"film": FRAME}, "hierarchy": {"film": {"f000": "x"}}},
            ValueError,
            "column 'film' is in token_features and in hierarchy",
        ),
        ({"token_features": FRAME}, ValueError, "token_features"),
    ],
)
def test_what_is_no_feature_is_refused(more, error, message):
    X, y, _, _ = draw(30)
    with pytest.raises(error, match=message):
        EmbeddingRegressor(**SMALL, **more).fit(X, y)


@pytest.mark.parametrize("output", ["mean", "mean_std"])
def test_the_encoder_gives_a_new_token_what_its_features_say(output):
    X, y, frame, effect = draw()
    old = (X["film"] < "f100").to_numpy()
    encoder = EmbeddingEncoder(
        EmbeddingRegressor(3, (), epochs=20),
        categorical_features=["film"],
        token_features={"film": frame},
        output=output,
        random_state=0,
    )
    model = make_pipeline(encoder, Ridge()).fit(X[old], y[old])
    new = pd.DataFrame({"film": FILMS[100:], "hour": 0.5})
    out = encoder.transform(new)
    assert np.corrcoef(out[:, 0], effect[100:])[0, 1] > 0.8
    assert np.corrcoef(model.predict(new), effect[100:])[0, 1] > 0.8
    known = encoder.transform(X[:5])
    for film, vector in zip(X["film"][:5], known, strict=True):
        if film < "f100":
            at = encoder.categories_[0].tolist().index(film)
            assert_allclose(vector[:3], encoder.embeddings_[0][at], atol=1e-5)
            if output == "mean_std":
                spread = encoder.embeddings_std_[0][at]
                assert_allclose(vector[3:], spread, rtol=1e-3)
    encoder.partial_fit(X[:50], y[:50])


def test_similarity_and_displays(fitted):
    X, y, _, _ = draw(300)
    X = X[X["film"] < "f100"]
    y = y[X.index]
    for metric in ("euclidean", "outcome"):
        similarity = TokenSimilarity(FrozenEstimator(fitted), metric=metric).fit(X, y)
        assert len(similarity.most_similar("f003", n=5)) == 5
        assert similarity.transform(X[:3]).shape == (3, 100)
    display = EmbeddingDisplay.from_estimator(fitted)
    assert len(display.labels) == 100


def test_a_report_of_films(fitted):
    pytest.importorskip("bokeh")
    from skembed import TokenReport

    X, y, _, _ = draw(300)
    assert "100 tokens" in repr(TokenReport(fitted, X=X, y=y, verbose=False))
