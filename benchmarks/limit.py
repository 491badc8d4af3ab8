"""Print the floating-point operations of fits, and how near to the machine they come.

    python benchmarks/limit.py --tables movielens100k flights_late --out FILE

What a fit cannot do without are the products of the layers' matrices with a batch: one
forwards, and in the pass back one for the weights and one for what they read, as far as
that is learned. They are counted, and timed by themselves at the sizes of that fit, by
TensorFlow and by NumPy: the faster one is the limit. One thread.
"""

import argparse
import os
import time
from functools import partial
from statistics import median
from unittest import mock

import numpy as np
from report import header, write
from tables import TABLES, load, split
from threadpoolctl import threadpool_limits

SECONDS = 0.2  # that a product is repeated for


def products(problem, batch):
    """Sizes (m, k, n) of the products of matrices (m, k) and (k, n) in one step."""
    architecture, rows = problem.architecture, problem.rows
    if not architecture.has_layers:
        return []
    n_fields = rows.codes.shape[1]
    if rows.blend is not None:
        n_fields = rows.blend.slots.n_fields
    vectors = n_fields * architecture.width
    others = rows.numbers.shape[1] + len(problem.knots.column) + 1
    hidden = architecture.hidden
    sizes = [(vectors + others, hidden[0])] if hidden else []
    sizes += list(zip(hidden[:-1], hidden[1:], strict=True))
    found = []
    for i, (read, units) in enumerate(sizes):
        learned = read if i else vectors
        found += [(batch, read, units), (read, batch, units), (batch, units, learned)]
    return found


def operations(sizes):
    """Floating-point operations of products."""
    return sum(2 * m * k * n for m, k, n in sizes)


def seconds_of(sizes):
    """Seconds that these products take by themselves, by the faster library."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    total = 0.0
    for m, k, n in sizes:
        a = rng.normal(size=(m, k)).astype(np.float32)
        b = rng.normal(size=(k, n)).astype(np.float32)
        tensors = tf.constant(a), tf.constant(b)
        product = _each(partial(_repeated(tf.matmul), *tensors))
        nothing = _each(partial(_repeated(_first), *tensors))
        by_numpy = _each(partial(_by_numpy, a, b, np.empty((m, n), np.float32)))
        total += min(by_numpy, product - nothing)
    return total


def _by_numpy(a, b, out, times):
    for _ in range(times):
        np.matmul(a, b, out)


def _first(a, b):
    return a


def _repeated(function):
    """A function of two matrices, so many times, each after the one before."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def run(a, b, times):
        def body(i, before):
            found = function(a + before, b)
            return i + 1, 0.0 * found[0, 0]

        return tf.while_loop(lambda i, _: i < times, body, (0, 0.0))[1]

    return lambda a, b, times: run(a, b, tf.constant(times)).numpy()


def _each(repeated):
    """Seconds of one of many repetitions: the median of five runs."""
    repeated(2)
    began = time.perf_counter()
    repeated(20)
    times = max(20, int(20 * SECONDS / 5 / (time.perf_counter() - began)))
    runs = []
    for _ in range(5):
        began = time.perf_counter()
        repeated(times)
        runs.append((time.perf_counter() - began) / times)
    return median(runs)


def fit(table):
    """Fit a table twice; of the second fit, its seconds and those of its steps."""
    from skembed import EmbeddingClassifier, EmbeddingRegressor
    from skembed._keras.engine import Engine

    regression = table.task == "regression"
    estimator = EmbeddingRegressor if regression else EmbeddingClassifier
    train, _ = split(table, 0)
    X, y = table.X.iloc[train], table.y[train]
    estimator(random_state=0).fit(X, y)  # traces
    calls, advance = [], Engine.advance

    def timed(engine, state, plan, held=None):
        began = time.perf_counter()
        found = advance(engine, state, plan, held)
        seconds = time.perf_counter() - began
        calls.append((engine.problem, *plan.order.shape, seconds))
        return found

    with mock.patch.object(Engine, "advance", timed):
        began = time.perf_counter()
        estimator(random_state=0).fit(X, y)
        return time.perf_counter() - began, calls


def run(name):
    """Operations and seconds of the fit of one table."""
    whole, calls = fit(load(name))
    steps = {}
    for problem, n, batch, seconds in calls:
        sizes = tuple(products(problem, batch))
        count, total = steps.get(sizes, (0, 0.0))
        steps[sizes] = count + n, total + seconds
    found = {"table": name, "fit_seconds": whole, "operations": 0}
    found |= {"steps_seconds": 0.0, "limit_seconds": 0.0, "n_steps": 0}
    for sizes, (count, seconds) in steps.items():
        found["n_steps"] += count
        found["operations"] += count * operations(sizes)
        found["limit_seconds"] += count * seconds_of(sizes)
        found["steps_seconds"] += seconds
    return found


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")
    with threadpool_limits(1):
        results = [run(name) for name in args.tables]
    rows = [
        [
            r["table"],
            f"{r['n_steps']:,}",
            f"{r['operations'] / 1e9:.0f}",
            f"{r['operations'] / 1e9 / r['limit_seconds']:.0f}",
            f"{r['limit_seconds']:.1f}",
            f"{r['steps_seconds']:.1f}",
            f"{r['fit_seconds']:.1f}",
            f"{100 * r['limit_seconds'] / r['steps_seconds']:.0f} %",
        ]
        for r in results
    ]
    headings = ["table", "steps", "10^9 operations", "10^9 a second, at most"]
    headings += ["seconds so", "of the steps", "of the fit", "share"]
    title = "Products of the layers' matrices in a fit, and the time that it takes."
    used = ["numpy", "skembed", "tensorflow"]
    write(args.out, header(used), [(title, headings, rows)], results)


if __name__ == "__main__":
    main()
