"""Print how fast steps are on an accelerator and on the processor, and how far apart.

    python benchmarks/accelerator.py --rows 10_000_000 --tokens 1_000_000 --out FILE

The same fit runs in a process of its own on each device. A step must read and write the
rows of the table that its batch touches, and read its rows of the data: these bytes a
second are set beside what a plain copy reaches on that device.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from report import header, write

DEVICES = "CPU", "GPU"
COPIED = 1 << 28  # bytes of the copy
FEW = 20_000  # rows of the fit whose results are compared


def data(n_rows, n_tokens, seed=0):
    """Four columns of tokens and two numbers, and an outcome of all of them."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    sizes = {"user": n_tokens, "shop": 5_000, "day": 365, "kind": 40}
    X, y = {}, rng.normal(size=n_rows)
    for name, size in sizes.items():
        X[name] = rng.integers(0, size, n_rows)
        y += rng.normal(size=size)[X[name]]
    for name in ("price", "age"):
        X[name] = rng.normal(size=n_rows)
        y += np.sin(X[name])
    return pd.DataFrame(X), y, list(sizes)


def copied():
    """Bytes a second of a copy: read and written."""
    import tensorflow as tf

    values = tf.zeros([COPIED // 4])
    copy = tf.function(lambda x, k: x + k)
    seconds = []
    for k in range(6):
        began = time.perf_counter()
        float(copy(values, float(k))[-1])
        seconds.append(time.perf_counter() - began)
    return 2 * COPIED / min(seconds)


def fits(n_rows, n_tokens, epochs):
    """What one device does, as a dict: two fits, of many rows and of few."""
    import tensorflow as tf

    from skembed import EmbeddingRegressor
    from skembed._keras.engine import Engine

    calls, advance = [], Engine.advance

    def timed(engine, state, plan, held=None):
        began = time.perf_counter()
        found = advance(engine, state, plan, held)
        seconds = time.perf_counter() - began
        if engine.problem.architecture.has_layers:
            codes = engine.problem.rows.codes[plan.order[0]]
            touched = len(np.unique(codes)) * found[0].table.shape[1]
            row = codes.shape[1] + engine.data.rows.shape[1]
            read = 4 * (2 * touched + row * plan.order.shape[1])
            calls.append((*plan.order.shape, seconds, read))
        return found

    X, y, tokens = data(n_rows, n_tokens)
    model = EmbeddingRegressor(
        categorical_features=tokens, epochs=epochs, random_state=0
    )
    with mock.patch.object(Engine, "advance", timed):
        model.fit(X, y)
    calls = calls[1:] or calls  # the first one traces
    steps = sum(n for n, *_ in calls)
    seconds = sum(call[2] for call in calls)
    few = EmbeddingRegressor(categorical_features=tokens, epochs=4, random_state=0)
    few.fit(X[:FEW], y[:FEW])
    return {
        "device": str(tf.config.list_physical_devices()[-1].device_type),
        "rows per second": steps * calls[0][1] / seconds,
        "ms per step": 1e3 * seconds / steps,
        "bytes per second": sum(n * read for n, _, _, read in calls) / seconds,
        "bytes per second of a copy": copied(),
        "predictions": few.predict(X[FEW : FEW + 1000]).tolist(),
        "losses": few.loss_curve_,
    }


def run(device, args):
    """What one device does, in a process of its own."""
    environment = dict(os.environ)
    if device == "CPU":
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
    command = [sys.executable, __file__, "--run", device]
    for name in ("rows", "tokens", "epochs"):
        command += [f"--{name}", str(getattr(args, name))]
    out = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(out.stdout.splitlines()[-1])


def has_accelerator():
    """Whether TensorFlow sees one; asked in a process of its own."""
    code = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return int(out.stdout.split()[-1]) > 0


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--run", choices=DEVICES, help=argparse.SUPPRESS)
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    if args.run:
        print(json.dumps(fits(args.rows, args.tokens, args.epochs)))
        return
    devices = DEVICES if has_accelerator() else DEVICES[:1]
    if len(devices) == 1:
        print("TensorFlow sees no accelerator: the processor only.", file=sys.stderr)
    results = [run(device, args) for device in devices]
    first = np.array(results[0]["predictions"])
    rows = [
        [
            found["device"],
            f"{found['rows per second']:,.0f}",
            f"{found['ms per step']:.2f}",
            f"{found['bytes per second'] / 1e9:.1f}",
            f"{found['bytes per second of a copy'] / 1e9:.1f}",
            f"{np.abs(np.array(found['predictions']) - first).max() / first.std():.1e}",
        ]
        for found in results
    ]
    headings = ["device", "rows per second", "ms per step", "GB per second"]
    headings += ["of a copy", "predictions apart (sd)"]
    title = f"{args.rows:,} rows, {args.tokens:,} tokens, {args.epochs} epochs."
    used = ["numpy", "skembed", "tensorflow"]
    write(args.out, header(used), [(title, headings, rows)], results)


if __name__ == "__main__":
    main()
