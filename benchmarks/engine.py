"""How fast the engine is, each figure a ratio to a peer measured in the same process.

    python benchmarks/engine.py [--parts NAME ...] [--repeats 5] [--out FILE]

Parts: section1, grid, step, memory, large, tokenise, predict, import. Times are wall
time, medians of the repeats, with the two sides taking turns.
"""

import argparse
import os
import subprocess
import sys
import textwrap
import time
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from report import header, write


def clock(function):
    """Seconds that a call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def take_turns(repeats, *functions):
    """Median seconds of each function, called in turn."""
    times = [[clock(f) for f in functions] for _ in range(repeats)]
    return [median(column) for column in zip(*times, strict=True)]


def section1_data(seed=0, n=10_000):
    """Ten thousand observations of five tokens."""
    rng = np.random.default_rng(seed)
    effect = rng.permutation(np.linspace(-20, 20, 5))
    x = rng.integers(0, 5, n)
    return x[:, None], rng.normal(effect[x], 2)


def section1_network(optimizer="rmsprop"):
    """The network of the first experiment, in plain Keras."""
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="int32"),
            layers.Embedding(5, 4),
            layers.Flatten(),
            layers.Dense(10, activation="relu"),
            *(layers.Dense(units) for units in (8, 6, 4, 1)),
        ]
    )
    model.compile(optimizer=optimizer, loss="mse")
    return model


def section1_estimator(**changes):
    """The same network as an EmbeddingRegressor."""
    from skembed import EmbeddingRegressor

    settings = {
        "embedding_dim": 4,
        "hidden_layer_sizes": (10, 8, 6, 4),
        "activation": ("relu", "linear", "linear", "linear"),
        "categorical_features": "all",
        "prior": None,
        "optimizer": "rmsprop",
        "batch_size": 1000,
        "epochs": 100,
        "random_state": 0,
    }
    return EmbeddingRegressor(**settings | changes)


_FIRST = """
import os, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, {folder!r})
import tensorflow, keras, scikeras.wrappers, sklearn.model_selection
import skembed._keras.trainer, skembed._regressor
from engine import *
X, y = section1_data()
began = time.perf_counter()
{code}
print(time.perf_counter() - began)
"""


def fresh(code):
    """Seconds of `code` in a fresh process that has everything imported."""
    folder = os.path.dirname(os.path.abspath(__file__))
    script = _FIRST.format(folder=folder, code=code)
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return float(out.stdout.split()[-1])


def section1(repeats):
    """Section 1's experiment: first fit in a process, and later fits."""
    keras_code = "section1_network().fit(X, y, batch_size=1000, epochs=100, verbose=0)"
    own_code = "section1_estimator().fit(X, y)"
    pairs = [(fresh(keras_code), fresh(own_code)) for _ in range(repeats)]
    theirs, own = (median(column) for column in zip(*pairs, strict=True))
    yield "section 1, first fit in a process", "Keras fit", theirs, own, 5
    X, y = section1_data()
    section1_estimator().fit(X, y)
    theirs, own = take_turns(
        repeats,
        lambda: section1_network().fit(X, y, batch_size=1000, epochs=100, verbose=0),
        lambda: section1_estimator(random_state=None).fit(X, y),
    )
    yield "section 1, later fits", "Keras fit", theirs, own, 20


def grid(repeats):
    """A grid search of 12 candidates, 5 folds, against SciKeras."""
    import keras
    from scikeras.wrappers import KerasRegressor
    from sklearn.model_selection import GridSearchCV

    X, y = section1_data()
    rates = [3e-4, 1e-3, 3e-3, 1e-2, 2e-2, 3e-2]
    own = GridSearchCV(
        section1_estimator(), {"learning_rate": rates, "embedding_dim": [3, 4]}, cv=5
    )

    def build(width):
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((1,), dtype="int32"),
                layers.Embedding(5, width),
                layers.Flatten(),
                layers.Dense(10, activation="relu"),
                *(layers.Dense(units) for units in (8, 6, 4, 1)),
            ]
        )

    peer = GridSearchCV(
        KerasRegressor(
            build,
            width=4,
            optimizer="rmsprop",
            loss="mse",
            batch_size=1000,
            epochs=100,
            verbose=0,
        ),
        {"optimizer__learning_rate": rates, "width": [3, 4]},
        cv=5,
    )
    times = take_turns(repeats, lambda: peer.fit(X, y), lambda: own.fit(X, y))
    yield "grid search, 12 candidates x 5 folds", "SciKeras", *times, 20


