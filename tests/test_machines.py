"""One fit in several processes, held to the same fit in one process."""

import contextlib
import json
import os
import pickle
import socket
import subprocess
import sys
from functools import reduce

import numpy as np
import pandas as pd
import pytest

from skembed import EmbeddingRegressor
from skembed._data.labelled import Labelled
from skembed._data.shards import ShardedRows
from skembed._data.survey import Survey

N = 4_000


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    token, other, z = rng.integers(0, 40, N), rng.integers(0, 6, N), rng.normal(size=N)
    y = rng.normal(size=40)[token] + 0.5 * (other % 3) + np.sin(2 * z)
    frame = pd.DataFrame({"token": token, "other": other.astype(str), "z": z})
    frame["y"] = y + rng.normal(size=N) * 0.3
    frame["label"] = np.digitize(frame["y"], [-1.0, 1.0])
    return frame


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
from skembed.machines import fit_together
model, rows, y, path = pickle.load(sys.stdin.buffer)
model = fit_together(model, rows, y, n_threads=1)
pickle.dump(model, open(path, "wb"))
"""


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def in_processes(model, shards, y, folder):
    """A fit in as many processes as shards; the estimator of each."""
    addresses = [f"localhost:{port}" for port in free_ports(len(shards))]
    processes = []
    for i, shard in enumerate(shards):
        config = {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": i},
        }
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
        process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        pickle.dump((model, shard, y, folder / f"{i}"), process.stdin)
        process.stdin.close()
        processes.append(process)
    for process in processes:
        error = process.stderr.read().decode()
        assert process.wait(120) == 0, error
    return [pickle.loads((folder / f"{i}").read_bytes()) for i in range(len(shards))]


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


@pytest.mark.parametrize("n", [2, 4])
def test_a_hundred_steps_are_those_of_one_process(n, frame, tmp_path):
    model = EmbeddingRegressor(batch_size=400, epochs=10, random_state=0)
    shards = parted(frame[[*FEATURES, "y"]], n)
    found = in_processes(model, shards, "y", tmp_path)
    wanted = in_one_process(model, shards, "y")
    assert_near(found[0], wanted, 1e-5)
    for other in found[1:]:  # each has the same network, to the last bit
        assert_near(other, found[0], 0.0)
