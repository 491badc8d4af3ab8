"""Graphs of ONNX with slopes, curves and crosses."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from onnxruntime import InferenceSession

from skembed import EmbeddingClassifier, EmbeddingRegressor
from skembed.export import to_onnx

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}
ADDED = {
    "varying_slopes": {"a": "all"},
    "varying_curves": {"b": ["u", "few"]},
    "crosses": [("a", "b")],
}


@pytest.fixture(scope="module", name="rows")
def rows_and_new_ones():
    rng, n = np.random.default_rng(0), 1_500
    X = pd.DataFrame(
        {
            "a": rng.integers(0, 30, n).astype(str),
            "b": rng.integers(0, 20, n),
            "z": rng.normal(size=n),
            "u": rng.uniform(size=n),
            "few": rng.integers(0, 3, n) * 1.0,
        }
    )
    X.loc[::9, "z"] = np.nan
    y = rng.normal(size=n) + rng.normal(size=30)[X["a"].astype(int)] * X["u"]
    new = X.sample(400, random_state=1).reset_index(drop=True)
    new.loc[:20, "a"] = "unknown"
    new.loc[30:50, "b"] = 77
    new.loc[60:80, "z"] = 9.0
    new.loc[90:95, "u"] = -3.0
    new.loc[100:105, "u"] = np.nan
    return X, y.to_numpy(), new


def answers(model, new, *outputs):
    session = InferenceSession(to_onnx(model, outputs=outputs).SerializeToString())
    cells = {name: new[[name]].to_numpy() for name in new}
    return session.run(None, cells)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("added", [*({k: v} for k, v in ADDED.items()), ADDED], ids=str)
def test_predictions_and_their_spread(loss, added, rows):
    X, y, new = rows
    model = EmbeddingRegressor(loss=loss, **added, **SMALL).fit(X, np.abs(y))
    found = answers(model, new, "prediction", "std", "interval")
    wanted = [model.predict(new), model.predict_std(new)]
    wanted += list(model.predict_interval(new).T)
    for one, other in zip(found, wanted, strict=True):
        assert_allclose(one.ravel(), other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cuts", [[0.0], [-1.0, 1.0]], ids=["two", "three"])
def test_probabilities(cuts, rows):
    X, y, new = rows
    model = EmbeddingClassifier(**ADDED, **SMALL).fit(X, np.digitize(y, cuts))
    (found,) = answers(model, new, "probabilities")
    assert_allclose(found, model.predict_proba(new), atol=1e-5)


def test_tables_of_tokens_only(rows):
    X, y, new = rows
    columns = ["a", "b"]
    model = EmbeddingRegressor(crosses=[(0, 1)], **SMALL).fit(X[columns], y)
    (found,) = answers(model, new[columns], "prediction")
    assert_allclose(found.ravel(), model.predict(new[columns]), atol=1e-5)
