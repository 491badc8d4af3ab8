"""A fit that was killed, and goes on from its checkpoint."""

import os
import pickle
import signal
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from skembed import Checkpoint, EmbeddingEncoder, EmbeddingRegressor
from skembed import _settings as settings
from skembed._training.checkpoint import Keeper

PARAMS = {"hidden_layer_sizes": (8,), "epochs": 8, "random_state": 0}


def rows():
    rng = np.random.default_rng(0)
    token, z = rng.integers(0, 30, 600), rng.normal(size=600)
    y = rng.normal(size=30)[token] + np.sin(2 * z) + rng.normal(size=600) * 0.3
    return pd.DataFrame({"token": token, "z": z, "y": y})


FRAME = rows()
X, Y = FRAME[["token", "z"]], FRAME["y"]


def same_bits(a, b):
    np.testing.assert_array_equal(a.embeddings_[0], b.embeddings_[0])
    for name, value in a._fitted.weights.dense.items():
        np.testing.assert_array_equal(value, b._fitted.weights.dense[name])
    assert a.loss_curve_ == b.loss_curve_
    if hasattr(a, "validation_loss_curve_"):
        assert a.validation_loss_curve_ == b.validation_loss_curve_
    if a.prior is not None:
        np.testing.assert_array_equal(a.predict_interval(X), b.predict_interval(X))


class Killed(Exception):
    pass


def killed_after(n, monkeypatch):
    """The process dies right after the `n`-th writing."""
    keep, calls = Keeper.keep, []

    def kept(self, content):
        keep(self, content)
        calls.append(content)
        if len(calls) == n:
            raise Killed

    monkeypatch.setattr(Keeper, "keep", kept)


CASES = {
    "two phases": {},
    "batches that grow": {"epochs": "auto"},
    "rows learned last": {"validation_rows": "last"},
    "points": {"prior": None},
    "stopped by held-out rows": {
        "early_stopping": True,
        "n_iter_no_change": 1,
        "epochs": 30,
        "tol": 0.5,
    },
    "stopped by the loss": {"epochs": 40, "tol": 0.2, "n_iter_no_change": 2},
}


@pytest.fixture(scope="module")
def never_killed(tmp_path_factory):
    """Fits that were not killed, by case."""
    done = {}

    def fit(case):
        if case not in done:
            path = tmp_path_factory.mktemp("whole") / "kept"
            kept = Checkpoint(path, minutes=0)
            params = {**PARAMS, **CASES[case], "callbacks": [kept]}
            done[case] = EmbeddingRegressor(**params).fit(X, Y)
        return done[case]

    return fit


@pytest.mark.parametrize("n", [1, 3, 6])
@pytest.mark.parametrize("case", CASES)
def test_it_ends_with_the_same_bits(case, n, never_killed, tmp_path, monkeypatch):
    whole = never_killed(case)
    kept = Checkpoint(tmp_path / "kept", minutes=0)
    model = EmbeddingRegressor(**{**PARAMS, **CASES[case], "callbacks": [kept]})
    with monkeypatch.context() as patch:
        killed_after(n, patch)
        if whole.n_iter_ > n:
            with pytest.raises(Killed):
                model.fit(X, Y)
            assert [file.name for file in tmp_path.iterdir()] == ["kept"]
    same_bits(model.fit(X, Y), whole)
    assert list(tmp_path.iterdir()) == []


def test_keeping_changes_nothing(never_killed):
    same_bits(EmbeddingRegressor(**PARAMS).fit(X, Y), never_killed("two phases"))


def test_epochs_that_were_kept_are_not_trained_again(tmp_path, monkeypatch, capsys):
    kept = Checkpoint(tmp_path / "kept", minutes=0)
    model = EmbeddingRegressor(**PARAMS, callbacks=[kept], verbose=2)
    with monkeypatch.context() as patch:
        killed_after(5, patch)
        with pytest.raises(Killed):
            model.fit(X, Y)
    n = len(pickle.loads((tmp_path / "kept").read_bytes())[2]["losses"])
    assert n == 5
    capsys.readouterr()
    model.set_params(verbose=1)  # says more or less, changes nothing
    written = []

    def keep(self, content):
        written.append(len(content["losses"]))

    monkeypatch.setattr(Keeper, "keep", keep)
    model.fit(X, Y)
    assert written == [6, 7, 8]
    assert "goes on after epoch 5, as kept in" in capsys.readouterr().out


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import skembed._settings as settings
from skembed import Checkpoint, EmbeddingRegressor
from skembed._training.checkpoint import Keeper
for name, value in {limits!r}.items():
    setattr(settings, name, value)
