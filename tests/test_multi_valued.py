"""multi_valued_features: columns whose cells hold several tokens."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
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
    SimilarityDisplay,
    TokenOutcomeDisplay,
    TokenSimilarity,
)
from skembed.export import to_frame, to_onnx

GENRES = np.array(["action", "crime", "drama", "love", "noir", "western"])
EFFECTS = np.array([-3.0, -1.0, 0.0, 1.0, 2.0, 4.0])
SMALL = {"embedding_dim": 2, "hidden_layer_sizes": (8,), "epochs": 8, "random_state": 0}


@parametrize_with_checks(
    [
        EmbeddingRegressor(multi_valued_features=[0], **SMALL),
        EmbeddingClassifier(multi_valued_features=[0], **SMALL),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def draw(n=600, seed=0):
    """Films of one to three genres, and a house; outcomes are means of effects."""
    rng = np.random.default_rng(seed)
    cells = [rng.choice(6, rng.integers(1, 4), replace=False) for _ in range(n)]
    house = rng.integers(0, 4, n)
    f = np.array([EFFECTS[cell].mean() for cell in cells]) + house
    lists = [GENRES[cell].tolist() for cell in cells]
    X = pd.DataFrame({"genres": lists, "house": house})
    return X, f + 0.3 * rng.normal(size=n), f


def joined(X, delimiter="|"):
    return X.assign(genres=X["genres"].map(delimiter.join))


@pytest.fixture(scope="module", name="fitted")
def regressor_of_lists():
    X, y, _ = draw(1_500)
    return EmbeddingRegressor(random_state=0).fit(X, y)


def test_what_is_learned_is_of_single_tokens(fitted):
    X, y, f = draw(seed=1)
    assert fitted.categories_[0].tolist() == GENRES.tolist()
    assert fitted.multi_valued_features_ == {0: None}
    assert fitted.is_categorical_.tolist() == [True, True]
    assert np.corrcoef(fitted.embeddings_[0][:, 0], EFFECTS)[0, 1] > 0.999
    assert np.sqrt(np.mean(np.square(fitted.predict(X) - f))) < 0.1
    low, high = fitted.predict_interval(X).T
    assert 0.86 < np.mean((low < y) & (y < high)) < 0.94
    # A row counts once for each of its genres.
    X, _, _ = draw(1_500)
    of_drama = X["genres"].map(lambda cell: "drama" in cell).sum()
    assert fitted.category_counts_[0][2] == of_drama
    assert fitted.category_counts_[1].sum() == 1_500


def test_the_mean_is_that_of_its_tokens(fitted):
    one = pd.DataFrame({"genres": [["drama"], ["noir"]], "house": 0})
    both = pd.DataFrame({"genres": [["noir", "drama"], ["drama", "noir"]], "house": 0})
    of_one, of_both = fitted.predict(one), fitted.predict(both)
    assert_array_equal(of_both[0], of_both[1])
    assert of_both[0] == pytest.approx(of_one.mean(), abs=0.1)
    twice = pd.DataFrame({"genres": [["noir", "noir", "drama"]], "house": 0})
    weighed = pd.DataFrame({"genres": [{"noir": 4.0, "drama": 2}], "house": 0})
    assert_array_equal(fitted.predict(twice), fitted.predict(weighed))
    assert fitted.predict(twice)[0] > of_both[0]


def test_unknown_and_missing_tokens(fitted):
    cells = [["polka"], ["polka", "western"], ["western"], [], None]
    X = pd.DataFrame({"genres": cells, "house": 0})
    unknown, half, known, *empty = fitted.predict(X)
    assert unknown < half < known
    # Fit saw no empty cell. A product's last bit depends on a row's place in it.
    assert_allclose(empty, unknown, rtol=1e-12)
    std = fitted.predict_std(X, include_noise=False)
    assert std[0] > std[1] > std[2]
    refusing = clone(fitted).set_params(handle_unknown="error", epochs=1)
    refusing.fit(*draw(100)[:2])
    with pytest.raises(ValueError, match="unknown tokens 'polka' in column 'genres'"):
        refusing.predict(X[1:2])
    X, y, _ = draw(200)
    X.iloc[:60, 0] = None
    missing = EmbeddingRegressor(**SMALL).fit(X, y)
    assert missing.categories_[0][-1] is None
    assert missing.category_counts_[0][-1] == 60


SAME = {
    "text": (joined, ["genres"]),
    "delimiter": (lambda X: joined(X, ", "), {"genres": ","}),
    "order": (lambda X: X.assign(genres=X["genres"].map(lambda c: c[::-1])), "auto"),
    "sets": (lambda X: X.assign(genres=X["genres"].map(set)), "auto"),
    "tuples": (lambda X: X.assign(genres=X["genres"].map(tuple)), {"genres": None}),
    "polars": (pl.from_pandas, "auto"),
    "arrow": (lambda X: pl.from_pandas(X).to_arrow(), "auto"),
    "mask": (joined, [True, False]),
    "object array": (lambda X: X.to_numpy(dtype=object), "auto"),
    "index": (lambda X: joined(X).to_numpy(), {-2: "|"}),
}


@pytest.mark.parametrize("kind", SAME)
def test_the_same_cells_in_other_tables_are_the_same_fit(kind):
    X, y, _ = draw(120)
    change, wanted = SAME[kind]
    small = {**SMALL, "categorical_features": "all", "epochs": 2}
    expected = EmbeddingRegressor(**small).fit(X, y)
    found = EmbeddingRegressor(**small, multi_valued_features=wanted)
    equal_fits(found.fit(change(X), y), expected)
    assert_array_equal(found.predict(change(X)), expected.predict(X))


def test_order_of_rows_and_copies_do_not_matter():
    X, y, _ = draw(120)
    times = np.random.default_rng(0).integers(1, 3, 120)
    copies = np.repeat(np.arange(120), times)[::-1]
    model = EmbeddingRegressor(**SMALL)
    weighted = clone(model).fit(X, y, times)
    equal_fits(weighted, clone(model).fit(X.iloc[copies], y[copies]))


def test_a_sum_counts_tokens():
    X, _, _ = draw(600)
    y = X["genres"].map(len).to_numpy() * 2.0
    total = EmbeddingRegressor(2, (), random_state=0, combiner="sum").fit(X, y)
    mean = EmbeddingRegressor(2, (), random_state=0).fit(X, y)
    assert total.score(X, y) > 0.99 > 0.5 > mean.score(X, y)
    alone = pd.DataFrame({"genres": [["drama"] * 3, {"drama": 3.0}], "house": 1})
    assert total.predict(alone)[0] == pytest.approx(6.0, abs=0.3)
    assert_allclose(*total.predict(alone), rtol=1e-12)


@pytest.mark.parametrize("prior", ["normal", None])
def test_classes_and_points(prior):
    X, _, f = draw(600)
    labels = np.digitize(f, [0.5, 2.0])
    model = EmbeddingClassifier(3, (16,), prior=prior, epochs=30, random_state=0)
    model.set_params(learning_rate=0.02).fit(X, labels)
    assert model.score(X, labels) > 0.85
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_rare_tokens_are_pooled_and_told_by_their_counts():
    X, y, _ = draw(200)
    X.at[0, "genres"] = ["silent", "drama"]
    model = EmbeddingRegressor(**SMALL, min_frequency=5).fit(X, y)
    assert model.infrequent_categories_[0].tolist() == ["silent"]
    share = EmbeddingRegressor(**SMALL, min_frequency=0.2).fit(X, y)
    assert share.infrequent_categories_[0].tolist() == ["silent"]


def test_later_rows():
    X, y, _ = draw(400)
    stream = EmbeddingRegressor(**SMALL)
    stream.partial_fit(X[:150], y[:150])
    longer = X[150:300].copy()
    longer.iloc[0, 0] = [*GENRES, "polka"]  # more than any cell before
    stream.partial_fit(longer, y[150:300])
    assert stream.categories_[0].tolist() == [*GENRES[:4], "noir", "polka", "western"]
    assert stream.category_counts_[1].sum() == 300
    before = stream.predict(X[:50])
    new = pd.DataFrame({"genres": [["waltz"]] * 9, "house": 0})
    stream.fold_in(new, np.full(9, 9.0))
    assert stream.predict(new)[0] > stream.predict(X[:50]).max()
    others = (X["house"][:50] > 0).to_numpy()
    assert_array_equal(stream.predict(X[:50])[others], before[others])
    warm = EmbeddingRegressor(**SMALL, warm_start=True).fit(X[:200], y[:200])
    assert warm.fit(longer, y[150:300]).embeddings_[0].shape == (7, 2)
    early = EmbeddingRegressor(**SMALL, early_stopping=True).fit(X, y)
    assert len(early.validation_loss_curve_) == early.n_iter_


def test_the_keras_model_says_the_same(fitted):
    X, _, _ = draw(30)
    inputs = fitted.model_inputs(X)
    assert inputs["codes_0"].shape == inputs["factors_0"].shape == (30, 3)
    assert inputs["codes_1"].shape == (30, 1)
    found = fitted.model_.predict(inputs, verbose=0).ravel()
    assert_allclose(found, fitted.predict(X), atol=1e-4)


def test_searches_and_clones():
    X, y, _ = draw(200)
    grid = {"multi_valued_features": [None, ["genres"]]}
    search = GridSearchCV(EmbeddingRegressor(**SMALL), grid, cv=2).fit(joined(X), y)
    assert search.best_params_ == {"multi_valued_features": ["genres"]}
    wanted = {"genres": "|"}
    model = clone(EmbeddingRegressor(multi_valued_features=wanted, combiner="sum"))
    assert model.get_params()["multi_valued_features"] == wanted
    assert model.combiner == "sum"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["genre"], "multi_valued_features names the column 'genre', which X does not"),
        ({"genres": ""}, "gives the column 'genres' the delimiter ''; it must be"),
        ({"genres": 3}, "gives the column 'genres' the delimiter 3"),
        ([5], "multi_valued_features has the index 5, but X has 2 columns"),
        ([True], r"multi_valued_features set as a boolean mask must have shape \(2,\)"),
        ("genres", "multi_valued_features"),
    ],
)
def test_what_names_no_column_is_refused(wanted, message):
    X, y, _ = draw(20)
    model = EmbeddingRegressor(**SMALL, multi_valued_features=wanted)
    with pytest.raises(ValueError, match=message):
        model.fit(joined(X), y)


def test_lists_where_one_token_is_needed_are_named():
    X, y, _ = draw(20)
    model = EmbeddingRegressor(**SMALL, multi_valued_features=None)
    with pytest.raises(TypeError, match="Column 'genres' of X holds nested values"):
        model.fit(pl.from_pandas(X), y)
    numbers = EmbeddingRegressor(**SMALL, categorical_features=["house"])
    with pytest.raises(
        (TypeError, ValueError), match="column 'genres'|Column 'genres'"
    ):
        numbers.fit(pl.from_pandas(X), y)


def test_naming_a_column_makes_it_one_of_tokens():
    X, y, _ = draw(60)
    model = EmbeddingRegressor(**SMALL, multi_valued_features=["genres"])
    model.set_params(categorical_features=["house"]).fit(joined(X), y)
    assert model.is_categorical_.tolist() == [True, True]


@pytest.mark.parametrize("output", ["mean", "mean_std", "first_order"])
def test_the_encoder_gives_the_mean_of_the_vectors(output):
    X, y, _ = draw(400)
    encoder = EmbeddingEncoder(EmbeddingRegressor(**SMALL), output=output)
    out = encoder.fit(X, y).transform(X)
    n = encoder.embeddings_[0].shape[1]
    vectors = dict(zip(GENRES, encoder.embeddings_[0], strict=True))
    mean = np.array([np.mean([vectors[g] for g in cell], 0) for cell in X["genres"]])
    assert_allclose(out[:, :n], mean, atol=1e-5)
    if output == "mean_std":
        spread = dict(zip(GENRES, np.square(encoder.embeddings_std_[0]), strict=True))
        spread = [
            np.sqrt(np.mean([spread[g] for g in c], 0) / len(c)) for c in X.genres
        ]
        assert_allclose(out[:, n : 2 * n], spread, rtol=1e-4)
    single = encoder.transform(pd.DataFrame({"genres": GENRES, "house": 0}))
    back = encoder.inverse_transform(single)
    assert back[:, 0].tolist() == GENRES.tolist()


def test_the_encoder_in_front_of_a_linear_model():
    X, y, f = draw(800)
    for table, wanted in ((X, "auto"), (joined(X), ["genres"])):
        encoder = EmbeddingEncoder(multi_valued_features=wanted, random_state=0)
        model = make_pipeline(encoder, Ridge()).fit(table[:600], y[:600])
        assert np.corrcoef(model.predict(table[600:]), f[600:])[0, 1] > 0.98
        means = encoder.embeddings_[0][:, 0]  # in front: mean outcomes
        assert np.corrcoef(means, EFFECTS)[0, 1] > 0.95
    chunks = EmbeddingEncoder(EmbeddingRegressor(**SMALL), target_mean=True)
    chunks.partial_fit(X[:300], y[:300]).partial_fit(X[300:], y[300:])
    assert chunks.category_counts_[1].sum() == 800


def test_similarity_and_displays_are_of_single_tokens(fitted):
    X, y, _ = draw(200)
    for metric in ("euclidean", "cosine", "outcome"):
        similarity = TokenSimilarity(
            sklearn.frozen.FrozenEstimator(fitted), feature="genres", metric=metric
        ).fit(X, y)
        assert similarity.targets_[0].tolist() == GENRES.tolist()
        near = dict(similarity.most_similar("western"))
        assert near["noir"] == min(near.values())
        distances = similarity.transform(X[:5])
        assert distances.shape == (5, 6)
        assert np.isfinite(distances).all()
    alone = X.assign(genres=[[g] for g in np.resize(GENRES, 200)])
    assert_allclose(np.diag(similarity.transform(alone[:6])), 0.0, atol=1e-5)
    display = EmbeddingDisplay.from_estimator(fitted, feature="genres")
    assert display.labels == GENRES.tolist()
    display = SimilarityDisplay.from_estimator(fitted, X, feature=0, metric="outcome")
    assert sorted(display.labels) == GENRES.tolist()
    display = TokenOutcomeDisplay.from_estimator(fitted, X, y, feature="genres")
    assert sorted(display.tokens) == GENRES.tolist()
    assert len(display.frame()) == X["genres"].map(len).sum()
    assert len(to_frame(fitted, feature="genres")) == 6


@pytest.mark.parametrize("container", ["lists", "text", "polars", "nothing"])
def test_a_report_of_several_tokens(container, tmp_path):
    pytest.importorskip("bokeh")
    from skembed import TokenReport

    X, y, _ = draw(200)
    wanted = ["genres"] if container == "text" else "auto"
    X = {"text": joined, "polars": pl.from_pandas}.get(container, lambda X: X)(X)
    model = EmbeddingRegressor(**SMALL, multi_valued_features=wanted).fit(X, y)
    rows = {} if container == "nothing" else {"X": X, "y": y}
    TokenReport(model, **rows).write_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_onnx_refuses_them_by_name(fitted):
    pytest.importorskip("onnx")
    with pytest.raises(TypeError, match="column 'genres' hold several tokens"):
        to_onnx(fitted)
