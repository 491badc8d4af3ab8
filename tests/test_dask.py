"""Fits on a Dask cluster of processes, also of workers that are killed."""

import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from mixed_rows import mixed_rows
from sklearn.base import clone

from skembed import Checkpoint, EmbeddingClassifier, EmbeddingRegressor
from skembed._dask import cluster
from skembed.dask import DaskEmbeddingClassifier, DaskEmbeddingRegressor

dd = pytest.importorskip("dask.dataframe")
dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")

N = 3_000
FEATURES = ["token", "other", "z"]


@pytest.fixture(scope="module")
def frame():
    frame = mixed_rows(N)
    return frame.assign(label=np.where(frame["y"] > 0.5, "high", "low"))


@pytest.fixture(scope="module")
def both_workers():
    # On a busy machine one worker would take over the parts of the other, and one that
    # has been killed would be given up before it has started again.
    own = {"scheduler.work-stealing": False, "deploy.lost-worker-timeout": "300s"}
    with (
        dask.config.set({f"distributed.{name}": one for name, one in own.items()}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def client(both_workers):
    """The client, once a worker that another test has killed is there again."""
    both_workers.wait_for_workers(2, timeout=120)
    return both_workers


def held(parts, client):
    """The parts, held by the two workers in turn."""
    workers = list(client.nthreads())
    # Elsewhere only where its worker is there no more.
    held = [
        client.persist(
            dask.delayed(part), workers=[workers[i % 2]], allow_other_workers=True
        )
        for i, part in enumerate(parts)
    ]
    distributed.wait(held)
    holders = client.who_has(distributed.futures_of(held)).values()
    assert set(sum(holders, ())) == set(workers)
    return held


def placed(frame, client):
    """The rows in four parts, two on each of the workers."""
    parts = [frame[start : start + N // 4] for start in range(0, N, N // 4)]
    parts = held(parts, client)
    return dd.from_delayed(parts, meta=frame[:0], verify_meta=False)


@pytest.fixture
def rows(frame, client):
    return placed(frame.drop(columns="label"), client)


def regressor(**params):
    params = {"epochs": 12, "batch_size": 150, "random_state": 0, **params}
    return DaskEmbeddingRegressor(**params)


@pytest.fixture(scope="module")
def fitted(frame, both_workers):
    both_workers.wait_for_workers(2, timeout=120)
    return regressor().fit(placed(frame[[*FEATURES, "y"]], both_workers), "y")


def test_a_fit_is_as_good_as_a_plain_one(fitted, frame):
    X, y = frame[FEATURES], frame["y"]
    local = fitted.to_local()
    assert type(local) is EmbeddingRegressor
    plain = clone(local).fit(X, y)
    assert local.score(X, y) == pytest.approx(plain.score(X, y), abs=0.005)
    for a, b in zip(local.categories_, plain.categories_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert local.n_iter_ == plain.n_iter_
    np.testing.assert_array_equal(fitted.embeddings_[0], local.embeddings_[0])
    low, high = local.predict_interval(X, 0.8).T
    assert np.mean((low < y) & (y < high)) == pytest.approx(0.8, abs=0.05)


def test_predictions_come_lazily(fitted, rows, frame):
    lazy = fitted.predict(rows[FEATURES])
    wanted = fitted.to_local().predict(frame[FEATURES])
    assert lazy.npartitions == rows.npartitions
    found = lazy.compute()
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert found.index.equals(frame.index)
    parts = fitted.predict(list(rows[FEATURES].to_delayed()))
    found = np.concatenate(dask.compute(*parts))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    np.testing.assert_array_equal(fitted.predict(frame[FEATURES]), wanted)
    with pytest.raises(ValueError, match="return_std=True .* predict_std"):
        fitted.predict(rows[FEATURES], return_std=True)


def test_it_is_cloned_and_pickled_without_its_client(fitted, client):
    model = clone(regressor(client=client, embedding_dim=3))
    assert model.client is client and model.embedding_dim == 3
    again = pickle.loads(pickle.dumps(fitted.set_params(client=client)))
    assert again.client is None
    assert again.loss_curve_ == fitted.loss_curve_
    for name in ("partial_fit", "fold_in", "calibrate"):
        assert not hasattr(fitted, name)
        with pytest.raises(AttributeError, match=f"no {name}.*to_local"):
            getattr(fitted, name)


@pytest.fixture
def taken(monkeypatch):
    """A port that is taken between being found and being used, the first time."""
    asked, found = [], cluster._free_ports
    with socket.socket() as one:
        one.bind(("", 0))
        one.listen()

        def free_ports(client, workers):
            ports = found(client, workers)
            if not asked:
                ports[workers[1]] = one.getsockname()[1]
            asked.append(ports)
            return ports

        monkeypatch.setattr(cluster, "_free_ports", free_ports)
        yield asked


def test_classes_weights_and_delayed_parts(frame, client, taken):
    parts = [frame[start : start + 1_000] for start in range(0, N, 1_000)]
    # Rows come together where one of their pieces is: all pieces where the rows are to
    # be, so that both workers have something to train on.
    X = held([part[FEATURES] for part in parts], client)
    y = held([part["label"] for part in parts], client)
    w = held([part["w"].to_numpy() for part in parts], client)
    params = {"class_weight": "balanced", "epochs": 6, "batch_size": 150}
    params["random_state"] = 0
    model = DaskEmbeddingClassifier(client=client, **params).fit(X, y, w)
    assert len(taken) == 2
    assert model.classes_.tolist() == ["high", "low"]
    plain = EmbeddingClassifier(**params)
    plain.fit(frame[FEATURES], frame["label"], frame["w"])
    counts = zip(model.category_counts_, plain.category_counts_, strict=True)
    for a, b in counts:
        np.testing.assert_allclose(a, b)
    X = dd.from_pandas(frame[FEATURES], npartitions=2)
    proba = model.predict_proba(X).compute()
    assert proba.columns.tolist() == ["high", "low"]
    assert np.abs(proba - plain.predict_proba(frame[FEATURES])).to_numpy().mean() < 0.02
    right = (model.predict(X).compute() == frame["label"]).mean()
    assert right > plain.score(frame[FEATURES], frame["label"]) - 0.01


def processes():
    """Processes of the fits of this cluster."""
    there = psutil.Process().children(recursive=True)
    return [one for one in there if "skembed._dask.child" in " ".join(one.cmdline())]


def kill_when_there_is(path, which, killed, there):
    """Kill one of a fit's processes, or its worker, once there is a checkpoint."""
    deadline = time.monotonic() + 300  # busy machines take long to begin
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    there += processes()
    victim = which(there[0])
    killed.append(time.monotonic())
    victim.send_signal(signal.SIGKILL)


def end_of_a_fit(model, rows, path, which):
    """The error of a fit of which a process is killed; the seconds that it took."""
    killed, there = [], []
    args = path, which, killed, there
    killer = threading.Thread(target=kill_when_there_is, args=args)
    killer.start()
    with pytest.raises(RuntimeError) as info:
        model.fit(rows, "y")
    seconds = time.monotonic() - killed[0]
    killer.join()
    assert len(there) == 2
    assert psutil.wait_procs(there, timeout=5)[1] == []
    return str(info.value), seconds


def test_a_killed_process_is_named_and_the_fit_goes_on(rows, tmp_path):
    path = tmp_path / "fit.checkpoint"
    own = rows[[*FEATURES, "y"]]
    params = {"epochs": 60, "hidden_layer_sizes": (8,)}
    model = regressor(callbacks=Checkpoint(path, minutes=None, epochs=2), **params)
    workers = set(distributed.default_client().nthreads())
    error, seconds = end_of_a_fit(model, own, path, lambda process: process)
    assert seconds < 30
    assert "was killed in the middle of the fit" in error
    assert any(worker in error for worker in workers)
    assert not hasattr(model, "loss_curve_")
    kept = pickle.loads(path.read_bytes())[2]["losses"]
    model.fit(own, "y")
    assert not path.exists()
    assert 2 <= len(kept) < len(model.loss_curve_) == 60
    assert model.loss_curve_[: len(kept)] == kept  # not learned again


def test_a_killed_worker_is_named_and_the_fit_goes_on(rows, tmp_path):
    path = tmp_path / "fit.checkpoint"
    own = rows[[*FEATURES, "y"]]
    kept = Checkpoint(path, minutes=None, epochs=2)
    model = regressor(epochs=60, hidden_layer_sizes=(8,), callbacks=kept)
    workers = set(distributed.default_client().nthreads())
    error, seconds = end_of_a_fit(model, own, path, psutil.Process.parent)
    assert seconds < 30
    assert "was lost in the middle of the fit" in error
    assert any(worker in error for worker in workers)
    model.fit(own, "y")
    assert len(model.loss_curve_) == 60
    assert not path.exists()


def test_a_worker_that_takes_rows_with_it_is_named(frame, client, tmp_path):
    """Rows that were handed to Dask from memory cannot be computed again."""
    path = tmp_path / "fit.checkpoint"
    workers = list(client.nthreads())
    own = frame[[*FEATURES, "y"]]
    parts = [
        client.scatter(own[i::2], workers=[worker], hash=False)
        for i, worker in enumerate(workers)
    ]
    kept = Checkpoint(path, minutes=None, epochs=2)
    model = regressor(epochs=60, hidden_layer_sizes=(8,), callbacks=kept)
    rows = dd.from_delayed(parts, meta=own[:0], verify_meta=False)
    error, seconds = end_of_a_fit(model, rows, path, psutil.Process.parent)
    assert seconds < 30
    assert "was lost in the middle of the fit" in error
    assert any(worker in error for worker in workers)


def is_listening(address):
    with socket.socket() as one:
        return one.connect_ex(address) == 0


def test_a_process_that_waits_for_the_others_ends_with_its_worker():
    """TensorFlow waits for them at its start, and gives way to nothing meanwhile."""
    with contextlib.ExitStack() as bound:
        sockets = [bound.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        own, other = (one.getsockname() for one in sockets)
    addresses = [f"{host}:{port}" for host, port in (own, other)]
    place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": 0}}
    with subprocess.Popen(
        [sys.executable, "-c", "from skembed._dask.child import main; main(1, 1)"],
        stdin=subprocess.PIPE,
        env={**os.environ, "TF_CONFIG": json.dumps(place)},
    ) as process:
        try:
            pickle.dump(((None, None, None, 1), None), process.stdin)
            process.stdin.flush()
            deadline = time.monotonic() + 300
            while not is_listening(own) and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(1)
            assert process.poll() is None
            process.stdin.close()  # as the death of the worker does
            assert process.wait(30) == -signal.SIGKILL
        finally:
            process.kill()


def test_errors_say_what_would_be_right(rows, frame, client):
    model = regressor()
    with pytest.raises(ValueError, match="no column 'price', which y names"):
        model.fit(rows, "price")
    with pytest.raises(ValueError, match="X comes in 4 parts and y in 3"):
        model.fit(rows[FEATURES], dd.from_pandas(frame["y"], npartitions=3))
    with pytest.raises(TypeError, match="Rows in memory: the plain estimator"):
        model.fit(frame[FEATURES], frame["y"])
    with pytest.raises(ValueError, match="crosses needs the rows in memory"):
        regressor(crosses=[("token", "other")]).fit(rows[[*FEATURES, "y"]], "y")
    broken = rows.assign(y=rows["y"].where(rows["y"] < 2.0))
    with pytest.raises(ValueError, match="contains NaN or a missing value"):
        model.fit(broken[[*FEATURES, "y"]], "y")
    with pytest.raises(ValueError, match="epochs"):
        regressor(epochs=0).fit(rows, "y")
    assert not hasattr(model, "categories_")
