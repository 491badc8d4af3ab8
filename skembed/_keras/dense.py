"""The network behind the tables, as TensorFlow functions of one flat weight vector.

One vector holds all dense weights, so that a step updates them with one set of
operations instead of one per layer. What depends on the number of columns is shaped by
the data, not by the trace: one trace serves tables of any number of columns.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf


def split(architecture, theta, sizes):
    """Name -> weight, out of the flat vector."""
    shapes = architecture.weight_shapes()
    parts = tf.split(theta, sizes, num=len(shapes))
    return {
        name: tf.reshape(part, shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def pieces(knots, n_numbers):
    """The pieces of the numbers as `apply` reads them."""
    of_number = np.zeros((n_numbers, len(knots.column)), np.float32)
    of_number[knots.column, np.arange(len(knots.column))] = 1.0
    return tuple(tf.constant(p) for p in (of_number, knots.low, knots.scale))


class Passed(NamedTuple):
    """One pass through the network, and what slopes are made of.

    Attributes
    ----------
    f : tensor of shape (n_rows, n_outputs)
        The outputs.
    state : tuple of tensors
        New state of a user's own head.
    own_loss : tensor or None
        Losses of such a head.
    parts : dict of str to tensor
        The weights.
    layers : list of tuple
        What each layer reads, in parts side by side, and what it puts out before its
        activation.
    """

    f: tf.Tensor
    state: tuple
    own_loss: tf.Tensor | None
    parts: dict
    layers: list

    @property
    def activations(self):
        """What the layers put out before their activations."""
        return [out for _, out in self.layers]

    @property
    def rest(self):
        """The weights that are learned by slopes and are not of these layers."""
        names = list(self.parts)[2 * len(self.layers) :]
        return {name: self.parts[name] for name in names if name != "prior"}

    def by_layer(self, tape, by_output):
        """Slopes by what each layer puts out, of those by the layers' outputs."""
        if not self.layers:
            return []
        *before, last = self.activations
        return [*tape.gradient(last, before, by_output), by_output]

    def slope(self, by_layer, factor, by_rest):
        """Slope of the loss by all dense weights, in the order of the flat vector.

        Parameters
        ----------
        by_layer : list of tensors of shape (n_rows, n_units)
            Slope of the output by what each layer puts out.
        factor : tensor of shape (n_rows, 1)
            Slope of the loss, over what the output's was multiplied by.
        by_rest : list of tensors
            Slope of the loss by `rest`.
        """
        found = []
        for (inputs, _), slope in zip(self.layers, by_layer, strict=True):
            slope *= factor
            found += [tf.matmul(part, slope, transpose_a=True) for part in inputs]
            if len(inputs) == 1:  # no column of ones, whose weights are the bias
                found.append(tf.reduce_sum(slope, 0))
        found += by_rest
        found.append(tf.zeros_like(self.parts["prior"]))
        return tf.concat([tf.reshape(part, [-1]) for part in found], 0)


def apply(
    architecture, parts, vectors, numbers, knots, state, offset=None, training=True
):
    """Pass some rows through the network.

    Parameters
    ----------
    vectors : tensor of shape (n_rows, n_columns * width)
    numbers : tensor of shape (n_rows, n_numbers)
    knots : tuple of tensors
        Which number each piece of the linear encoding is of (n_numbers, n_pieces),
        as 0 and 1; low end and 1 / length of the pieces.
    state : tuple of tensors
    offset : tensor of shape (n_rows, n_first), default=None
        What first-order effects beside those of the vectors add up to.
    training : bool
        How a user's own head is called.

    Returns
    -------
    passed : Passed
    """
    own_loss, layers, terms = None, [], []
    if not architecture.has_layers:
        terms.append(parts[architecture.intercept][None])
    elif architecture.head is not None:
        x = tf.concat(_inputs(architecture, vectors, numbers, knots), 1)
        f, state, own_loss = architecture.head.apply(parts, x, state, training)
        terms.append(f)
    else:
        inputs = _inputs(architecture, vectors, numbers, knots)
        layers = _mlp(architecture, parts, inputs)
        terms.append(layers[-1][1])
    if architecture.has_direct_terms:
        readout = _readout(architecture, parts, tf.shape(vectors)[1])
        # First their sum: oneDNN cannot add a bias to a product without inputs.
        direct = tf.matmul(vectors, readout), tf.matmul(numbers, parts["linear"])
        terms.append(tf.add_n(direct))
    if offset is not None:
        if architecture.n_outputs > 1:
            offset = tf.matmul(offset, parts["readout"])
        terms.append(offset)
    f = terms[0]
    for term in terms[1:]:
        f += term
    f.set_shape([None, architecture.n_outputs])
    return Passed(f, state, own_loss, parts, layers)


def check_activations(architecture):
    """Raise if an activation of a user's own cannot be applied to tensors.

    Raises
    ------
    ValueError
        Naming the activation.
    """
    for activation in filter(callable, architecture.activations):
        function, spec = keras.activations.get(activation), [None, 3]

        @tf.function(input_signature=[tf.TensorSpec(spec, tf.float32)])
        def applied(x, function=function):
            return tf.convert_to_tensor(function(x))

        try:
            out = applied.get_concrete_function().output_shapes
        except Exception as error:
            raise ValueError(
                f"activation={activation!r} cannot be applied to a tensor; write it "
                f"with functions of keras.ops or TensorFlow. It says: {error}"
            ) from error
        if not out.is_compatible_with(spec):
            raise ValueError(
                f"activation={activation!r} turns the shape (None, 3) into {out}; it "
                "must keep it."
            )


def _inputs(architecture, vectors, numbers, knots):
    """What the layers read, side by side: vectors first."""
    x = [vectors, numbers]
    if architecture.has_direct_terms:
        of_number, low, scale = knots
        pieces = (tf.matmul(numbers, of_number) - low) * scale
        x.append(tf.clip_by_value(pieces, 0.0, 1.0))
    return x


def _mlp(architecture, parts, inputs):
    """The layers, as `Passed` has them."""
    # Two products: slopes are wanted by the vectors, and not by the many numbers.
    # The bias is one of the others (see `apply`).
    vectors, others = inputs[0], tf.concat(inputs[1:], 1)
    sizes = tf.stack([tf.shape(vectors)[1], tf.shape(others)[1]])
    of_vectors, of_others = tf.split(parts["kernel_0"], sizes, num=2)
    of_others = tf.concat([of_others, parts["bias_0"][None]], 0)
    others = tf.concat([others, tf.ones([tf.shape(others)[0], 1])], 1)
    x = tf.add_n([tf.matmul(vectors, of_vectors), tf.matmul(others, of_others)])
    layers = [((vectors, others), x)]
    for i, activation in enumerate(architecture.activations, 1):
        read = keras.activations.get(activation)(x)
        x = tf.matmul(read, parts[f"kernel_{i}"]) + parts[f"bias_{i}"]
        layers.append(((read,), x))
    return layers


def _readout(architecture, parts, n_in):
    """Matrix (n_in, n_outputs) that adds up the vectors' leading coordinates."""
    n_first, n_outputs = architecture.n_first, architecture.n_outputs
    first = parts["readout"] if n_outputs > 1 else tf.ones([1, 1])
    first = tf.pad(first, [[0, architecture.width - n_first], [0, 0]])
    return tf.tile(first, [n_in // architecture.width, 1])
