"""A user's own Keras model in the place of the MLP."""

import json
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from . import process
from .names import same_names


class KerasHead:
    """A Keras model from (n_inputs,) to (n_outputs,), trained by the same engine.

    Heads of the same architecture are equal, whatever their weights and names: they
    share a trace. A pickle holds the model in Keras's own format; predictions go
    through Keras.
    """

    def __init__(self, model):
        self.model = model
        self._names = [f"head_{i}" for i in range(len(model.trainable_variables))]
        self._key = _architecture(model)

    def __eq__(self, other):
        return isinstance(other, KerasHead) and self._key == other._key

    def __hash__(self):
        return hash(self._key)

    @classmethod
    @same_names()
    def build(cls, function, meta):
        """Call the user's function and check what it returned.

        Raises
        ------
        TypeError
            If that is no Keras model.
        ValueError
            If it does not map (n_inputs,) to (n_outputs,).
        """
        process.check()
        model = function(dict(meta))
        if not isinstance(model, keras.Model):
            raise TypeError(
                "model= must be a function of a dict that returns a keras.Model; it "
                f"returned {type(model).__name__}."
            )
        n_inputs, n_outputs = meta["n_inputs"], meta["n_outputs"]
        if not model.built:
            model.build((None, n_inputs))
        if len(model.inputs) != 1 or model.inputs[0].shape[1:] != (n_inputs,):
            shapes = [tuple(i.shape[1:]) for i in model.inputs]
            raise ValueError(
                f"The head that model= returned has inputs of shape {shapes}; it needs "
                f"one of shape ({n_inputs},), that is meta['n_inputs']."
            )
        if tuple(model.output_shape[1:]) != (n_outputs,):
            raise ValueError(
                "The head that model= returned has outputs of shape "
                f"{tuple(model.output_shape[1:])}; it needs ({n_outputs},), that is "
                "meta['n_outputs']."
            )
        for variable in model.trainable_variables:
            if variable.dtype != "float32":
                raise ValueError(
                    f"The head that model= returned has the {variable.dtype} weight "
                    f"{variable.path!r}; the engine trains float32. Build its layers "
                    "with dtype='float32'."
                )
        _refuse_what_cannot_be_saved(model)
        return cls(model)

    def weight_shapes(self):
        """Name -> shape of the trainable variables."""
        return {
            name: tuple(v.shape)
            for name, v in zip(self._names, self.model.trainable_variables, strict=True)
        }

    def initial(self, name):
        """Start value of a trainable variable: what the user's function gave it."""
        return np.asarray(self.model.trainable_variables[self._names.index(name)])

    def initial_state(self):
        """Start values of the non-trainable variables."""
        return tuple(np.asarray(v) for v in self.model.non_trainable_variables)

    def state_signature(self):
        """Types of the non-trainable variables."""
        variables = self.model.non_trainable_variables
        return tuple(tf.TensorSpec(v.shape, v.dtype) for v in variables)

    def apply(self, parts, x, state, training):
        """Outputs, the new state, and the head's own losses, as TensorFlow tensors."""
        x.set_shape([None, self.model.inputs[0].shape[1]])
        f, new, own = self.model.stateless_call(
            [parts[name] for name in self._names],
            list(state),
            x,
            training=training,
            return_losses=True,
        )
        pairs = zip(new, state, strict=True)
        state = tuple(tf.cast(a, b.dtype) for a, b in pairs)
        return tf.cast(f, tf.float32), state, tf.add_n([tf.zeros([]), *own])

    def predict(self, weights, x):
        """Outputs for rows of the head's inputs, in NumPy."""
        process.check()
        return np.asarray(self._called(weights, tf.constant(x, tf.float32)), np.float64)

    def predict_and_slopes(self, weights, x):
        """Outputs, and their derivatives (n_rows, n_outputs, n_inputs), in NumPy."""
        process.check()
        x = tf.constant(x, tf.float32)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            f = self._called(weights, x)
            outputs = tf.unstack(f, axis=1)
        by_x = [tape.gradient(f, x, unconnected_gradients="zero") for f in outputs]
        return np.asarray(f, np.float64), np.stack(by_x, axis=1)

    def _called(self, weights, x):
        f, _ = self.model.stateless_call(
            [weights.dense[name] for name in self._names],
            list(weights.state),
            x,
            training=False,
        )
        return f

    @same_names()
    def copy(self):
        """Another Keras model of the same architecture and weights."""
        model = keras.models.clone_model(self.model)
        model.set_weights(self.model.get_weights())
        return model

    def put(self, model, weights):
        """Put trained weights into a copy."""
        for name, variable in zip(self._names, model.trainable_variables, strict=True):
            variable.assign(weights.dense[name])
        for value, variable in zip(
            weights.state, model.non_trainable_variables, strict=True
        ):
            variable.assign(value)

    def take(self, model):
        """Trainable weights by name, and the state, of a copy."""
        variables = zip(self._names, model.trainable_variables, strict=True)
        dense = {name: np.asarray(variable) for name, variable in variables}
        return dense, tuple(np.asarray(v) for v in model.non_trainable_variables)

    def __getstate__(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "head.keras"
            self.model.save(path)
            return {"model": path.read_bytes()}

    @same_names()
    def __setstate__(self, state):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "head.keras"
            path.write_bytes(state["model"])
            self.__init__(keras.models.load_model(path))


def _refuse_what_cannot_be_saved(model):
    """Raise if a head could be pickled but never be loaded again."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "head.keras"
            model.save(path)
            # As in a process that knows nothing but what can be imported.
            with keras.saving.custom_object_scope({}):
                keras.models.load_model(path)
    except Exception as error:
        raise ValueError(
            "The head that model= returned cannot be saved and loaded again, so that "
            "the fitted estimator could not be: use layers of Keras, or register your "
            "own by keras.saving.register_keras_serializable, and no Lambda layers. "
            f"Keras says: {error}"
        ) from error


def _architecture(model):
    """A model's configuration as text, without the names that differ by call."""
    names = {}

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in sorted(value.items())}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        if isinstance(value, str):
            return names.setdefault(value, len(names)) if value in own else value
        return repr(value)

    own = {model.name, *(part.name for part in model._flatten_layers())}
    return json.dumps(plain(model.get_config()))
