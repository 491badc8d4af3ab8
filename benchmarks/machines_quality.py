"""R2 of one fit in two processes, beside that of a plain fit, on public tables.

``python benchmarks/machines_quality.py --seeds 0 1 2`` splits each table at random,
gives each process half of the rows to learn from, and prints one line of JSON for each
table: the R2 in the rows left out, of both fits and of every seed.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machines
import numpy as np
import tables

NAMES = ["flights_delay", "movielens100k", "lahman_salary"]

# A plain fit, in a fresh process like the others.
PLAIN = """
import sys, pickle
from skembed import EmbeddingRegressor
seed, X, y, path = pickle.load(sys.stdin.buffer)
model = EmbeddingRegressor(random_state=seed).fit(X, y)
pickle.dump(model, open(path, 'wb'))
"""


def run(folder, seed):
    """Fit this process's rows with the others, and keep the estimator."""
    from skembed import EmbeddingRegressor
    from skembed.machines import fit_together

    rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    model = EmbeddingRegressor(random_state=seed)
    fit_together(model, f"{folder}/{rank}.parquet", "outcome", n_threads=1)
    if not rank:
        Path(folder, "model").write_bytes(pickle.dumps(model))


def compare(name, seeds, n):
    """R2 of both fits of a table."""
    table = tables.load(name)
    found = {"together": [], "plain": []}
    seconds = {"together": [], "plain": []}
    for seed in seeds:
        train, test = tables.split(table, seed)
        X, y = table.X.iloc[test], table.y[test]
        rows = table.X.iloc[train].assign(outcome=table.y[train])
        with tempfile.TemporaryDirectory() as folder:
            for i, at in enumerate(np.array_split(np.arange(len(rows)), n)):
                rows.iloc[at].to_parquet(f"{folder}/{i}.parquet")
            began = time.perf_counter()
            more = ["--run", folder, "--seeds", str(seed)]
            machines.start(n, [*sys.argv, *more])
            seconds["together"].append(time.perf_counter() - began)
            model = pickle.loads(Path(folder, "model").read_bytes())
        found["together"].append(model.score(X, y))
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            job = seed, table.X.iloc[train], table.y[train], f"{folder}/model"
            command = [sys.executable, "-c", PLAIN]
            subprocess.run(command, input=pickle.dumps(job), check=True)
            seconds["plain"].append(time.perf_counter() - began)
            plain = pickle.loads(Path(folder, "model").read_bytes())
        found["plain"].append(plain.score(X, y))
    out = {"table": name, "rows": len(train), "processes": n}
    out |= {how: np.round(own, 4).tolist() for how, own in found.items()}
    difference = np.subtract(found["together"], found["plain"])
    out["difference of R2"] = round(float(difference.mean()), 4)
    out["epochs"] = model.n_iter_, plain.n_iter_
    out |= {f"seconds {how}": np.round(own, 1).tolist() for how, own in seconds.items()}
    print(json.dumps(out), flush=True)


def main():
    """Compare the fits table by table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", default=NAMES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--run")
    args = parser.parse_args()
    if args.run:
        return run(args.run, *args.seeds)
    tables.MAX_ROWS = 10**9  # all of them
    for name in args.tables:
        compare(name, args.seeds, args.processes)


if __name__ == "__main__":
    main()
