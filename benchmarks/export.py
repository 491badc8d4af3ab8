"""Graphs of ONNX side by side with the estimators they were made of, and with peers.

``python benchmarks/export.py`` prints, for every case, the greatest difference between
the graph and `predict`, the time of one row, and the time of a million rows in calls
of 16,384 (of intervals of one such call); and what other encoders of categories
can say to skl2onnx or to their own exporters. Needs ``skembed[skl2onnx]``, onnxruntime
and catboost.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed.export import to_onnx

N, CHUNK, REPEATS = 1_000_000, 16_384, 2


def table(n, seed=0):
    """Rows of text with missing values, whole numbers and numbers."""
    rng = np.random.default_rng(seed)
    shares = 1.0 / np.arange(1, 1001)
    names = np.array([f"token {i}" for i in range(1000)], object)
    text = rng.choice(names, n, p=shares / shares.sum())
    text[rng.random(n) < 0.02] = None
    return pd.DataFrame(
        {
            "text": text,
            "whole": rng.integers(0, 100, n),
            "u": rng.normal(size=n),
            "v": rng.gamma(2.0, size=n),
        }
    )


def strange(X):
    """The rows with tokens that no fit has seen among them."""
    X, rng = X.copy(), np.random.default_rng(1)
    X.loc[rng.random(len(X)) < 0.05, "text"] = "unknown"
    if "whole" in X:
        X.loc[rng.random(len(X)) < 0.05, "whole"] = -7
    return X


def cases():
    """Yield the name, the fitted estimator, the outputs, its function, and the rows."""
    train, asked = table(20_000), strange(table(N, seed=2))
    rng = np.random.default_rng(3)
    effect = dict(zip(train["text"].unique(), rng.normal(size=1001), strict=False))
    y = train["text"].map(effect).astype(float) + train["u"] + 0.02 * train["whole"]
    y = y.fillna(0.0) + rng.normal(size=len(train))
    classes = np.digitize(y, [-1, 1])
    made = {
        "regressor": (EmbeddingRegressor, y, "predict"),
        "amounts (poisson)": (EmbeddingRegressor, np.exp(y / 3).round(), "predict"),
        "two classes": (EmbeddingClassifier, y > 0, "predict_proba"),
        "three classes": (EmbeddingClassifier, classes, "predict_proba"),
    }
    columns = {"text": ["text"], "text, int, 2 floats": ["text", "whole", "u", "v"]}
    for name, (kind, target, function) in made.items():
        for what, chosen in columns.items():
            params = {"loss": "poisson"} if "poisson" in name else {}
            model = kind(epochs=2, min_frequency=5, random_state=0, **params)
            model.fit(train[chosen], target)
            case = f"{name}, {what}"
            yield case, model, None, getattr(model, function), asked[chosen]
            if name == "regressor":
                rows = asked[chosen][:CHUNK]
                yield (
                    f"interval, {what}",
                    model,
                    "interval",
                    model.predict_interval,
                    rows,
                )
    encoder = EmbeddingEncoder(EmbeddingRegressor(epochs=2), cv=2, random_state=0)
    encoder.fit(train[["text", "whole"]], y)
    rows = asked[["text", "whole"]]
    yield "encoder, text, int", encoder, None, encoder.transform, rows


def best(function):
    """Least seconds of a few calls."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def measured(model, outputs, function, X):
    """Difference, seconds of one row, and of all rows by graph and by estimator.

    The estimator gets the rows in the graph's calls, all at once, and at once with text
    as objects of Python, which is what a graph gets.
    """
    graph = to_onnx(model, outputs=outputs)
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feeds = {
        column.name: X[column.name]
        .to_numpy(object if column.type.tensor_type.elem_type == 8 else None)
        .reshape(-1, 1)
        for column in graph.graph.input
    }

    def run(start, stop):
        rows = {name: cells[start:stop] for name, cells in feeds.items()}
        found = session.run(None, rows)
        return np.concatenate(found, axis=1) if outputs else found[-1]

    few = function(X[:20_000])
    apart = np.abs(run(0, 20_000).reshape(few.shape) - few).max()

    def one():
        for _ in range(500):
            run(0, 1)

    def by_graph():
        for start in range(0, len(X), CHUNK):
            run(start, start + CHUNK)

    def by_estimator():
        for start in range(0, len(X), CHUNK):
            function(X[start : start + CHUNK])

    as_objects = X.assign(text=X["text"].astype(object))
    calls = by_graph, by_estimator, lambda: function(X), lambda: function(as_objects)
    return apart, best(one) / 500, list(map(best, calls))


def peers():
    """Yield what was tried with another encoder, and what came of it."""
    from skl2onnx import to_onnx as convert
    from skl2onnx.common.data_types import StringTensorType
    from sklearn.preprocessing import TargetEncoder

    X = np.array([["a"], ["b"], ["c"]] * 50, object)
    y = np.arange(150.0) + 0.5
    inputs = [("x", StringTensorType([None, 1]))]
    encoder = TargetEncoder(random_state=0).fit(X, y)
    asked = np.array([["b"], ["new"]], object)

    def encoded():
        graph = convert(encoder, initial_types=inputs).SerializeToString()
        found = onnxruntime.InferenceSession(graph).run(None, {"x": asked})[0]
        np.testing.assert_allclose(found, encoder.transform(asked), rtol=1e-5)

    yield "scikit-learn TargetEncoder of text, by skl2onnx", attempt(encoded)
    classes = TargetEncoder(random_state=0).fit(X, y // 50)
    yield (
        "the same for three classes",
        attempt(lambda: convert(classes, initial_types=inputs)),
    )
    from catboost import CatBoostRegressor

    model = CatBoostRegressor(
        iterations=5, cat_features=[0], verbose=False, allow_writing_files=False
    ).fit(X, y)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.onnx")
        yield (
            "CatBoost with cat_features, save_model(format='onnx')",
            attempt(lambda: model.save_model(path, format="onnx")),
        )


def attempt(export):
    """The first words of an error, or that there was none."""
    try:
        export()
    except Exception as error:
        text = " ".join(str(error).split())
        return f"refused: {type(error).__name__}: {text[:110]}"
    return "works"


def main():
    """Print the tables."""
    print(f"onnxruntime {onnxruntime.__version__}, rows in calls of {CHUNK:,}; seconds")
    heads = "".join(
        f"{head:>9}" for head in ["graph", "in calls", "at once", "objects"]
    )
    print(f"{'':38}{'apart':>9}{'1 row':>10}{heads}")
    for name, *case in cases():
        apart, one, times = measured(*case)
        took = "".join(f"{seconds:9.2f}" for seconds in times)
        print(f"{name:38}{apart:9.0e}{one * 1e3:7.3f} ms{took}", flush=True)
    for name, came in peers():
        print(f"{name}: {came}")


if __name__ == "__main__":
    main()
