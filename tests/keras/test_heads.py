"""A Keras head of one's own, callbacks, and the model that comes out."""

import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from comparisons import equal_fits
from sklearn.base import clone

from skembed import EmbeddingRegressor


def own_head(meta):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((meta["n_inputs"],))
    x = keras.layers.BatchNormalization()(inputs)
    x = keras.layers.Dense(8, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(meta["n_outputs"])(x))


@pytest.mark.parametrize("prior", ["normal", None])
def test_a_head_of_ones_own(prior, mixed):
    X, y = mixed
    model = EmbeddingRegressor(
        3, model=own_head, prior=prior, learning_rate=0.01, epochs=40, random_state=0
    )
    model.fit(X, y)
    assert model.score(X, y) > 0.8
    inputs = model.model_inputs(X)
    np.testing.assert_allclose(
        model.predict(X),
        np.asarray(model.model_([inputs["codes"], inputs["numbers"]]))[:, 0],
        atol=1e-4,
    )
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-6)
    assert clone(model).model is own_head


@pytest.mark.parametrize(
    ("head", "error", "message"),
    [
        (lambda meta: "dense", TypeError, "returned str"),
        (
            lambda meta: keras.Sequential(
                [keras.Input((meta["n_inputs"],)), keras.layers.Dense(7)]
            ),
            ValueError,
            r"outputs of shape \(7,\); it needs \(1,\)",
        ),
        (
            lambda meta: keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]),
            ValueError,
            "n_inputs",
        ),
    ],
)
def test_heads_that_do_not_fit(head, error, message, mixed, quick):
    X, y = mixed
    model = quick(model=head)
    with pytest.raises(error, match=message):
        model.fit(X, y)
    assert not hasattr(model, "loss_curve_")


class Log(keras.callbacks.Callback):
    """Keeps the logs of all epochs, in a list that copies of it share."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((epoch, dict(logs)))

    def on_train_end(self, logs=None):
        self.calls.append("end")


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_saved_keras_model_loads_without_the_library(mixed, quick, n_outputs, tmp_path):
    X, y = mixed
    model = quick().fit(X, y if n_outputs == 1 else np.c_[y, -y])
    model.model_.save(tmp_path / "model.keras")
    inputs = model.model_inputs(X)
    np.savez(tmp_path / "inputs.npz", **inputs)
    code = """
import sys, keras, numpy as np
inputs = np.load("inputs.npz")
model = keras.models.load_model("model.keras")
np.save("out.npy", model([inputs["codes"], inputs["numbers"]]))
assert "skembed" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    expected = model.predict(X).reshape(len(X), n_outputs)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-5)


def test_keras_callbacks_get_the_logs(mixed, quick):
    X, y = mixed
    log = Log()
    model = quick(callbacks=[log], early_stopping=True).fit(X, y)
    begin, *epochs, end = log.calls
    assert (begin, end) == ("begin", "end")
    assert [number for number, _ in epochs] == list(range(model.n_iter_))
    assert [logs["loss"] for _, logs in epochs] == model.loss_curve_
    assert [logs["val_loss"] for _, logs in epochs] == model.validation_loss_curve_


def test_looking_changes_nothing(mixed, quick, capsys):
    X, y = mixed
    plain = quick().fit(X, y)
    equal_fits(plain, quick(callbacks=[Log()]).fit(X, y))
    equal_fits(plain, quick(verbose=1).fit(X, y))
    shown = capsys.readouterr().out
    assert "EmbeddingRegressor" in shown
    assert "loss" in shown
    assert "4/4" in shown


def test_keras_callbacks_can_stop_and_steer(mixed, quick):
    X, y = mixed

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    assert quick(callbacks=[Stop()]).fit(X, y).n_iter_ == 2

    params = {"prior": None, "learning_rate": 0.01}
    frozen = keras.callbacks.LearningRateScheduler(lambda n, rate: rate * (n < 2))
    two = quick(epochs=2, **params).fit(X, y)
    steered = quick(callbacks=[frozen], **params).fit(X, y)
    assert steered.n_iter_ == 4
    for a, b in zip(two.embeddings_, steered.embeddings_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_keras_callbacks_see_and_put_back_weights(mixed, quick, tmp_path):
    X, y = mixed

    class PutBack(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.kept = self.model.get_weights()

        def on_train_end(self, logs=None):
            self.model.set_weights(self.kept)

    one = quick(epochs=1, prior=None).fit(X, y)
    path = tmp_path / "model.keras"
    saved = keras.callbacks.ModelCheckpoint(path)
    back = quick(callbacks=[PutBack(), saved], prior=None).fit(X, y)
    np.testing.assert_allclose(back.embeddings_[0], one.embeddings_[0])
    np.testing.assert_allclose(back.predict(X), one.predict(X), rtol=1e-5)
    inputs = back.model_inputs(X)
    loaded = keras.models.load_model(path)  # as of the last epoch
    predicted = np.asarray(loaded([inputs["codes"], inputs["numbers"]]))[:, 0]
    whole = quick(prior=None).fit(X, y)
    np.testing.assert_allclose(predicted, whole.predict(X), rtol=1e-4, atol=1e-5)


def test_the_callbacks_that_keras_has(mixed, quick, tmp_path):
    X, y = mixed
    params = {"prior": None, "learning_rate": 0.05, "epochs": 12}
    plain = quick(**params).fit(X, y)

    # No epoch is better by so much: it stops after its patience, at the best weights.
    stop = keras.callbacks.EarlyStopping(
        "loss", patience=3, min_delta=1e9, restore_best_weights=True
    )
    stopped = quick(callbacks=[stop], **params).fit(X, y)
    assert stopped.loss_curve_ == plain.loss_curve_[:4]
    best = 1 + int(np.argmin(stopped.loss_curve_))
    of_best = quick(**{**params, "epochs": best}).fit(X, y)
    # `min_delta` counts for the best weights, too: the first epoch's stay.
    of_first = quick(**{**params, "epochs": 1}).fit(X, y)
    assert best > 1 and (of_best.predict(X) != of_first.predict(X)).any()
    np.testing.assert_allclose(stopped.predict(X), of_first.predict(X), rtol=1e-5)

    reduce = keras.callbacks.ReduceLROnPlateau(
        "loss", factor=0.5, patience=1, min_delta=1e9, min_lr=0.01
    )
    reduced = quick(callbacks=[reduce], **params).fit(X, y)
    rates = [0.05, 0.05, 0.025, 0.0125, *[0.01] * 8]
    by_plan = keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])
    planned = quick(callbacks=[by_plan], **params).fit(X, y)
    np.testing.assert_allclose(reduced.loss_curve_, planned.loss_curve_, rtol=1e-6)
    assert reduced.loss_curve_ != plain.loss_curve_

    seen = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["loss"]))
    )
    board = keras.callbacks.TensorBoard(tmp_path, write_graph=False)
    quick(callbacks=[look, board], **params).fit(X, y)
    assert seen == list(enumerate(plain.loss_curve_))
    (file,) = (tmp_path / "train").glob("events*")
    events = tf.compat.v1.train.summary_iterator(str(file))
    losses = [
        tf.make_ndarray(value.tensor).item()
        for event in events
        for value in event.summary.value
        if value.tag == "epoch_loss"
    ]
    np.testing.assert_allclose(losses, plain.loss_curve_, rtol=1e-6)


