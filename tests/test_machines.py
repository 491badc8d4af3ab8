"""One fit in several processes, held to the same fit in one process."""

import contextlib
import json
import os
import pickle
import re
import socket
import subprocess
import sys
import time
from functools import reduce

import keras
import numpy as np
import pytest
from mixed_rows import mixed_rows

from skembed import Checkpoint, EmbeddingClassifier, EmbeddingRegressor
from skembed._data.labelled import Labelled
from skembed._data.shards import ShardedRows
from skembed._data.survey import Survey
from skembed._training.order import ShardOrder
from skembed.machines import fit_together

N = 4_000


@pytest.fixture(scope="module")
def frame():
    frame = mixed_rows(N).drop(columns="w")
    return frame.assign(label=np.digitize(frame["y"], [-1.0, 1.0]))


def in_one_process(model, shards, y):
    """A fit that reads the same shards in the same order as several processes."""
    rows = [Labelled.of([shard], y, None) for shard in shards]
    looks = [model._look(own) for own in rows]
    look, seed = reduce(model._both_looks, looks), model._seed()
    head = next(rows[0].parts())
    surveys = [model._survey(own, head, look, seed, (i,)) for i, own in enumerate(rows)]
    known = model._known(seed, head, look, reduce(Survey.more, surveys))
    start = model._start(known)
    n = sum(index.n_codes for index in known.encoder.tokens)
    with contextlib.ExitStack() as stack:
        spilled, counts = zip(
            *(
                stack.enter_context(model._spilled(own, one.n_rows, known, start))
                for own, one in zip(rows, looks, strict=True)
            ),
            strict=True,
        )
        counts = np.append(counts[0][:n], sum(own[n:] for own in counts))
        told = [(one.n_rows, one.total, one.n_given) for one in spilled]
        rows = ShardedRows(dict(enumerate(spilled)), told)
        return model._fit_spilled(known, start, rows, counts)


CODE = """
import pickle, sys
from skembed import _settings
from skembed.machines import fit_together
_settings.MESSAGE_BYTES = 20_000  # several messages for what is known of the rows
fits, path, limits = pickle.load(sys.stdin.buffer)
vars(_settings).update(limits)
made = [fit_together(model, rows, y, n_threads=1) for model, rows, y in fits]
pickle.dump(made, open(path, "wb"))
"""


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def in_processes(n, fits, folder, **limits):
    """Fits in `n` processes, one after the other; all estimators of each process."""
    for process in started(n, fits, folder, **limits):
        error = process.stderr.read().decode()
        assert process.wait(120) == 0, error
    return [pickle.loads((folder / f"{i}").read_bytes()) for i in range(n)]


def started(n, fits, folder, **limits):
    """Processes that make fits, as any launcher would start them.

    Parameters
    ----------
    fits : list of (estimator, data frame, str)
        What is fitted, on which rows, and the name of the outcome.
    **limits
        Constants of the package.
    """
    addresses = [f"localhost:{port}" for port in free_ports(n)]
    processes = []
    for i in range(n):
        config = {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": i},
        }
        process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TF_CONFIG": json.dumps(config)},
        )
        own = [(model, parted(rows, n)[i], y) for model, rows, y in fits]
        pickle.dump((own, folder / f"{i}", limits), process.stdin)
        process.stdin.close()
        processes.append(process)
    return processes


