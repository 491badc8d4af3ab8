"""The trained network as a Keras model: what `model_` is, and what callbacks see."""

from dataclasses import replace

import keras
import numpy as np

from . import process
from .dense import pieces
from .names import same_names


class Network:
    """A Keras model of a fitted network; its weights can be put in and taken out.

    Layers are numbered, never named after a column: a column may be called anything.
    """

    @same_names()
    def __init__(self, fitted):
        process.check()
        self.fitted = fitted
        layers = keras.layers
        architecture, sizes = fitted.architecture, fitted.encoder.column_sizes
        knots = fitted.predictor.knots
        n_numbers = sum(map(len, fitted.encoder.number_places))
        numbers = keras.Input((n_numbers,), dtype="float32", name="numbers")
        if fitted.encoder.has_blends:
            inputs, vectors = self._blended(fitted)
        else:
            inputs, vectors = self._plain(sizes, architecture.width)
        parts = [*vectors, numbers]
        if architecture.has_direct_terms and len(knots.column):
            parts.append(_pieces(numbers, knots))
        x = layers.Concatenate(name="inputs")(parts) if len(parts) > 1 else parts[0]
        self.layers = {}
        if architecture.head is not None:
            self.head = architecture.head.copy()
            f = self.head(x)
        else:
            f = self._mlp(architecture, x)
        if architecture.has_direct_terms:
            f = self._direct(architecture, vectors, numbers, f)
        inputs = [*inputs, numbers]
        self.model = keras.Model(inputs, self._outcome(f), name="skembed")
        self.put(fitted.weights)

    def _plain(self, sizes, width):
        """Inputs and vectors where every column of codes is one vector."""
        codes = keras.Input((len(sizes),), dtype="int32", name="codes")
        vectors, self.tables = [], []
        for j, size in enumerate(sizes):
            table = keras.layers.Embedding(size, width, name=f"table_{j}")
            self.tables.append(table)
            vectors.append(table(codes[:, j]))
        return [codes], vectors

    def _blended(self, fitted):
        """Inputs and vectors where these are sums of rows of one table."""
        layers, width = keras.layers, fitted.architecture.width
        table = layers.Embedding(len(fitted.weights.table.mean), width, name="table")
        self.tables, inputs, vectors = [table], [], []
        for j in range(fitted.n_fields):
            codes = keras.Input((None,), dtype="int32", name=f"codes_{j}")
            factors = keras.Input((None,), dtype="float32", name=f"factors_{j}")
            inputs += [codes, factors]
            vectors.append(layers.Dot((1, 1), name=f"sum_{j}")([factors, table(codes)]))
        return inputs, vectors

    def _mlp(self, architecture, x):
        sizes = (*architecture.hidden, architecture.n_outputs)
        activations = (*architecture.activations, "linear")
        for i, (units, activation) in enumerate(zip(sizes, activations, strict=True)):
            layer = keras.layers.Dense(units, activation=activation, name=f"dense_{i}")
            self.layers[f"kernel_{i}"] = layer
            x = layer(x)
        return x

    def _direct(self, architecture, vectors, numbers, f):
        layers, terms = keras.layers, [f]
        if vectors:
            total = layers.Add(name="total")(vectors) if vectors[1:] else vectors[0]
            first = total[:, : architecture.n_first]
            if architecture.n_outputs > 1:
                readout = layers.Dense(
                    architecture.n_outputs, use_bias=False, name="readout"
                )
                self.layers["readout"] = readout
                first = readout(first)
            terms.append(first)
        if numbers.shape[1]:
            linear = layers.Dense(architecture.n_outputs, use_bias=False, name="linear")
            self.layers["linear"] = linear
            terms.append(linear(numbers))
        return layers.Add(name="sum")(terms) if len(terms) > 1 else f

    def _outcome(self, f):
        fitted, layers = self.fitted, keras.layers
        link = {
            "poisson": "exponential",
            "gamma": "exponential",
            "bernoulli": "sigmoid",
            "categorical": "softmax",
        }.get(fitted.likelihood.name)
        if link:
            return layers.Activation(link, name="outcome")(f)
        return layers.Rescaling(
            fitted.scale.tolist(), fitted.centre.tolist(), name="outcome"
        )(f)

    def put(self, weights):
        """Put the weights into the Keras model."""
        sizes, start = self.fitted.encoder.column_sizes, 0
        mean = weights.table.mean * np.repeat(self.fitted.mask, sizes, axis=0)
        for table in self.tables:
            table.set_weights([mean[start : start + table.input_dim]])
            start += table.input_dim
        dense = weights.dense
        for name, layer in self.layers.items():
            if name.startswith("kernel"):
                bias = dense[name.replace("kernel", "bias")]
                layer.set_weights([dense[name], bias])
            else:
                layer.set_weights([dense[name]])
        if self.fitted.architecture.head is not None:
            self.fitted.architecture.head.put(self.head, weights)

    def take(self, weights):
        """`weights` with the values that the Keras model holds."""
        dense = dict(weights.dense)
        for name, layer in self.layers.items():
            values = layer.get_weights()
            dense[name] = values[0]
            if name.startswith("kernel"):
                dense[name.replace("kernel", "bias")] = values[1]
        state = weights.state
        if self.fitted.architecture.head is not None:
            own, state = self.fitted.architecture.head.take(self.head)
            dense |= own
        table = weights.table
        if self.tables:
            mean = np.concatenate([t.get_weights()[0] for t in self.tables])
            table = replace(table, mean=mean)
        return replace(weights, table=table, dense=dense, state=state)


def _pieces(numbers, knots):
    """Piecewise-linear encoding of numbers (Gorishniy et al. 2022, section 3.1).

    Made of Keras's own layers only: a saved model loads wherever Keras is.
    """
    layers = keras.layers
    shift = layers.Dense(len(knots.column), trainable=False, name="shift")
    shifted = shift(numbers)
    of_number, low, scale = pieces(knots, numbers.shape[1])
    shift.set_weights([of_number, -low])
    lengths = layers.Rescaling(scale.numpy().tolist(), name="scale")(shifted)
    return layers.ReLU(max_value=1.0, name="pieces")(lengths)


def build_model(fitted):
    """Keras model of a fitted network, from codes and numbers to predictions."""
    return Network(fitted).model