def _own_run(n_tokens, n_rows, width=16, batch=1024):
    """An epoch of the engine, one point table trained with Adam; and its steps."""
    from skembed import EmbeddingRegressor
    from skembed._keras.engine import Engine
    from skembed._training.batches import Batches

    rng = np.random.default_rng(0)
    X = rng.integers(0, n_tokens, (n_rows, 1))
    estimator = EmbeddingRegressor(
        width, (64,), prior=None, batch_size=batch, epochs=1, random_state=0
    )
    samples = estimator._read(X, rng.standard_normal(n_rows), None)
    columns, _ = estimator._columns_told()
    encoder, rows = samples.encode(columns, False, None, None)
    # Every token has a row of the table, whether the sample holds it or not.
    encoder.tokens[0].n_codes = n_tokens + 1
    rows = rows._replace(codes=X.astype(np.int32))
    fitted, problem = estimator._untrained(encoder, rows, samples.target, rng)
    options = estimator._recipe().options(problem)
    batches = Batches(problem, options, rng)
    dense = fitted.weights.dense
    engine = Engine.of(problem, options.rule, dense, batches, dense)
    states = [engine.start(fitted.weights)]
    n_steps = batches.n_steps_per_epoch

    def epoch():
        state = states.pop()
        ((plan, _),) = batches.plans(1, options.schedule, state.n_steps, 1.0)
        states.append(engine.advance(state, plan)[0])

    return epoch, n_steps


def _keras_step(n_tokens, width=16, batch=1024):
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="int32"),
            layers.Embedding(n_tokens, width),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    rng = np.random.default_rng(0)
    X = rng.integers(0, n_tokens, (batch * 20, 1)).astype("int32")
    y = rng.standard_normal(len(X)).astype("float32")
    model.fit(X, y, batch_size=batch, verbose=0)
    return lambda: model.fit(X, y, batch_size=batch, verbose=0), 20


def step(repeats):
    """Time of a step at 1,000, 1,000,000 and 10,000,000 tokens."""
    runs = {n: _own_run(n, 102_400) for n in (1_000, 1_000_000, 10_000_000)}
    for epoch, _ in runs.values():
        epoch()
    times = take_turns(repeats, *(epoch for epoch, _ in runs.values()))
    steps = runs[1_000][1]
    small, large, largest = (seconds / steps * 1e3 for seconds in times)
    yield "step at 1,000,000 tokens / at 1,000 (ms)", "itself", large, small, -1.5
    yield "step at 10,000,000 tokens / at 1,000 (ms)", "itself", largest, small, -2.0
    del runs
    calls = [_keras_step(n) for n in (1_000, 1_000_000)]
    theirs = [
        seconds / 20 * 1e3 for seconds in take_turns(repeats, *(c for c, _ in calls))
    ]
    yield (
        "Keras: step at 1,000,000 / at 1,000 (ms)",
        "itself",
        theirs[1],
        theirs[0],
        None,
    )
    yield "step at 1,000,000 tokens (ms)", "Keras", theirs[1], large, None


_MEMORY = """
import os, re
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
from skembed import EmbeddingRegressor

def peak():
    # Not getrusage: there a process starts from the peak of the one that made it.
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) * 1024

n_tokens, width = 10_000_000, 16
X = np.arange(n_tokens)[:, None]
y = np.zeros(n_tokens, np.float32); y[::2] = 1.0
EmbeddingRegressor(width, (8,), epochs=1, batch_size=8192).fit(X[:100_000], y[:100_000])
before = peak()
EmbeddingRegressor(width, (8,), epochs=1, batch_size=8192).fit(X, y)
print((peak() - before) / 1e9)
"""


def memory(repeats):
    """Peak memory of a fit at 10,000,000 tokens x 16, over tables and spreads."""
    out = subprocess.run(
        [sys.executable, "-c", _MEMORY], capture_output=True, text=True, check=True
    )
    peak = float(out.stdout.split()[-1])
    # The tables as they would stand with Adam's moments for means and spreads.
    tables = 10_000_000 * 16 * 6 * 4 / 1e9
    yield (
        "peak memory at 10,000,000 x 16 (GB)",
        "tables, moments, spreads",
        peak,
        tables,
        -2.5,
    )


