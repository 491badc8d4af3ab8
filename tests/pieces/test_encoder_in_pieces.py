"""The encoder on rows that do not fit into memory: its folds are those of places."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pieces_cases import FEATURES, Broken, Changing, N, assert_nothing_left, same_bits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed import _settings as settings
from skembed._data.folds import Folds


def encoder(**params):
    return EmbeddingEncoder(
        EmbeddingRegressor(hidden_layer_sizes=(8,), epochs=12),
        categorical_features=["token", "other"],
        random_state=0,
        target_mean=True,
        **params,
    )


def test_an_encoder_of_rows_that_fit_into_memory(file, frame):
    X, y = frame[FEATURES], frame["y"]
    whole, found = encoder().fit(X, y), encoder().fit(file, "y")
    np.testing.assert_array_equal(found.transform(X), whole.transform(X))
    both = encoder(), encoder()
    vectors = both[0].fit_transform(file, "y")
    np.testing.assert_array_equal(vectors, both[1].fit_transform(X, y))
    pieces = list(found.transform([frame[:100], frame[100:300]]))
    assert [len(piece) for piece in pieces] == [100, 200]
    np.testing.assert_array_equal(np.concatenate(pieces), whole.transform(X[:300]))


def test_an_encoder_of_more_rows(file, frame, blocks):
    found = encoder(cv=10_000).fit(file, "y")  # no folds
    vectors = np.concatenate(list(found.transform(file)))
    X, y = frame[FEATURES], frame["y"]
    np.testing.assert_array_equal(vectors, found.transform(X))
    settings.IN_MEMORY_CELLS = 10**9  # monkeypatch puts it back
    whole = encoder(cv=10_000).fit(X, y)
    # First the mean outcomes, which are exact, then the vectors on their axes.
    at = found.get_feature_names_out().tolist().index("token_1")
    np.testing.assert_allclose(vectors[:, 0], whole.transform(X)[:, 0], atol=1e-9)
    assert np.corrcoef(vectors[:, at], whole.transform(X)[:, at])[0, 1] > 0.99
    found.set_output(transform="pandas")
    assert next(iter(found.transform(file))).columns[0] == "token_0"


def test_a_fold_depends_on_the_place_only():
    drawn = Folds(5, seed=3)
    fold = drawn.of(np.arange(10_000))
    np.testing.assert_array_equal(fold[7_000:7_100], drawn.of(np.arange(7_000, 7_100)))
    assert np.bincount(fold).min() > 1_850 and fold.max() == 4
    # Neither neighbours nor seeds say anything of it.
    for other in (fold[1:], Folds(5, seed=2).of(np.arange(10_000))):
        same = np.mean(fold[: len(other)] == other)
        assert same == pytest.approx(0.2, abs=0.02)


def test_vectors_of_a_row_are_of_the_other_folds(file, frame, blocks):
    found = encoder()
    vectors = found.fit_transform(file, "y")
    assert_nothing_left(blocks)
    assert iter(vectors) is vectors
    pieces = list(vectors)
    of_transform = [len(piece) for piece in found.transform(file)]
    assert [len(piece) for piece in pieces] == of_transform and len(pieces) > 5
    vectors = np.concatenate(pieces)
    # The mean outcome of a token says by which rows it was learned.
    X, y = frame[FEATURES], frame["y"]
    fold = Folds(5, seed=found._seed()).of(np.arange(N))
    of_token = (X["token"] == X["token"][0]).to_numpy()
    for k in range(5):
        rows, others = of_token & (fold == k), of_token & (fold != k)
        assert len(np.unique(vectors[rows], axis=0)) == len(X[rows]["other"].unique())
        raw = y[others].mean() - y.mean()
        assert vectors[rows][0, 0] == pytest.approx(raw, rel=0.2)
    # What is fitted is what fit gives; the vectors of both lie among those of folds.
    fitted = encoder().fit(file, "y")
    same_bits(found.estimator_, fitted.estimator_)
    same_bits(found.estimator_, regressor_of_encoder().fit(file, "y"))
    for a, b in zip(found.embeddings_, fitted.embeddings_, strict=True):
        np.testing.assert_array_equal(a, b)
    of_all = found.transform(X)
    np.testing.assert_array_equal(of_all, fitted.transform(X))
    tolerance = 1e-5
    for token in X["token"].unique()[:10]:
        at = (X["token"] == token).to_numpy()
        width = len(found.get_feature_names_out()) // 2
        low = vectors[at, :width].min(axis=0) - tolerance
        high = vectors[at, :width].max(axis=0) + tolerance
        assert (low <= of_all[at, :width]).all() and (of_all[at, :width] <= high).all()
    settings.IN_MEMORY_CELLS = 10**9  # monkeypatch puts it back
    whole = encoder().fit_transform(X, y)
    at = found.get_feature_names_out().tolist().index("token_1")
    for column in (0, at):
        assert np.corrcoef(vectors[:, column], whole[:, column])[0, 1] > 0.99
        slope = np.polyfit(whole[:, column], vectors[:, column], 1)[0]
        assert slope == pytest.approx(1.0, abs=0.05)


def regressor_of_encoder():
    return EmbeddingRegressor(
        hidden_layer_sizes=(8,),
        epochs=12,
        categorical_features=["token", "other"],
        random_state=0,
    )


@pytest.mark.parametrize("prior", ["normal", None])
def test_noise_teaches_the_next_model_nothing(prior, blocks):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.integers(0, 600, N), "b": rng.integers(0, 300, N)})
    y = rng.normal(size=N)
    rows = X.assign(y=y)
    found = EmbeddingEncoder(
        EmbeddingRegressor(4, epochs=12, prior=prior), random_state=0, target_mean=True
    )
    pieces = found.fit_transform([rows[:2_500], rows[2_500:]], "y")
    folded, plain = np.concatenate(list(pieces)), found.transform(X)

    def score(vectors):
        return Ridge(1e-6).fit(vectors, y).score(vectors, y)

    assert score(folded) < 0.003
    assert score(plain) > 0.05  # of its own rows it learns by heart


def test_folds_of_labels_and_weights_and_containers(frame, blocks):
    rows = frame[["token", "z", "label", "w"]]
    found = EmbeddingEncoder(
        EmbeddingClassifier(3, hidden_layer_sizes=(8,), epochs=3),
        categorical_features=["token"],
        remainder="passthrough",
        output="mean_std",
        cv=3,
        random_state=0,
    ).set_output(transform="pandas")
    pieces = list(found.fit_transform(pl.from_pandas(rows).lazy(), "label", "w"))
    table = pd.concat(pieces)
    assert table.columns.tolist() == found.get_feature_names_out().tolist()
    np.testing.assert_array_equal(table["z"], rows["z"])
    # Three vectors of each token, whatever the weight of the row.
    assert (table.groupby(rows["token"].to_numpy())["token_0"].nunique() <= 3).all()
    assert table["token_0"].nunique() > 2 * rows["token"].nunique()


@pytest.mark.parametrize(
    "params, given, message",
    [
        ({"cv": KFold(3)}, {}, "cv=KFold.* number of folds, such as cv=5"),
        ({"cv": [([0], [1]), ([1], [0])]}, {}, "number of folds, such as cv=5"),
        ({"shuffle": False}, {}, "shuffle=False makes folds of the positions"),
        ({"cv": GroupKFold(3)}, {"groups": np.arange(N)}, "groups .* positions"),
        ({"cv": 4_000}, {}, "cv=4000 needs 8000 rows"),
    ],
)
@pytest.mark.filterwarnings("ignore:The parameter shuffle:FutureWarning")
def test_folds_that_need_the_rows_in_memory(params, given, message, file, blocks):
    found = encoder(**params)
    with pytest.raises(ValueError, match=message):
        found.fit_transform(file, "y", **given)
    assert not hasattr(found, "estimator_")
    assert_nothing_left(blocks)


@pytest.mark.parametrize("last", [KeyboardInterrupt(), OSError("gone")])
def test_an_error_among_the_folds_leaves_the_encoder(last, file, frame, blocks):
    found = encoder().fit(frame[FEATURES], frame["y"])
    before = found.transform(frame[FEATURES])
    rows = frame[[*FEATURES, "y"]]
    counted = Broken(rows, 10**9, last)
    encoder().fit_transform(counted, "y")
    n_passes = 10**9 - counted.left
    # One pass less is left: it ends where the folds are coded.
    with pytest.raises(type(last)):
        found.fit_transform(Broken(rows, n_passes, last), "y")
    np.testing.assert_array_equal(found.transform(frame[FEATURES]), before)
    assert_nothing_left(blocks)


def test_rows_that_change_their_folds(frame, blocks):
    rows = frame[[*FEATURES, "y"]]
    shuffled = Changing(lambda n: rows.sample(frac=1.0, random_state=n))
    with pytest.raises(ValueError, match="in another order each time"):
        encoder().fit_transform(shuffled, "y")
    assert_nothing_left(blocks)


def test_a_frozen_predictor_reads_the_columns(in_memory, file, frame):
    found = EmbeddingEncoder(FrozenEstimator(in_memory)).fit(frame[FEATURES])
    pieces = found.transform(file)
    np.testing.assert_array_equal(next(pieces), found.transform(frame[FEATURES]))


def test_labels_choose_the_predictor_of_an_encoder(frame, blocks):
    rows = frame[["token", "label"]]
    found = EmbeddingEncoder(random_state=0).fit([rows], "label")
    assert found.target_type_ == "binary"
    assert found.classes_.tolist() == ["high", "low"]
