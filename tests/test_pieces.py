"""Fits, predictions and scores of rows that are read in pieces."""

import errno
import gc
import os
import tempfile

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed_rows import mixed_rows
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed import _settings as settings
from skembed._data import spill
from skembed._data.folds import Folds

N = 6_000


@pytest.fixture(scope="module")
def frame():
    """Rows sorted the worst way: by the outcome."""
    frame = mixed_rows(N)
    frame["label"] = np.where(frame["y"] > 0.5, "high", "low")
    return frame.sort_values("y").reset_index(drop=True)


FEATURES = ["token", "other", "z"]


@pytest.fixture(scope="module")
def file(frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    frame[[*FEATURES, "y"]].to_parquet(path, row_group_size=500)
    return path


@pytest.fixture
def blocks(monkeypatch, tmp_path):
    """Limits so small that some thousand rows are many; the folder of the disk."""
    small = {
        "IN_MEMORY_CELLS": 1_000,
        "CHUNK_ROWS": 700,
        "BATCH_ROWS": 200,
        "SURVEY_ROWS": 2_000,
        "TALLY_LEAST": 10,
        "BUCKET_ROWS": 1_000,
        "BLOCK_ROWS": 1_500,
    }
    for name, value in small.items():
        monkeypatch.setattr(settings, name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def regressor(**params):
    return EmbeddingRegressor(
        **{"hidden_layer_sizes": (8,), "epochs": 12, "random_state": 0, **params}
    )


@pytest.fixture(scope="module")
def in_memory(frame):
    return regressor().fit(frame[FEATURES], frame["y"])


def same_bits(a, b):
    np.testing.assert_array_equal(a.embeddings_[0], b.embeddings_[0])
    for name, value in a._fitted.weights.dense.items():
        np.testing.assert_array_equal(value, b._fitted.weights.dense[name])
    assert a.loss_curve_ == b.loss_curve_


def test_rows_that_fit_into_memory_give_the_same_bits(file, frame, in_memory):
    found = regressor().fit(file, "y")
    same_bits(found, in_memory)
    assert found.feature_names_in_.tolist() == FEATURES
    X = frame[FEATURES][:50]
    np.testing.assert_array_equal(
        found.predict_interval(X), in_memory.predict_interval(X)
    )


def covered(model, X, y):
    low, high = model.predict_interval(X, 0.8).T
    return np.mean((low < y) & (y < high))


def test_blocks_of_a_sorted_file_are_as_good(file, frame, in_memory, blocks):
    found = regressor().fit(file, "y")
    X, y = frame[FEATURES], frame["y"]
    assert found.score(X, y) > in_memory.score(X, y) - 0.003
    for a, b in zip(found.categories_, in_memory.categories_, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(found.category_counts_, in_memory.category_counts_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert covered(found, X, y) == pytest.approx(covered(in_memory, X, y), abs=0.02)
    importances = found.feature_importances_ - in_memory.feature_importances_
    assert np.abs(importances).max() < 0.05
    assert found.n_iter_ == in_memory.n_iter_
    assert found._fitted.n_seen == N
    assert list(blocks.iterdir()) == []


def test_the_same_seed_gives_the_same_bits(file, blocks):
    same_bits(regressor(epochs=2).fit(file, "y"), regressor(epochs=2).fit(file, "y"))


def test_equal_rows_meet_wherever_they_stand(frame, blocks, monkeypatch):
    rows = frame[["token", "other", "y"]]
    seen = []

    class Seen(spill.SpilledRows):
        def __init__(self, *args):
            super().__init__(*args)
            seen.append(self.block(0, self.n_rows))

    monkeypatch.setattr(spill, "SpilledRows", Seen)
    model = regressor(epochs=1).fit([rows[:2500], rows[2500:]], "y")
    codes, others = seen[0]
    different = rows.groupby(["token", "other"])["y"]
    assert len(codes) == len(np.unique(codes, axis=0)) == different.ngroups
    assert others[:, -1].sum() == N
    mean, within = others[:, 0], others[:, 1]
    unit = model._fitted.scale[0]
    np.testing.assert_allclose(
        np.sort(mean * unit + model._fitted.centre[0]),
        np.sort(different.mean()),
        atol=1e-5,
    )
    np.testing.assert_allclose(
        np.sort(within) * unit**2, np.sort(different.var(ddof=0)), atol=1e-4
    )


def test_weights_and_classes(frame, blocks):
    params = {"hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}
    model = EmbeddingClassifier(class_weight="balanced", **params)
    rows = pl.from_pandas(frame[[*FEATURES, "label", "w"]])
    found = model.fit(rows.lazy(), "label", "w")
    assert found.classes_.tolist() == ["high", "low"]
    settings.IN_MEMORY_CELLS = 10**9  # monkeypatch puts it back
    whole = EmbeddingClassifier(class_weight="balanced", **params)
    whole.fit(frame[FEATURES], frame["label"], frame["w"])
    np.testing.assert_allclose(found.category_counts_[1], whole.category_counts_[1])
    score = whole.score(frame[FEATURES], frame["label"], frame["w"])
    assert found.score(rows.lazy(), "label", "w") > score - 0.01
    p = np.concatenate(list(found.predict_proba(rows.lazy())))
    np.testing.assert_array_equal(p, found.predict_proba(rows.select(FEATURES)))


@pytest.mark.parametrize("params", [{"prior": None}, {"loss": "absolute_error"}])
def test_other_networks(file, frame, blocks, params):
    found = regressor(**params).fit(file, "y")
    settings.IN_MEMORY_CELLS = 10**9  # monkeypatch puts it back
    whole = regressor(**params).fit(file, "y")
    X, y = frame[FEATURES], frame["y"]
    assert found.score(X, y) == pytest.approx(whole.score(X, y), abs=0.02)


def test_several_outcomes(frame, blocks):
    frame = frame.assign(twice=2 * frame["y"] + 5)
    found = regressor(epochs=6).fit(
        [frame.drop(columns=["label", "w"])], ["y", "twice"]
    )
    X, y = frame[FEATURES], frame[["y", "twice"]]
    assert found.predict(X).shape == (N, 2)
    by_piece = found.score([frame[:4000], frame[4000:]], ["y", "twice"])
    assert by_piece == pytest.approx(found.score(X, y), abs=1e-12)


def test_several_labels(frame, blocks):
    rows = frame.assign(a=frame["y"] > 0, b=(frame["z"] > 0).astype(int))
    rows = rows[[*FEATURES, "a", "b"]].astype({"a": int})
    params = {"hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}
    found = EmbeddingClassifier(**params).fit([rows], ["a", "b"])
    X, y = rows[FEATURES], rows[["a", "b"]].to_numpy()
    score = found.score(X, y)
    assert score > 0.8
    assert found.score([rows[:999], rows[999:]], ["a", "b"]) == pytest.approx(score)
    with pytest.raises(ValueError, match="class_weight is not supported for several"):
        EmbeddingClassifier(class_weight="balanced").fit([rows], ["a", "b"])


def test_predictions_come_piece_by_piece(in_memory, frame, file, monkeypatch):
    monkeypatch.setattr(settings, "CHUNK_ROWS", 2_500)
    monkeypatch.setattr(settings, "BATCH_ROWS", 500)
    pieces = list(in_memory.predict(file))
    assert [len(piece) for piece in pieces] == [2_500, 2_500, 1_000]
    X, y = frame[FEATURES], frame["y"]
    # Products of few and of many rows may differ in the last bit (BLAS).
    np.testing.assert_allclose(
        np.concatenate(pieces), in_memory.predict(X), rtol=1e-14, atol=1e-15
    )
    mean, std = next(iter(in_memory.predict(file, return_std=True)))
    np.testing.assert_array_equal(std, in_memory.predict_std(X[:2_500]))
    first = next(iter(in_memory.predict_interval(file, coverage=0.5)))
    assert first.shape == (2_500, 2)
    assert in_memory.score(file, "y") == pytest.approx(in_memory.score(X, y), abs=1e-12)
    weighted = frame.assign(w=frame["w"].astype(float))
    assert in_memory.score([weighted], "y", "w") == pytest.approx(
        in_memory.score(X, y, frame["w"]), abs=1e-12
    )


def test_no_rows_have_no_score(in_memory, frame):
    with pytest.raises(ValueError, match="no rows of a weight above 0"):
        in_memory.score([frame[:0]], "y")


def test_a_source_without_a_column_of_fit(in_memory, frame):
    with pytest.raises(ValueError, match="no column 'z'"):
        in_memory.predict([frame[["token", "other"]]])


def test_columns_of_fit_without_names(frame):
    model = regressor(epochs=1).fit(frame[["token"]].to_numpy(), frame["y"])
    with pytest.raises(ValueError, match="fitted on a table without names"):
        model.predict([frame])


REFUSED = {
    "validation_rows='last'": {"validation_rows": "last"},
    "multi_valued_features": {"multi_valued_features": ["other"]},
    "shared_features": {"shared_features": [["token", "other"]]},
    "hierarchy": {"hierarchy": {"token": "other"}},
    "varying_slopes": {"varying_slopes": {"token": "z"}},
    "varying_curves": {"varying_curves": {"token": "z"}},
    "crosses": {"crosses": [("token", "other")]},
    "token_features": {
        "token_features": {
            "token": pd.DataFrame({"size": np.arange(40.0)}, index=np.arange(40))
        }
    },
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_needs_the_rows_in_memory(what, file, blocks):
    with pytest.raises(ValueError, match=f"{what} needs the rows in memory"):
        regressor(**REFUSED[what]).fit(file, "y")


@pytest.mark.parametrize("params", [*REFUSED.values(), {"early_stopping": True}])
def test_and_works_where_they_fit(params, file, frame):
    found = regressor(epochs=1, **params).fit(file, "y")
    whole = regressor(epochs=1, **params).fit(frame[FEATURES], frame["y"])
    same_bits(found, whole)


@pytest.mark.parametrize("method", ["partial_fit", "fold_in", "calibrate"])
def test_methods_of_tables_in_memory_say_so(method, in_memory, file):
    with pytest.raises((TypeError, ValueError), match="in memory|pieces"):
        getattr(in_memory, method)(file, "y")


def test_a_warm_start(file, blocks):
    model = regressor(warm_start=True, epochs=1).fit(file, "y")
    with pytest.raises(ValueError, match="warm_start=True after a fit"):
        model.fit(file, "y")


# What goes wrong, and what it leaves behind.


class Broken:
    """Tables that end in an error in one of the passes."""

    def __init__(self, frame, passes, error):
        self.frame, self.left, self.error = frame, passes, error

    def __iter__(self):
        yield self.frame[:3_000]
        self.left -= 1
        if not self.left:
            raise self.error
        yield self.frame[3_000:]


# Passes that go beyond the first table, in their order.
PASSES = {"outcomes": 1, "columns": 2, "codes": 3}


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("gone")])
def test_an_error_in_any_pass_leaves_nothing(name, error, frame, blocks):
    rows = frame[[*FEATURES, "y"]]
    model = regressor(epochs=1)
    with pytest.raises(type(error)):
        model.fit(Broken(rows, PASSES[name], error), "y")
    assert not hasattr(model, "categories_")
    assert_nothing_left(blocks)


def assert_nothing_left(folder):
    assert list(folder.iterdir()) == []
    gc.collect()
    if os.path.isdir("/proc/self/fd"):
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        links = [os.readlink(link) for link in links if os.path.lexists(link)]
        assert not [link for link in links if link.startswith(str(folder))]


def test_an_interrupted_training_leaves_nothing(file, blocks):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        regressor(callbacks=[Interrupt()]).fit(file, "y")
    assert_nothing_left(blocks)


def test_a_full_disk_is_seen_beforehand(file, blocks, monkeypatch):
    usage = spill.shutil.disk_usage(blocks)._replace(free=1000)
    monkeypatch.setattr(spill.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(OSError, match="TMPDIR") as caught:
        regressor().fit(file, "y")
    assert caught.value.errno == errno.ENOSPC
    assert_nothing_left(blocks)


def test_a_disk_that_fills(file, blocks, monkeypatch):
    class Full:
        def __init__(self, file):
            self.file, self.n = file, 0

        def write(self, data):
            self.n += 1
            if self.n > 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self.file.write(data)

        def __getattr__(self, name):
            return getattr(self.file, name)

    make = tempfile.TemporaryFile
    monkeypatch.setattr(
        spill.tempfile, "TemporaryFile", lambda **kwargs: Full(make(**kwargs))
    )
    with pytest.raises(OSError, match=r"need 0 MB in the folder .* TMPDIR"):
        regressor().fit(file, "y")
    assert_nothing_left(blocks)


class Changing:
    """Rows that are others in every pass, numbered from 1."""

    def __init__(self, rows_of_pass):
        self.rows_of_pass, self.n = rows_of_pass, 0

    def __iter__(self):
        self.n += 1
        yield self.rows_of_pass(self.n)


def test_rows_that_change_between_passes(frame, blocks):
    fewer = Changing(lambda n: frame[[*FEATURES, "y"]][: N - n])
    with pytest.raises(ValueError, match="the same rows each time"):
        regressor().fit(fewer, "y")
    assert_nothing_left(blocks)


def test_outcomes_are_checked(frame, blocks):
    rows = frame[[*FEATURES, "y"]].copy()
    rows.loc[4_321, "y"] = np.nan
    with pytest.raises(ValueError, match="contains NaN .* row 121") as caught:
        regressor().fit([rows], "y")
    assert caught.value.__notes__ == ["Rows are counted from row 4200 of the source."]
    with pytest.raises(ValueError, match="some y > 0|negative"):
        regressor(loss="poisson").fit([frame[[*FEATURES, "y"]]], "y")
    zero = frame.assign(w=0)[[*FEATURES, "y", "w"]]
    with pytest.raises(ValueError, match="must not all be zero"):
        regressor().fit([zero], "y", "w")


def test_columns_are_checked(frame, blocks):
    rows = frame[[*FEATURES, "y"]].astype({"z": object})
    rows.loc[4_321, "z"] = "far"
    with pytest.raises(ValueError, match="string to float: 'far' in row 121") as caught:
        regressor(categorical_features=["token"]).fit([rows], "y")
    assert caught.value.__notes__ == ["Rows are counted from row 4200 of the source."]


def test_weights_that_are_shares(frame, file, blocks):
    rows = frame[[*FEATURES, "y"]].assign(w=1.0 / N)
    found = regressor(epochs=1).fit([rows], "y", "w")
    plain = regressor(epochs=1).fit(file, "y")
    np.testing.assert_allclose(found.category_counts_[0], plain.category_counts_[0])


def test_a_line_for_every_pass(file, blocks, capsys):
    regressor(epochs=1, verbose=1).fit(file, "y")
    said = capsys.readouterr().out
    assert "outcomes: 6,000 rows" in said
    assert "columns: 6,000 rows" in said
    assert f"MB in {blocks}): 6,000 rows" in said
    assert "epoch 1/1" in said


# Rows that are held out.


def test_rows_to_stop_by_are_not_learned_from(file, frame, blocks):
    params = {"early_stopping": True, "validation_fraction": 0.2, "epochs": 30}
    found = regressor(**params).fit(file, "y")
    n = found._fitted.n_seen
    assert n == pytest.approx(0.8 * N, abs=100)
    for counts in found.category_counts_:
        assert counts.sum() == n
    curve = found.validation_loss_curve_
    assert len(curve) == found.n_iter_ <= 30
    assert_nothing_left(blocks)
    settings.IN_MEMORY_CELLS = 10**9  # monkeypatch puts it back
    whole = regressor(**params).fit(file, "y")
    assert min(curve) == pytest.approx(min(whole.validation_loss_curve_), abs=0.05)
    X, y = frame[FEATURES], frame["y"]
    assert found.score(X, y) > whole.score(X, y) - 0.01


def test_the_weights_that_were_best_come_back(blocks):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.integers(0, 800, N), "b": rng.integers(0, 200, N)})
    rows = X.assign(y=rng.normal(size=N))
    seen = []

    class Seen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["val_loss"], self.model.get_weights()[0].copy()))

    found = regressor(
        prior=None,
        early_stopping=True,
        n_iter_no_change=4,
        epochs=60,
        learning_rate=0.01,
        callbacks=[Seen()],
    ).fit([rows], "y")
    # There is nothing to learn but rows by heart, so it ends early.
    losses = [loss for loss, _ in seen]
    assert losses == found.validation_loss_curve_
    best = int(np.argmin(losses))
    assert found.n_iter_ == best + 5 < 60
    tables = found.model_.get_weights()[0], seen[best][1], seen[-1][1]
    np.testing.assert_array_equal(tables[0][:100], tables[1][:100])
    assert (tables[0][:100] != tables[2][:100]).any()


def test_no_more_rows_are_held_out_than_fit_into_memory(file, blocks, monkeypatch):
    monkeypatch.setattr(settings, "HELD_OUT_ROWS", 150)
    found = regressor(early_stopping=True, epochs=1).fit(file, "y")
    assert found._fitted.n_seen == pytest.approx(N - 150, abs=50)
    with pytest.raises(ValueError, match="leaves 0 of 6000 rows to stop by"):
        regressor(early_stopping=True, validation_fraction=1e-9).fit(file, "y")


def test_equal_rows_are_held_out_in_proportion(blocks):
    # With one fate for all copies of a row some of these tokens would not be learned.
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"token": rng.integers(0, 8, N)})
    rows["label"] = np.where(rng.random(N) < rows["token"] / 8, "a", "b")
    model = EmbeddingClassifier(
        early_stopping=True, validation_fraction=0.5, epochs=3, random_state=0
    ).fit([rows], "label")
    share = model.category_counts_[0] / rows["token"].value_counts().sort_index()
    np.testing.assert_allclose(share, 0.5, atol=0.1)


# The encoder.


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