def large(repeats, n_rows=10_000_000, n_tokens=1_000_000):
    """Rows a second of whole fits; Keras is timed on a slice of an epoch."""
    import keras

    from skembed import EmbeddingRegressor

    rng = np.random.default_rng(0)
    import pandas as pd

    tokens = rng.integers(0, n_tokens, n_rows)
    numbers = rng.standard_normal((n_rows, 5)).astype(np.float32)
    y = rng.standard_normal(n_rows) + tokens % 7
    X = pd.DataFrame(numbers, columns=list("abcde"))
    X.insert(0, "token", tokens)
    estimator = EmbeddingRegressor(
        16, (64,), epochs=1, prior=None, batch_size=1024, random_state=0
    )
    layers = keras.layers
    a, b = keras.Input((1,), dtype="int32"), keras.Input((5,))
    x = layers.Concatenate()([layers.Flatten()(layers.Embedding(n_tokens, 16)(a)), b])
    f = layers.Dense(1)(layers.Dense(64, activation="relu")(x))
    model = keras.Model([a, b], f)
    model.compile(optimizer="adam", loss="mse")
    n = 204_800

    def keras_epoch():
        model.fit(
            [tokens[:n, None].astype("int32"), numbers[:n]],
            y[:n],
            batch_size=1024,
            verbose=0,
        )

    keras_epoch()
    theirs, own = take_turns(repeats, keras_epoch, lambda: estimator.fit(X, y))
    yield (
        "10,000,000 rows, 1,000,000 tokens (rows/s)",
        "Keras, Adam",
        n_rows / own,
        n / theirs,
        20,
    )


def tokenise(repeats):
    """Ten million strings to codes, against polars' categorical cast."""
    import polars as pl

    from skembed._data.columns import read
    from skembed._data.tokens import TokenIndex

    rng = np.random.default_rng(0)
    names = np.array([f"token_{i:05d}" for i in range(10_000)])
    frame = pl.DataFrame({"token": names[rng.integers(0, 10_000, 10_000_000)]})
    weights = np.ones(len(frame))
    theirs, own = take_turns(
        repeats,
        lambda: frame["token"].cast(pl.Categorical),
        lambda: TokenIndex.fit(read(frame)[0], weights),
    )
    rate = len(frame) / own / 1e6
    yield "tokenise 10,000,000 strings (M rows/s)", "at least 5", rate, 1.0, 5
    yield "tokenise 10,000,000 strings (s)", "polars cast", own, theirs, -2


def predict(repeats):
    """One row, and a million rows of one column, against Keras's predict."""
    X, y = section1_data()
    estimator = section1_estimator().fit(X, y)
    model = estimator.model_
    rows = np.random.default_rng(0).integers(0, 5, (1_000_000, 1))
    inputs = estimator.model_inputs(rows)
    one = {name: value[:1] for name, value in inputs.items()}
    estimator.predict(X[:1])
    model.predict(one, verbose=0)

    def many():
        for _ in range(100):
            estimator.predict(X[:1])

    theirs, own = take_turns(
        max(repeats, 5), lambda: model.predict(one, verbose=0), many
    )
    yield "predict one row (ms)", "Keras predict", theirs * 1e3, own * 10, 50
    theirs, own = take_turns(
        repeats,
        lambda: model.predict(inputs, verbose=0),
        lambda: estimator.predict(rows),
    )
    yield "predict 1,000,000 rows (s)", "Keras predict", theirs, own, 20


def importing(repeats):
    """Import, unpickle and predict in a fresh process, against scikit-learn."""
    import pickle
    import tempfile

    X, y = section1_data()
    with tempfile.NamedTemporaryFile(suffix=".pickle", delete=False) as file:
        pickle.dump(section1_estimator().fit(X, y), file)
    own_code = f"""
        import sys, pickle, skembed
        with open({file.name!r}, "rb") as file: estimator = pickle.load(file)
        estimator.predict([[1]])
        assert "tensorflow" not in sys.modules
    """

    def process(code):
        subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)

    own, theirs = take_turns(
        max(repeats, 5),
        lambda: process(own_code),
        lambda: process("import sklearn.linear_model"),
    )
    os.unlink(file.name)
    yield (
        "import, unpickle, predict (s)",
        "import sklearn.linear_model",
        own,
        theirs,
        -1.5,
    )


COLUMNS = ["what", "against", "first", "second", "first / second", "wanted"]
PARTS = {
    "section1": section1,
    "grid": grid,
    "step": step,
    "memory": memory,
    "large": large,
    "tokenise": tokenise,
    "predict": predict,
    "import": importing,
}


def main():
    """Run the parts and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    arguments = parser.parse_args()
    rows, results = [], []
    for part in arguments.parts:
        for what, peer, first, second, target in PARTS[part](arguments.repeats):
            ratio = first / second
            wanted = (
                "" if target is None else f"{'≥' if target > 0 else '≤'} {abs(target)}"
            )
            row = [what, peer, f"{first:.4g}", f"{second:.4g}", f"{ratio:.3g}", wanted]
            print(" | ".join(row), flush=True)
            rows.append(row)
            results.append(dict(zip(COLUMNS, row, strict=True)))
    packages = ["skembed", "tensorflow", "keras", "scikeras", "scikit-learn", "polars"]
    title = "Times and rates, each against a peer measured in the same run."
    write(arguments.out, header(packages), [(title, COLUMNS, rows)], results)


if __name__ == "__main__":
    main()
