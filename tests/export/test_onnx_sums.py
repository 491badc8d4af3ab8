"""ONNX where vectors are sums: of parents, of features, of what columns share."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from onnx_cases import random_network, run

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed.export import to_onnx

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (6, 5), "random_state": 0}
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def table(n, seed=0):
    """Shops in towns, whole numbers, and two columns of the same tokens."""
    rng = np.random.default_rng(seed)
    shop = rng.integers(0, 30, n)
    frame = pd.DataFrame(
        {
            "shop": [f"shop {i}" for i in shop],
            "town": [f"town {i % 7}" for i in shop],
            "code": rng.integers(0, 20, n),
            "home": rng.choice(list("abcdef"), n),
            "away": rng.choice(list("cdefgh"), n),
            "size": rng.normal(size=n),
        },
        dtype=object,
    )
    frame["size"] = frame["size"].astype(float)
    frame.loc[rng.random(n) < 0.05, ["shop"]] = None
    frame.loc[rng.random(n) < 0.05, ["town"]] = None
    return frame


def strange(n, seed=1):
    """More rows: unknown tokens of known and unknown parents, shops that have moved."""
    rng = np.random.default_rng(seed)
    frame = table(n, seed)
    for name in ["shop", "town", "home", "away"]:
        frame.loc[rng.random(n) < 0.1, name] = "unknown"
    # Known to the mappings and the features only.
    frame.loc[rng.random(n) < 0.1, "shop"] = "shop 98"
    frame.loc[rng.random(n) < 0.05, "shop"] = "shop 99"
    frame.loc[rng.random(n) < 0.1, "code"] = 77
    frame.loc[rng.random(n) < 0.1, "code"] = -1
    moved = rng.random(n) < 0.2
    frame.loc[moved, "town"] = rng.permutation(frame.loc[moved, "town"])
    return frame


X, Q = table(500), strange(4000)
Y = X["code"].astype(float) + X["home"].map(ord).astype(float) + X["size"]
Y = (Y - Y.mean()).to_numpy() / 5
STATES = {f"town {i}": f"state {i // 3}" for i in range(9)}
OF_SHOP = {f"shop {i}": f"chain {i % 4}" for i in [*range(25), 98]} | {3: "chain 0"}
OF_CODE = {i: "low" if i < 9 else "high" for i in [*range(18), 77]}
KNOWN = pd.DataFrame(
    {"rooms": [*np.arange(28.0), 50.0], "kind": ["a", "b", "c"] * 9 + ["a", None]},
    index=[f"shop {i}" for i in [*range(27), 98, 99]],
)
CASES = {
    "in a column": {"hierarchy": {"shop": "town"}},
    "in columns and a mapping": {"hierarchy": {"shop": "town", "town": STATES}},
    "mappings": {"hierarchy": {"shop": OF_SHOP, "code": OF_CODE}},
    "one after the other": {
        "hierarchy": {"shop": [OF_SHOP, {f"chain {i}": i // 2 for i in range(4)}]}
    },
    "features": {
        "token_features": {"shop": KNOWN, "code": {"c": [1, 77], "z": [5, 9]}}
    },
    "shared": {"shared_features": [["home", "away"]]},
    "all": {
        "hierarchy": {"shop": "town", "town": STATES},
        "token_features": {"code": {"c": [1, 77], "z": [5, 9]}},
        "shared_features": [["home", "away"]],
    },
}


@pytest.fixture(params=CASES)
def params(request):
    return {**SMALL, "min_frequency": 12, **CASES[request.param]}


@pytest.mark.parametrize("handle_unknown", ["infrequent_if_exist", "prior"])
def test_predictions_their_spread_and_vectors(untrained, params, handle_unknown):
    model = EmbeddingRegressor(handle_unknown=handle_unknown, **params)
    untrained(model, X, Y)
    found = run(to_onnx(model, outputs=["prediction", "std", "interval"]), Q)
    assert_allclose(found["prediction"][:, 0], model.predict(Q), **CLOSE)
    assert_allclose(found["std"][:, 0], model.predict_std(Q), **CLOSE)
    interval = np.concatenate([found["lower"], found["upper"]], axis=1)
    assert_allclose(interval, model.predict_interval(Q), **CLOSE)
    vectors = run(to_onnx(model, outputs="vectors"), X)["vectors"]
    at, start = np.flatnonzero(X["shop"].notna() & X["town"].notna()), 0
    for name, tokens, own in zip(
        X.columns, model.categories_, model.embeddings_, strict=False
    ):
        place = {token: i for i, token in enumerate(tokens.tolist())}
        expected = own[[place[token] for token in X[name].iloc[at]]]
        stop = start + own.shape[1]
        assert_allclose(vectors[at, start:stop], expected, rtol=1e-6, atol=1e-6)
        start = stop
    assert vectors.shape[1] == start


@pytest.mark.parametrize("kind", ["amounts", "two", "many", "points"])
def test_posteriors_that_are_integrated_out(untrained, params, kind):
    if kind == "amounts":
        model = untrained(
            EmbeddingRegressor(loss="poisson", **params), X, np.exp(Y), scale=0.2
        )
        found = run(to_onnx(model), Q)["prediction"][:, 0]
        assert_allclose(found, model.predict(Q), **CLOSE)
        return
    y = np.digitize(Y, [0.0, 0.5] if kind == "many" else [0.0]).astype(str)
    prior = None if kind == "points" else "normal"
    model = untrained(EmbeddingClassifier(prior=prior, **params), X, y)
    found = run(to_onnx(model), Q)["probabilities"]
    assert_allclose(found, model.predict_proba(Q), **CLOSE)


@pytest.mark.parametrize("output", ["mean", "mean_std", "first_order"])
def test_encoders(untrained, params, output):
    model = EmbeddingEncoder(
        EmbeddingRegressor(**params),
        categorical_features=["shop", "town", "code", "home", "away"],
        output=output,
        target_mean=output != "first_order",
        cv=2,
        random_state=0,
    )
    model.fit(X, Y)
    random_network(model)
    found = run(to_onnx(model), Q)["vectors"]
    assert_allclose(found, model.transform(Q), **CLOSE)


def test_few_combinations_with_parents_are_looked_up(untrained):
    params = {**SMALL, "hierarchy": {"shop": "town", "town": STATES}}
    columns = ["shop", "town"]
    model = untrained(EmbeddingRegressor(**params), X[columns], Y)
    graph = to_onnx(model, outputs=["prediction", "std"])
    assert len(graph.graph.node) < 12
    found = run(graph, Q[columns])
    assert_allclose(found["prediction"][:, 0], model.predict(Q[columns]), **CLOSE)
    assert_allclose(found["std"][:, 0], model.predict_std(Q[columns]), **CLOSE)


def test_a_trained_hierarchy():
    params = {**SMALL, "hierarchy": {"shop": "town", "town": STATES}, "epochs": 3}
    model = EmbeddingRegressor(**params).fit(X, Y)
    found = run(to_onnx(model, outputs=["prediction", "interval"]), Q)
    assert_allclose(found["prediction"][:, 0], model.predict(Q), **CLOSE)
    interval = np.concatenate([found["lower"], found["upper"]], axis=1)
    assert_allclose(interval, model.predict_interval(Q), **CLOSE)