def parted(frame, n):
    """Parts of unequal sizes."""
    ends = np.round(np.linspace(0, 1, n + 1) ** 1.3 * len(frame)).astype(int)
    return [frame[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]


def assert_near(found, wanted, tolerance):
    np.testing.assert_allclose(
        found.loss_curve_, wanted.loss_curve_, rtol=0, atol=tolerance
    )
    pairs = zip(found.embeddings_, wanted.embeddings_, strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    for name, value in wanted._fitted.weights.dense.items():
        own = found._fitted.weights.dense[name]
        np.testing.assert_allclose(own, value, rtol=0, atol=tolerance)


FEATURES = ["token", "other", "z"]


def steps():
    return EmbeddingRegressor(batch_size=400, epochs=10, random_state=0)


def without_layers():
    return EmbeddingRegressor(hidden_layer_sizes=(), batch_size=250, random_state=0)


def longer():
    return steps().set_params(epochs=80)


def points():
    params = {"hidden_layer_sizes": (8,), "batch_size": 500, "random_state": 0}
    return EmbeddingClassifier(prior=None, epochs=3, class_weight="balanced", **params)


@pytest.fixture(scope="module")
def of_two(frame, tmp_path_factory):
    """What each of two processes has fitted."""
    rows = frame[[*FEATURES, "y"]]
    fits = [
        (steps(), rows, "y"),
        (without_layers(), rows, "y"),
        (points(), frame[["token", "z", "label"]], "label"),
        (longer(), rows, "y"),
    ]
    return in_processes(2, fits, tmp_path_factory.mktemp("two"))


def assert_steps_of_one_process(found, frame):
    shards = parted(frame[[*FEATURES, "y"]], len(found))
    assert_near(found[0], in_one_process(steps(), shards, "y"), 1e-5)
    for other in found[1:]:  # each has the same network, to the last bit
        assert_near(other, found[0], 0.0)
    assert found[0]._fitted.n_seen == N
    counts = frame["token"].value_counts().sort_index()
    np.testing.assert_array_equal(found[0].category_counts_[0], counts)


def test_a_hundred_steps_of_two_are_those_of_one_process(frame, of_two):
    assert_steps_of_one_process([own[0] for own in of_two], frame)


def test_a_hundred_steps_of_four_are_those_of_one_process(frame, tmp_path):
    of_four = in_processes(4, [(steps(), frame[[*FEATURES, "y"]], "y")], tmp_path)
    assert_steps_of_one_process([own[0] for own in of_four], frame)


def test_a_whole_fit_without_layers_is_that_of_one_process(frame, of_two):
    found, shards = of_two[0][1], parted(frame[[*FEATURES, "y"]], 2)
    assert found.n_iter_ >= 30
    assert_near(found, in_one_process(without_layers(), shards, "y"), 1e-4)
    X, y = frame[FEATURES], frame["y"]
    plain = without_layers().fit(X, y)
    assert found.score(X, y) == pytest.approx(plain.score(X, y), abs=0.002)


def test_points_and_classes_are_those_of_one_process(frame, of_two):
    found, shards = of_two[1][2], parted(frame[["token", "z", "label"]], 2)
    assert_near(found, in_one_process(points(), shards, "label"), 1e-5)
    assert found.classes_.tolist() == [0, 1, 2]


def test_rows_that_cannot_be_learned_from_end_all_processes(frame, tmp_path):
    rows = frame[["token", "y"]].copy()
    rows.loc[rows.index[-3], "y"] = np.nan
    with pytest.raises(AssertionError, match="Process 1 of 2 .* missing value in row"):
        in_processes(2, [(EmbeddingRegressor(), rows, "y")], tmp_path)


def test_a_killed_process_is_named_and_the_fit_goes_on(frame, of_two, tmp_path):
    path = tmp_path / "fit.checkpoint"
    kept = Checkpoint(path, minutes=None, epochs=1)
    fits = [(longer().set_params(callbacks=kept), frame[[*FEATURES, "y"]], "y")]
    processes = started(2, fits, tmp_path)
    killed = killed_when_there_is(path, processes[0])
    assert processes[1].wait(60) == 1
    assert time.monotonic() - killed < 30
    error = processes[1].stderr.read().decode()
    assert re.search(r"Process 0 \(localhost:\d+\) of the 2 processes", error)
    assert path.exists()
    found = in_processes(2, fits, tmp_path)
    assert_near(found[1][0], of_two[1][3], 0.0)  # as if nothing had been
    assert not path.exists()


def killed_when_there_is(path, process):
    """When it was killed: once there was a checkpoint."""
    deadline = time.monotonic() + 300  # busy machines take long to begin
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    return time.monotonic()


@pytest.mark.parametrize("epochs", [100, "auto"])
def test_fewer_processes_go_on_with_batches_as_large_as_before(epochs, frame, tmp_path):
    path = tmp_path / "fit.checkpoint"
    kept = Checkpoint(path, minutes=None, epochs=1)
    model = EmbeddingRegressor(callbacks=kept, epochs=epochs, random_state=0)
    fits = [(model, frame[[*FEATURES, "y"]], "y")]
    limits = {"STEPS_PER_EPOCH": 10, "MAX_BATCH": 100, "MAX_BATCH_OF_SHARD": 100}
    processes = started(2, fits, tmp_path, **limits)
    killed_when_there_is(path, processes[1])
    processes[0].wait(60)
    content = pickle.loads(path.read_bytes())[2]
    assert content["batch_size"] == 200
    ((found,),) = in_processes(1, fits, tmp_path, **limits)
    n = len(content["losses"])
    assert 0 < n < len(found.loss_curve_)
    assert epochs in ("auto", len(found.loss_curve_))
    assert found.loss_curve_[:n] == content["losses"]
    assert found.batch_size == "auto"


def test_without_tf_config_it_says_what_is_wanted(frame, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(RuntimeError, match="TF_CONFIG is not set.*index"):
        fit_together(EmbeddingRegressor(), frame, "y")


REFUSED = {
    "early_stopping": True,
    "hierarchy": {"token": "other"},
    "crosses": [("token", "other")],
    "varying_slopes": {"token": "z"},
    "model": lambda meta: None,
    "callbacks": [keras.callbacks.History()],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_all_rows_in_one_place_is_refused(name, frame):
    model = EmbeddingRegressor(**{name: REFUSED[name]})
    rows = Labelled.of([frame[[*FEATURES, "y"]]], "y", None)
    look = model._look(rows)
    with pytest.raises(ValueError, match=f"{name}.* needs the rows in memory.*several"):
        model._survey(rows, next(rows.parts()), look, 0, (0,))


class Shard:
    """Rows that hold nothing but the number of their shard."""

    def __init__(self, number, n_rows):
        self.number, self.n_rows, self.width = number, n_rows, 2
        self.codes, self.weights = np.zeros((0, 1), np.int32), np.zeros(0)
        self.numbers = self.targets = np.zeros((0, 0))

    def block(self, start, stop):
        n = stop - start
        return np.full((n, 1), self.number, np.int32), np.ones((n, 1), np.float32)


def test_parts_of_a_batch_weigh_what_they_stand_for():
    """Shares are whole numbers of rows; on average each row counts as any other."""
    sizes = [5, 90, 37]
    shards = {i: Shard(i, n) for i, n in enumerate(sizes)}
    rows = ShardedRows(shards, [(n, float(n), n) for n in sizes])
    parts, weights = rows.parts_of(16), np.zeros(3)
    assert sum(parts) == 16 and min(parts) >= 1
    order = ShardOrder(rows, 16, np.random.default_rng(0))
    for steps, (codes, others) in order.stretches(100):
        at = steps.ravel()
        weights += np.bincount(codes[at, 0], others[at, -1], 3)
        assert (np.diff(codes[steps, 0]) >= 0).all()  # in the order of the shards
    np.testing.assert_allclose(
        weights / weights.sum(), np.array(sizes) / 132, rtol=1e-5
    )