keep = Keeper.keep
def kept(self, content):
    keep(self, content)
    print("kept", len(content["losses"]), flush=True)
Keeper.keep = kept
callbacks = [Checkpoint({path!r}, minutes=0)]
EmbeddingRegressor(**{params!r}, callbacks=callbacks).fit({file!r}, "y")
"""


def test_a_process_that_is_killed(tmp_path, monkeypatch):
    """Of rows on the disk, whose file goes with the process."""
    file, path, disk = (tmp_path / name for name in ("rows.parquet", "kept", "disk"))
    FRAME.sort_values("y").to_parquet(file, row_group_size=100)
    disk.mkdir()
    limits = {"IN_MEMORY_CELLS": 10, "CHUNK_ROWS": 150, "BATCH_ROWS": 50}
    limits |= {"BLOCK_ROWS": 170, "BUCKET_ROWS": 100, "SURVEY_ROWS": 400}
    params = {**PARAMS, "batch_size": 50}
    script = SCRIPT.format(
        folder=str(tmp_path),
        limits=limits,
        path=str(path),
        params=params,
        file=str(file),
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(disk)},
    )
    for line in process.stdout:
        if line.startswith("kept 4"):
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert path.exists()
    assert list(disk.iterdir()) == []
    for name, value in limits.items():
        monkeypatch.setattr(settings, name, value)
    whole = EmbeddingRegressor(
        **params, callbacks=[Checkpoint(tmp_path / "other", minutes=0)]
    ).fit(file, "y")
    found = EmbeddingRegressor(**params, callbacks=[Checkpoint(path)]).fit(file, "y")
    same_bits(found, whole)
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"epochs": 9}, "parameters"),
        ({"learning_rate": 0.1}, "parameters"),
        ({"random_state": 1}, "random_state"),
    ],
)
def test_another_fit_is_refused(change, what, tmp_path, monkeypatch):
    kept = Checkpoint(tmp_path / "kept", minutes=0)
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(Killed):
            EmbeddingRegressor(**PARAMS, callbacks=[kept]).fit(X, Y)
    other = EmbeddingRegressor(**{**PARAMS, **change, "callbacks": [kept]})
    with pytest.raises(ValueError, match=f"another fit; what differs: .*{what}"):
        other.fit(X, Y)
    with pytest.raises(ValueError, match="another fit; what differs: .*rows"):
        EmbeddingRegressor(**PARAMS, callbacks=[kept]).fit(X, Y + np.sin(Y))
    assert (tmp_path / "kept").exists()


def test_batches_that_do_not_grow_are_another_fit(tmp_path, monkeypatch):
    kept = Checkpoint(tmp_path / "kept", minutes=0)
    params = {**PARAMS, "epochs": "auto", "callbacks": [kept]}
    with monkeypatch.context() as patch:
        killed_after(1, patch)
        with pytest.raises(Killed):
            EmbeddingRegressor(**params).fit(X, Y)
    with pytest.raises(ValueError, match="another fit; what differs: parameters"):
        EmbeddingRegressor(**params, batch_size=32).fit(X, Y)


def test_a_file_that_is_no_checkpoint(tmp_path):
    path = tmp_path / "kept"
    for content in (b"", b"no pickle", pickle.dumps([1, 2])):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is no checkpoint"):
            EmbeddingRegressor(**PARAMS, callbacks=[Checkpoint(path)]).fit(X, Y)
    assert path.read_bytes() == pickle.dumps([1, 2])


def test_what_cannot_be_kept_is_refused(tmp_path):
    kept = Checkpoint(tmp_path / "kept")
    with pytest.raises(ValueError, match="integer as random_state"):
        EmbeddingRegressor(callbacks=[kept]).fit(X, Y)
    both = [kept, keras.callbacks.Callback()]
    with pytest.raises(ValueError, match="a Checkpoint and Keras callbacks"):
        EmbeddingRegressor(**PARAMS, callbacks=both).fit(X, Y)
    with pytest.raises(ValueError, match="2 checkpoints"):
        EmbeddingRegressor(**PARAMS, callbacks=[kept, kept]).fit(X, Y)


@pytest.mark.parametrize("path", ["", "nowhere/kept"])
def test_a_place_where_no_file_can_be(path, tmp_path):
    model = EmbeddingRegressor(**PARAMS, callbacks=[Checkpoint(tmp_path / path)])
    with pytest.raises(OSError, match="cannot be written"):
        model.fit(X, Y)
    assert not hasattr(model, "loss_curve_")


def test_a_checkpoint_in_a_dict(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(Keeper, "keep", lambda self, content: written.append(content))
    callbacks = {"kept": Checkpoint(tmp_path / "kept", minutes=0)}
    EmbeddingRegressor(**PARAMS, callbacks=callbacks).fit(X, Y)
    assert len(written) == PARAMS["epochs"]


@pytest.mark.parametrize(
    "params", [{"minutes": None}, {"minutes": -1}, {"epochs": 0}, {"epochs": 1.5}]
)
def test_times_are_checked(params):
    with pytest.raises(ValueError, match="minutes|epochs"):
        Checkpoint("kept", **params)


def test_how_often_it_writes(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(Keeper, "keep", lambda self, content: written.append(content))
    kept = Checkpoint(tmp_path / "kept", minutes=1000)
    EmbeddingRegressor(**PARAMS, callbacks=kept).fit(X, Y)
    assert written == []


def test_every_third_epoch(tmp_path, monkeypatch):
    keep, written = Keeper.keep, []

    def kept(self, content):
        keep(self, content)
        written.append(len(content["losses"]))

    monkeypatch.setattr(Keeper, "keep", kept)
    callbacks = [Checkpoint(tmp_path / "kept", minutes=None, epochs=3)]
    EmbeddingRegressor(**PARAMS, callbacks=callbacks).fit(X, Y)
    assert written == [3, 6]


def test_the_predictor_of_an_encoder_may_have_one(tmp_path):
    kept = Checkpoint(tmp_path / "kept", minutes=0)
    with_kept = EmbeddingRegressor(**PARAMS, callbacks=[kept])
    encoder = EmbeddingEncoder(with_kept, random_state=0)
    plain = EmbeddingEncoder(EmbeddingRegressor(**PARAMS), random_state=0).fit(X, Y)
    np.testing.assert_array_equal(encoder.fit(X, Y).transform(X), plain.transform(X))
    assert list(tmp_path.iterdir()) == []


def test_its_print():
    assert repr(Checkpoint("a", epochs=2)) == "Checkpoint('a', minutes=10, epochs=2)"


@pytest.mark.parametrize("method", ["partial_fit", "fold_in", "fit"])
def test_later_rows_are_kept_as_well(method, tmp_path, monkeypatch):
    params = {**PARAMS, "epochs": 3, "warm_start": True}
    plain = EmbeddingRegressor(**params).fit(X, Y)
    model = EmbeddingRegressor(**params).fit(X, Y)
    getattr(plain, method)(X[:100], Y[:100] + 1.0)
    model.set_params(callbacks=[Checkpoint(tmp_path / "kept", minutes=0)])
    with monkeypatch.context() as patch:
        killed_after(1, patch)
        with pytest.raises(Killed):
            getattr(model, method)(X[:100], Y[:100] + 1.0)
    getattr(model, method)(X[:100], Y[:100] + 1.0)
    same_bits(model, plain)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n", [2, 5])
def test_a_wide_fit_ends_with_the_same_bits(n, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "MOST_READ", 1)
    more = np.random.default_rng(0).normal(size=(len(X), 2))
    wide = X.assign(a=more[:, 0], b=more[:, 1])
    whole = EmbeddingRegressor(**PARAMS).fit(wide, Y)
    kept = Checkpoint(tmp_path / "kept", minutes=0)
    model = EmbeddingRegressor(**PARAMS, callbacks=[kept])
    with monkeypatch.context() as patch:
        killed_after(n, patch)
        with pytest.raises(Killed):
            model.fit(wide, Y)
    model.fit(wide, Y)
    assert model.loss_curve_ == whole.loss_curve_
    for name, value in whole._fitted.weights.dense.items():
        np.testing.assert_array_equal(value, model._fitted.weights.dense[name])
    np.testing.assert_array_equal(model.predict(wide), whole.predict(wide))
