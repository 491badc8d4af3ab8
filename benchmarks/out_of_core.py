"""Rows on the disk: seconds, rows per second and peak memory of a fit.

``python benchmarks/out_of_core.py --rows 10_000_000 --tokens 1_000_000`` makes a file
of Parquet with six columns and an outcome, sorted by its tokens, and fits it in its own
process; with ``--memory`` also in memory, to compare with. Each run prints one line
of JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

STEP = 1_000_000


def make(path, rows, tokens):
    """Write the file: four columns of tokens, two numbers, and an outcome."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    effects = np.random.default_rng(0).normal(size=tokens).astype(np.float32)
    writer = None
    for start in range(0, rows, STEP):
        rng = np.random.default_rng([1, start])
        n = min(STEP, rows - start)
        # Sorted: this step holds the tokens that the next ones do not, as time does.
        low, high = (tokens * s // rows for s in (start, start + n))
        user = rng.integers(low, max(high, low + 1), n)
        user = np.where(rng.random(n) < 0.5, user, rng.integers(0, tokens, n))
        shop, day = rng.integers(0, 5_000, n), rng.integers(0, 365, n)
        kind = rng.integers(0, 40, n)
        price, age = rng.gamma(2.0, 10.0, n), rng.normal(40, 12, n)
        y = effects[user] + 0.3 * np.sin(shop) + 0.5 * np.cos(day / 58.0)
        y += 0.02 * price + 0.4 * np.sin(age / 6.0) * (kind % 3) + rng.normal(size=n)
        table = pa.table(
            {
                "user": user,
                "shop": shop.astype(np.int32),
                "day": day.astype(np.int16),
                "kind": pa.array([f"kind {k}" for k in range(40)]).take(pa.array(kind)),
                "price": price,
                "age": age,
                "y": y,
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def run(path, how, epochs):
    """Fit, and print what it took."""
    from skembed import EmbeddingRegressor, _pieces
    from skembed._keras import trainer

    seconds, cores = {}, {}  # by the clock, and of all cores together

    def timed(owner, name):
        function = getattr(owner, name)

        def wrapped(*args, **kwargs):
            start, busy = time.perf_counter(), time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                name_ = name.strip("_")
                seconds[name_] = round(time.perf_counter() - start, 2)
                cores[name_] = round(time.process_time() - busy, 2)

        setattr(owner, name, wrapped)

    for name in ("_look", "_survey"):
        timed(_pieces.InPieces, name)
    timed(_pieces.Spill, "run")
    timed(_pieces.Spill, "_merged")
    timed(trainer, "train")
    model = EmbeddingRegressor(epochs=epochs, random_state=0)
    start = time.perf_counter()
    if how == "memory":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        n = len(table)
        model.fit(table.drop_columns("y"), table["y"].to_numpy())
    else:
        import pyarrow.parquet as pq

        n = pq.ParquetFile(path).metadata.num_rows
        model.fit(path, "y")
    seconds["fit"] = round(time.perf_counter() - start, 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    head = next(iter(model.score([t], "y") for t in tables(path)))
    out = {"how": how, "rows": n, "epochs": model.n_iter_}
    out |= {"seconds": seconds, "core seconds": cores}
    out["rows per second of training"] = round(n * model.n_iter_ / seconds["train"])
    if how == "files":
        coded = seconds["look"] + seconds["survey"] + seconds["run"]
        out["rows per second read and coded"] = round(n / coded)
    out |= {"peak GB": round(peak, 2), "R2 of the first rows": round(head, 4)}
    print(json.dumps(out), flush=True)


def tables(path):
    """Tables of the file, one after the other."""
    from skembed._data.sources import source_of

    return source_of(path).tables()


def main():
    """Make the file, where it is not there yet, and fit it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("."))
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--run", choices=["files", "memory"])
    args = parser.parse_args()
    path = args.folder / f"rows_{args.rows}_{args.tokens}.parquet"
    if args.run:
        return run(str(path), args.run, args.epochs)
    if not path.exists():
        make(path, args.rows, args.tokens)
    for how in ["files", "memory"] if args.memory else ["files"]:
        subprocess.run([sys.executable, *sys.argv, "--run", how], check=True)


if __name__ == "__main__":
    main()