def dense_head(**params):
    """A head of one layer."""
    return lambda meta: keras.Sequential(
        [
            keras.Input((meta["n_inputs"],)),
            keras.layers.Dense(meta["n_outputs"], **params),
        ]
    )


@pytest.mark.parametrize("prior", ["normal", None])
def test_regularizers_of_a_head_are_learned_with(prior, mixed, quick):
    X, y = mixed
    sizes = []
    for strength in (0.0, 100.0):
        head = dense_head(kernel_regularizer=keras.regularizers.L2(strength))
        model = quick(model=head, prior=prior, epochs=40, learning_rate=0.01).fit(X, y)
        sizes.append(np.abs(model._fitted.weights.dense["head_0"]).max())
    assert sizes[1] < 0.1 * sizes[0]


class Unregistered(keras.layers.Layer):
    def call(self, x):
        return x


# A class of a module that nobody else can import, as in a notebook.
Unregistered.__module__ = "__not_there__"


def with_layer(layer):
    return lambda meta: keras.Sequential(
        [
            keras.Input((meta["n_inputs"],)),
            layer,
            keras.layers.Dense(meta["n_outputs"]),
        ]
    )


@pytest.mark.parametrize(
    "head",
    [with_layer(keras.layers.Lambda(lambda x: x)), with_layer(Unregistered())],
    ids=["lambda", "unregistered"],
)
def test_a_head_that_cannot_be_loaded_again_is_refused(head, mixed, quick):
    with pytest.raises(ValueError, match="cannot be saved and loaded again"):
        quick(model=head).fit(*mixed)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_a_head_of_other_floats_is_refused(dtype, mixed, quick):
    with pytest.raises(ValueError, match=f"has the {dtype} weight"):
        quick(model=dense_head(dtype=dtype)).fit(*mixed)


@pytest.mark.parametrize(
    "activation",
    [tf.nn.relu, keras.activations.tanh, lambda x: 2.0 * x, [keras.ops.relu]],
)
def test_a_function_as_activation_works_in_fit_and_predict(activation, mixed, quick):
    X, y = mixed
    model = quick(activation=activation).fit(X, y)
    inputs = model.model_inputs(X)
    by_keras = np.asarray(model.model_([inputs["codes"], inputs["numbers"]]))[:, 0]
    np.testing.assert_allclose(model.predict(X), by_keras, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("activation", [np.tanh, lambda x: keras.ops.sum(x), lambda: 1])
def test_what_is_no_activation_is_refused(activation, mixed, quick):
    with pytest.raises(ValueError, match="activation=.* (cannot be applied|must give)"):
        quick(activation=activation).fit(*mixed)


def test_an_activation_that_changes_the_shape_of_tensors_is_refused(mixed, quick):
    def doubled(x):
        return x if isinstance(x, np.ndarray) else keras.ops.concatenate([x, x], 1)

    with pytest.raises(ValueError, match="turns the shape .* into .*; it must keep it"):
        quick(activation=doubled).fit(*mixed)


def test_a_head_may_be_built_by_the_library(mixed, quick):
    def head(meta):
        return keras.Sequential([keras.layers.Dense(meta["n_outputs"])])

    X, y = mixed
    model = quick(model=head, prior=None).fit(X, y)
    assert model.model_.count_params() > 0
    assert np.isfinite(model.predict(X)).all()


def test_weights_that_a_callback_put_into_a_head_are_kept(mixed, quick):
    X, y = mixed

    class Zero(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.model.set_weights([0.0 * w for w in self.model.get_weights()])

    model = quick(model=own_head, callbacks=[Zero()], prior=None).fit(X, y)
    assert not np.any(model.embeddings_[0])
    np.testing.assert_array_equal(model.predict(X), 0.0)
