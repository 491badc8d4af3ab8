"""`model_` leaves through Keras's own exporters."""

import numpy as np
import pytest

from skembed import EmbeddingRegressor


@pytest.mark.parametrize("columns", [[0], [1], [0, 1]])
def test_model_can_be_exported_as_it_comes(untrained, tmp_path, columns):
    rng = np.random.default_rng(0)
    X = np.empty((60, 2), object)
    X[:, 0], X[:, 1] = rng.choice(["a", "b"], 60), rng.normal(size=60)
    model = EmbeddingRegressor(2, (3,), random_state=0)
    untrained(model, X[:, columns], rng.normal(size=60))
    model.model_.export(tmp_path / "saved", verbose=False)
    assert (tmp_path / "saved" / "saved_model.pb").is_file()


def test_model_as_a_graph_of_onnx(untrained, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    X = np.array([["a", 0.5], ["b", 1.5]] * 20, object)
    model = untrained(EmbeddingRegressor(2, (3,), random_state=0), X, np.arange(40.0))
    path = str(tmp_path / "model.onnx")
    model.model_.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    given = dict(zip(names, model.model_inputs(X).values(), strict=True))
    found = session.run(None, given)[0]
    np.testing.assert_allclose(found[:, 0], model.predict(X), rtol=1e-4, atol=1e-4)
