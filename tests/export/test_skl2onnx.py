"""Pipelines that hold our estimators, converted by skl2onnx."""

import numpy as np
import pytest
from onnx_cases import TOKENS, outcome, strange, table
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed.export import register_skl2onnx

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from skl2onnx.common import data_types as types  # noqa: E402

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (6, 5), "random_state": 0}
X, Q = table(600), strange(3000)
Y = outcome(X)
COLUMNS = ["text", "whole", "truth", "far"]
CLOSE = {"rtol": 1e-4, "atol": 1e-4}  # of float32, behind what trees and slopes make
KINDS = {
    "text": types.StringTensorType,
    "whole": types.Int64TensorType,
    "truth": types.BooleanTensorType,
    "far": types.DoubleTensorType,
}


@pytest.fixture(autouse=True)
def registered():
    register_skl2onnx()


def encoder(predictor=EmbeddingRegressor, **params):
    return EmbeddingEncoder(predictor(**SMALL), cv=2, random_state=0, **params)


def run(model, columns=COLUMNS, kinds=KINDS, rows=Q, **params):
    inputs = [(name, kinds[name]([None, 1])) for name in columns]
    graph = skl2onnx.to_onnx(model, initial_types=inputs, **params)
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    cells = {name: rows[name].to_numpy() for name in columns}
    cells |= {name: cells[name].astype(object) for name in cells if name == "text"}
    return session.run(None, {name: c.reshape(-1, 1) for name, c in cells.items()})


@pytest.mark.parametrize("output", ["mean", "mean_std"])
def test_boosted_trees_behind_vectors(untrained, output):
    columns = ColumnTransformer(
        [
            ("vectors", encoder(output=output), ["text", "whole", "truth"]),
            ("numbers", StandardScaler(), ["far"]),
        ]
    )
    model = make_pipeline(columns, HistGradientBoostingRegressor(max_iter=20))
    model.fit(X[COLUMNS], Y)
    rows = Q[COLUMNS].fillna({"far": 0.0})
    rows["far"] = rows["far"].clip(upper=1e9).astype(np.float32)  # all that trees take
    found = run(model, kinds=KINDS | {"far": types.FloatTensorType}, rows=rows)[0]
    # In float32 a number next to a threshold may fall to its other side.
    far = ~np.isclose(found[:, 0], model.predict(rows), **CLOSE)
    assert far.mean() < 2e-3


def test_an_encoder_of_tokens_within_others(untrained):
    columns = ["text", "whole"]
    known = {"whole": [1, 2, -(10**12)], "size": [0.0, 3.0, 8.0]}
    parents = {"a": "vowel", "e": "vowel", "b": "other", "new 3": "vowel"}
    within = encoder(hierarchy={"text": parents}, token_features={"whole": known})
    model = make_pipeline(within, Ridge()).fit(X[columns], Y)
    found = run(model, columns)[0]
    np.testing.assert_allclose(found[:, 0], model.predict(Q[columns]), **CLOSE)


def test_an_encoder_in_front_of_a_line(untrained):
    columns = ["whole", "text", "truth"]
    model = make_pipeline(encoder(), Ridge()).fit(X[columns], Y)
    found = run(model, columns)[0]
    np.testing.assert_allclose(found[:, 0], model.predict(Q[columns]), **CLOSE)


def test_an_encoder_of_classes_in_front_of_a_classifier(untrained):
    columns = ["text", "whole"]
    y = np.digitize(Y, [3, 7])
    model = make_pipeline(encoder(EmbeddingClassifier), LogisticRegression())
    model.fit(X[columns], y)
    found = run(model, columns, options={"zipmap": False})[1]
    np.testing.assert_allclose(found, model.predict_proba(Q[columns]), **CLOSE)


@pytest.mark.parametrize("classes", [2, 3])
def test_predictors_at_the_end_of_a_pipeline(untrained, classes):
    y = np.digitize(Y, [3, 7][: classes - 1]).astype(str)
    model = make_pipeline(EmbeddingClassifier(**SMALL)).fit(X[COLUMNS], y)
    label, p = run(model)
    np.testing.assert_allclose(p, model.predict_proba(Q[COLUMNS]), **CLOSE)
    assert (label == model.predict(Q[COLUMNS])).mean() > 0.999
    model = make_pipeline(EmbeddingRegressor(**SMALL)).fit(X[COLUMNS], Y)
    np.testing.assert_allclose(run(model)[0][:, 0], model.predict(Q[COLUMNS]), **CLOSE)


def test_one_input_of_several_columns(untrained):
    cells = X[["whole", "whole"]].to_numpy()
    model = encoder().fit(cells, Y)
    graph = skl2onnx.to_onnx(model, cells[:1])
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    rows = Q[["whole", "whole"]].to_numpy()
    (found,) = session.run(None, {session.get_inputs()[0].name: rows})
    np.testing.assert_allclose(found, model.transform(rows), **CLOSE)
    assert found.dtype == np.float32


def test_wrong_types_are_refused_by_the_name_of_the_column(untrained):
    model = encoder().fit(X[["text"]], Y)
    with pytest.raises(TypeError, match="'text' holds text, but.*as int64"):
        skl2onnx.to_onnx(model, initial_types=[("t", types.Int64TensorType([None, 1]))])
    model = EmbeddingRegressor(**SMALL).fit(X[TOKENS + ["far"]], Y)
    inputs = [(name, types.StringTensorType([None, 1])) for name in TOKENS + ["far"]]
    with pytest.raises(TypeError, match="'f.*' holds numbers, but.*as string"):
        skl2onnx.to_onnx(model, initial_types=inputs)
    with pytest.raises(ValueError, match="fitted on 5 columns, but its inputs have 2"):
        skl2onnx.to_onnx(model, initial_types=inputs[:2])
    with pytest.raises(ValueError, match="needs opset 13"):
        skl2onnx.to_onnx(model, initial_types=inputs, target_opset=12)
