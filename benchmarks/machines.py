"""Several processes, one fit: rows per second of training, and the bytes of a step.

``python benchmarks/machines.py --rows 5_000_000 --tokens 100_000`` makes files of
Parquet as `out_of_core.py` does, one for each process, and fits them with one process
and with several, each of which has one core of its own and is started as any launcher
would start it. Each run prints one line of JSON. Seconds of a step are those of all
that training does, reading blocks included, without the first stretch of steps of each
phase (the additive part, then all of it), in which TensorFlow traces its loop.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import out_of_core


def run(folder, epochs, batch, cores):
    """Fit the rows of this process with the others; the first one prints."""
    rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    from skembed import EmbeddingRegressor
    from skembed._keras import engine, group
    from skembed.machines import fit_together

    stretches, groups, touched, engines = [], [], [], []
    advance, init = engine.Engine.advance, group.Group.__init__

    def timed(own, state, plan, held=None):
        found = advance(own, state, plan, held)
        sent = int(groups[0].sent.numpy())
        if not touched:
            touched.append(len(np.unique(held[0][plan.order[0]])))
        is_first = own not in engines
        engines[:] = [own]
        now = time.perf_counter(), time.process_time()
        stretches.append([is_first, len(plan.order), *now, sent])
        return found

    def seen(one, *args):
        init(one, *args)
        groups.append(one)

    engine.Engine.advance, group.Group.__init__ = timed, seen
    model = EmbeddingRegressor(epochs=epochs, batch_size=batch, random_state=0)
    start = time.perf_counter()
    fit_together(model, f"{folder}/{rank}.parquet", "y", n_threads=1)
    seconds = time.perf_counter() - start
    if rank:
        return
    stretches = np.array(stretches)
    # Each from the end of the one before it.
    spent = np.diff(stretches[:, 2:], axis=0)
    later = stretches[1:, 0] == 0
    n = int(stretches[1:, 1][later].sum())
    wall, cpu, sent = spent[later].sum(axis=0) / n
    dense = sum(value.size for value in model._fitted.weights.dense.values())
    out = {
        "processes": groups[0].n,
        "rows of a batch": batch,
        "steps": n,
        "ms of a step": round(1e3 * wall, 2),
        "ms of a step, of the processor": round(1e3 * cpu, 2),
        "rows per second": round(batch / wall),
        "bytes sent by each process in a step": round(sent),
        "rows of the table touched by each": touched[0],
        "length of vectors": model.embeddings_[0].shape[1],
        "dense weights": int(dense),
        "seconds of the fit": round(seconds, 1),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(out), flush=True)


def start(n, command):
    """Start a Python command `n` times, as any launcher would, and wait for all."""
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("localhost", 0))
    addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    processes = []
    for i in range(n):
        config = {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": i},
        }
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
        process = subprocess.Popen([sys.executable, *command], env=environment)
        processes.append(process)
    for process in processes:
        if process.wait():
            raise SystemExit(process.returncode)


def main():
    """Make the files, where they are not there yet, and fit them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=8_192, help="of each process")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cores", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--folder", type=Path, default=Path("."))
    parser.add_argument("--run")
    args = parser.parse_args()
    if args.run:
        return run(args.run, args.epochs, args.batch, args.cores)
    for n in args.processes:
        rows = args.rows // n
        folder = args.folder / f"{n}_of_{args.rows}_{args.tokens}"
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{i}.parquet" for i in range(n)]
        for path in paths:
            if not path.exists():
                out_of_core.make(path, rows, args.tokens)
        batch = str(args.batch * n)
        start(n, [*sys.argv, "--run", str(folder), "--batch", batch])


if __name__ == "__main__":
    main()
