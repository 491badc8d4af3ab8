"""Predictions in NumPy: the same as the Keras model's, and without TensorFlow."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from skembed import EmbeddingRegressor
from skembed._keras import trainer
from skembed._model.activations import ACTIVATION_NAMES


def keras_outputs(model, X):
    inputs = model.model_inputs(X)
    return np.asarray(model.model_([inputs["codes"], inputs["numbers"]]))


@pytest.fixture(name="untrained")
def untrained_networks(monkeypatch):
    """Fit without training, and with random weights: no trace has to be made."""

    def no_training(fitted, phases, rng, hooks, others=None):
        return trainer.Trained(fitted, [0.0], [fitted])

    monkeypatch.setattr(trainer, "train", no_training)

    def fit(model, X, y):
        fitted = model.fit(X, y)._fitted
        rng = np.random.default_rng(0)
        dense = {
            name: rng.normal(0, 0.2, value.shape).astype(np.float32)
            for name, value in fitted.weights.dense.items()
        }
        table = fitted.weights.table
        mean = rng.normal(0, 0.5, table.mean.shape).astype(np.float32)
        sure = {}
        if fitted.architecture.tables.has_spread:
            # Keras's model has no spread to integrate out.
            sure = {"precision": np.full_like(table.precision, 1e20)}
        table = replace(table, mean=mean, **sure)
        weights = replace(fitted.weights, dense=dense, table=table)
        model._fitted = fitted.with_weights(weights)
        return model

    return fit


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_every_activation_is_that_of_keras(activation, mixed, untrained):
    X, y = mixed
    model = EmbeddingRegressor(3, (5, 4), activation, random_state=0)
    untrained(model, X, y)
    np.testing.assert_allclose(
        model.predict(X), keras_outputs(model, X)[:, 0], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("prior", ["normal", None])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma", "quantile"])
def test_every_shape_of_network_is_that_of_keras(
    prior, n_outputs, loss, mixed, untrained
):
    X, y = mixed
    y = np.exp(np.tile(y[:, None], (1, n_outputs)) / 5)
    quantile = 0.5 if loss == "quantile" else None
    model = EmbeddingRegressor([3, 2], (5,), loss=loss, quantile=quantile, prior=prior)
    untrained(model, X, y)
    np.testing.assert_allclose(
        model.predict(X), keras_outputs(model, X), rtol=2e-5, atol=1e-5
    )


@pytest.mark.parametrize("columns", [[0, 1], [2, 3], [0]])
def test_no_columns_of_tokens_or_no_numbers(columns, mixed, untrained):
    X, y = mixed
    model = untrained(EmbeddingRegressor(random_state=0), X[:, columns], y)
    np.testing.assert_allclose(
        model.predict(X[:, columns]),
        keras_outputs(model, X[:, columns])[:, 0],
        rtol=1e-5,
        atol=1e-5,
    )


def test_predictions_do_not_depend_on_the_rows_they_come_with(mixed):
    X, y = mixed
    model = EmbeddingRegressor(epochs=2, random_state=0).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    for rows in (slice(0, 1), slice(17, 23), slice(None, None, -1)):
        one, spread = model.predict(X[rows], return_std=True)
        np.testing.assert_allclose(one, mean[rows], rtol=1e-12)
        np.testing.assert_allclose(spread, std[rows], rtol=1e-9)
    many = np.tile(X, (40, 1))  # more than one batch of rows
    np.testing.assert_allclose(model.predict(many), np.tile(mean, 40), rtol=1e-12)


def in_new_process(code, *args):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


HEAVY = [
    *("tensorflow", "keras", "scikeras", "matplotlib"),
    *("pandas", "polars", "pyarrow", "gensim"),
]
REFUSED = f"""
import json, pickle, sys
HEAVY = {HEAVY}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HEAVY:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
"""
PREDICT = """
with open(sys.argv[1], "rb") as file:
    model, X = pickle.load(file)
mean, std = model.predict(X, return_std=True)
model.embeddings_, model.score(X, mean), repr(model)
print(json.dumps([mean.tolist(), std.tolist()]))
"""


def test_unpickling_and_predicting_need_no_tensorflow(tmp_path, mixed):
    X, y = mixed
    model = EmbeddingRegressor(epochs=2, random_state=0).fit(X, y)
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps((model, X)))
    assert path.stat().st_size < 300_000
    found = in_new_process(REFUSED + PREDICT, path)
    expected = model.predict(X, return_std=True)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


IMPORT = """
import json, sys
import skembed
names = dir(skembed)
from skembed import EmbeddingRegressor, TokenSimilarity, make_token_outcomes
EmbeddingRegressor().get_params()
print(json.dumps(sorted(sys.modules)))
"""


def test_importing_imports_nothing_heavy():
    loaded = {name.partition(".")[0] for name in in_new_process(IMPORT)}
    assert "skembed" in loaded
    # scikit-learn itself loads pandas where it is installed, and that pyarrow.
    assert not loaded & set(HEAVY) - {"pandas", "pyarrow"}


def test_names_that_are_not_there():
    import skembed

    with pytest.raises(AttributeError, match="no attribute 'Regressor'"):
        _ = skembed.Regressor
    assert set(skembed.__all__) <= set(dir(skembed))
