"""Tables, estimators and sessions for the tests of ONNX."""

from dataclasses import replace

import numpy as np
import pandas as pd

NUMPY = {7: np.int64, 9: np.bool_, 11: np.float64}  # by the types of ONNX
STRING = 8


def table(n, seed=0):
    """A table of all kinds of columns; `text` and `holes` have missing values."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "text": rng.choice(
                list("abcdefgh"), n, p=[0.3, 0.2, 0.2, 0.2, *[0.025] * 4]
            ),
            "whole": rng.integers(-3, 9, n),
            "truth": rng.random(n) < 0.5,
            "float": rng.choice([0.1, -0.0, 2.5, 1e300, 3.0], n),
            "far": rng.normal(size=n) * 1e3 + 1e6,
            "holes": rng.gamma(2.0, size=n),
            "two": rng.choice([0.0, 1.0], n),
        }
    )
    frame.loc[rng.random(n) < 0.1, "text"] = None
    frame.loc[rng.random(n) < 0.1, "holes"] = np.nan
    return frame


def strange(n, seed=1):
    """More rows, with tokens that no fit has seen, and more missing values."""
    rng = np.random.default_rng(seed)
    frame = table(n, seed)
    new = rng.random(n) < 0.1
    frame.loc[new, "text"] = [f"new {i}" for i in range(new.sum())]
    frame.loc[rng.random(n) < 0.1, "whole"] = -(10**12)
    frame.loc[rng.random(n) < 0.1, "float"] = np.nextafter(0.1, 1)
    frame.loc[rng.random(n) < 0.1, "float"] = np.nan
    frame.loc[rng.random(n) < 0.1, ["far", "two"]] = np.nan
    frame.loc[rng.random(n) < 0.01, "far"] = 1e200
    return frame


TOKENS = ["text", "whole", "truth", "float"]


def outcome(X):
    """An outcome in which every column has a part."""
    rng = np.random.default_rng(2)
    y = X["text"].map(dict(zip("abcdefgh", range(8), strict=True))).fillna(3.5)
    y = y + 0.4 * X["whole"] + X["truth"] * np.sin(X["far"] / 500)
    return (y + X["holes"].fillna(4) * 0.3 + rng.normal(size=len(X))).to_numpy()


def random_network(model, seed=0, scale=0.4):
    """Put random weights in the place of the trained ones."""
    rng = np.random.default_rng(seed)
    fitted = model._fitted
    dense = {
        name: rng.normal(0, scale, value.shape).astype(np.float32)
        for name, value in fitted.weights.dense.items()
    }
    table = fitted.weights.table
    mean = rng.normal(0, 0.5, table.mean.shape).astype(np.float32)
    changes = {"mean": mean}
    if fitted.architecture.tables.has_spread:
        precision = rng.gamma(2.0, 10.0, table.mean.shape) + 1.0
        changes["precision"] = precision.astype(np.float32)
    weights = replace(fitted.weights, dense=dense, table=replace(table, **changes))
    model._fitted = fitted.with_weights(weights)
    return model


def feeds(model, X):
    """The columns of a data frame as the inputs of a graph, each (n_rows, 1)."""
    out = {}
    for j, column in enumerate(model.graph.input):
        values = X.iloc[:, j] if hasattr(X, "iloc") else X[:, j]
        kind = column.type.tensor_type.elem_type
        dtype = object if kind == STRING else NUMPY[kind]
        out[column.name] = np.asarray(values, dtype=dtype).reshape(-1, 1)
    return out


def run(model, X):
    """What onnxruntime makes of the rows: the outputs by name."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds(model, X)), strict=True))
