"""The network in plain terms: its shape, its weights, and its outputs in NumPy.

    f = [first-order term of each token + linear term of the numbers]
        + MLP([vectors, numbers, piecewise-linear encoding])

The bracket is there with posterior tables only. Nothing here needs TensorFlow.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .activations import activation_function, activation_slope
from .prior import N_FIELDS, N_WAVES, Field, untrained
from .tables import PointTable, PosteriorTable


class Architecture(NamedTuple):
    """What is decided before training; hashable, a part of the trace's key.

    Attributes
    ----------
    tables : type
        Kind of the tables: `PointTable` or `PosteriorTable`.
    width : int
        Length of every vector.
    hidden, activations : tuple
        Units and activation (a Keras name or a function) of each hidden layer. A
        `hidden` of None stands for no layers at all, where () is a linear one.
    n_outputs : int
    head : object or None
        A user's own head in place of the MLP.
    """

    tables: type
    width: int
    hidden: tuple | None
    activations: tuple
    n_outputs: int
    head: object = None

    @property
    def has_direct_terms(self):
        """Whether there are terms beside the layers, which then read the knots too."""
        return self.tables.has_direct_terms

    @property
    def n_first(self):
        """Leading coordinates of a vector that reach the output directly."""
        return self.tables.n_first(self.width, self.n_outputs)

    @property
    def intercept(self):
        """Name of the constant that is added to the output."""
        return f"bias_{len(self.hidden or ())}"

    @property
    def has_layers(self):
        """Whether there are layers, not only terms beside them."""
        return self.hidden is not None

    def without_layers(self):
        """The additive part of it: what reaches the output directly."""
        return self._replace(hidden=None, activations=(), width=self.n_first)

    def n_inputs(self, n_columns, n_numbers, n_pieces):
        """Length of what the MLP reads."""
        pieces = n_pieces if self.has_direct_terms else 0
        return n_columns * self.width + n_numbers + pieces

    def weight_shapes(self, n_columns=-1, n_numbers=-1, n_pieces=-1, n_blocks=-1):
        """Name -> shape of every weight but the tables; -1 for what the data say.

        `n_columns` vectors are read of a row, and the table has `n_blocks`.
        """
        shapes = {}
        n_in = -1
        if n_columns >= 0:
            n_in = self.n_inputs(n_columns, n_numbers, n_pieces)
        if self.head is not None:
            shapes |= self.head.weight_shapes()
        elif not self.has_layers:
            shapes[self.intercept] = (self.n_outputs,)
        else:
            sizes = (n_in, *self.hidden, self.n_outputs)
            for i, pair in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
                shapes[f"kernel_{i}"] = pair
                shapes[f"bias_{i}"] = pair[1:]
        if self.has_direct_terms:
            shapes["linear"] = (n_numbers, self.n_outputs)
            if self.n_outputs > 1:
                shapes["readout"] = (self.n_first, self.n_outputs)
            shapes["log_noise"] = (self.n_outputs,)
            shapes["prior"] = (n_blocks, self.n_first, N_FIELDS + N_WAVES)
        return shapes


@dataclass(frozen=True, eq=False)
class Weights:
    """A trained network.

    Attributes
    ----------
    table : PointTable or PosteriorTable
    dense : dict of str to ndarray of float32
        All other weights, by the names of ``Architecture.weight_shapes``.
    state : tuple of ndarray
        Non-trainable variables of a user's own head.
    """

    table: PointTable | PosteriorTable
    dense: dict
    state: tuple = ()

    def with_table(self, table):
        """These weights with another table."""
        return replace(self, table=table)

    def centred(self, architecture, sizes):
        """The same network under priors of mean 0; its layers must put out nothing.

        What the means add to every row goes into the intercept.
        """
        prior = self.dense["prior"].copy()
        means = prior[:, :, Field.MEAN].copy()
        prior[:, :, Field.MEAN] = 0.0
        total = means.sum(axis=0)
        if architecture.n_outputs > 1:
            total = total @ self.dense["readout"]
        intercept = self.dense[architecture.intercept] + total
        dense = {architecture.intercept: intercept, "prior": prior}
        mean = self.table.mean.copy()
        mean[:, : architecture.n_first] -= np.repeat(means, sizes, axis=0)
        table = replace(self.table, mean=mean)
        return replace(self, table=table, dense=self.dense | dense)


def readout(architecture, dense):
    """What leading coordinates of vectors do to the outputs, (n_first, n_outputs)."""
    if architecture.n_outputs == 1:
        return np.ones((architecture.n_first, 1), np.float32)
    return dense["readout"]


def first_order(architecture, dense, n_fields):
    """What vectors do to the outputs directly, (n_fields * width, n_outputs)."""
    width, n_outputs = architecture.width, architecture.n_outputs
    found = np.zeros((n_fields, width, n_outputs), np.float32)
    if architecture.has_direct_terms:
        found[:, : architecture.n_first] = readout(architecture, dense)
    return found.reshape(n_fields * width, n_outputs)


def moved_by_vectors(architecture, dense, n_fields):
    """What vectors do to the first layer's output, and to the outputs directly.

    Returns
    -------
    matrix : ndarray of float32 of shape (n_fields * width, n_first_layer + n_outputs)
    """
    kernel = dense["kernel_0"][: n_fields * architecture.width]
    return np.concatenate([kernel, first_order(architecture, dense, n_fields)], axis=1)


def unread_inputs(architecture, encoder):
    """Positions of what the layers get but do not read: its weights stay 0.

    Slopes that vary by token are not read: what layers see they also take back, where
    it is as uncertain as these are. Nor are the first-order effects of the same tokens,
    which could stand in for them. A layer without activation is linear, and would do
    nothing with vectors but share their first-order effects: without a hidden layer
    none is read.
    """
    if architecture.head is not None or not architecture.has_direct_terms:
        return np.zeros(0, int)
    at = np.arange(encoder.n_fields * architecture.width)
    if not architecture.hidden:
        return at
    field, coordinate = np.divmod(at, architecture.width)
    unread = np.isin(field, encoder.unread)
    if architecture.n_first < architecture.width:
        with_slopes = [encoder.field_of(one.column) for one in encoder.slopes]
        unread |= np.isin(field, with_slopes) & (coordinate < architecture.n_first)
    return at[unread]


def initial_weights(
    architecture, n_rows, shapes, rng, *, intercept, n_token_blocks, unread
):
    """Weights to start from.

    Kernels are Glorot's, biases zero, as in Keras. Where there are direct terms they
    start at 0, and so does the last layer, so that the first steps go to them.
    """
    dense = {}
    last = f"kernel_{len(architecture.hidden)}"
    for name, shape in shapes.items():
        value = np.zeros(shape, np.float32)
        starts_at_0 = architecture.has_direct_terms and name == last
        if name.startswith("kernel") and not starts_at_0:
            limit = np.sqrt(6.0 / max(sum(shape), 1))
            value = rng.uniform(-limit, limit, shape)
            if name == "kernel_0":
                value[unread] = 0.0
        elif name.startswith("head_"):
            value = architecture.head.initial(name)
        elif name == "readout":
            value = np.eye(*shape)
        elif name == "prior":
            value = untrained(*shape[:2], slice(n_token_blocks, None))
        elif name == architecture.intercept:
            value = np.broadcast_to(intercept, shape)
        dense[name] = np.asarray(value, np.float32)
    table = architecture.tables.start(
        n_rows, architecture.width, architecture.n_first, rng
    )
    head = architecture.head
    return Weights(table, dense, () if head is None else head.initial_state())


def weight_precision(name, shape, n_rows, knots, n_outputs):
    """Precision of the normal prior of a dense weight about where it starts.

    That of kernels is Glorot's variance over ``settings.KERNEL_PRECISION``. On tens of
    thousands of rows it only keeps layers from overfitting; a hundred rows leave them
    almost at their start. Every output brings slopes of its own to the layers, and so
    there is more to learn by heart. The readout is held as well, if not as much. Biases
    and scales are free.

    Parameters
    ----------
    name : str
    shape : tuple of int
    n_rows : float
        Weight of all rows.
    knots : Knots
    n_outputs : int

    Returns
    -------
    precision : float or ndarray that broadcasts to `shape`
    """
    if name == "linear":
        curved = np.isin(np.arange(shape[0]), knots.column)
        lone, other = settings.LONE_PRECISION, settings.LINEAR_PRECISION
        return np.where(curved, other, lone)[:, None]
    few = max(settings.KERNEL_ROWS / n_rows, 1.0) ** settings.KERNEL_POWER
    if name == "readout":
        return min(settings.READOUT_PRECISION * few, settings.READOUT_MOST)
    if not name.startswith("kernel"):
        return 0.0
    return settings.KERNEL_PRECISION * few * n_outputs * sum(shape) / 2.0


class Knots(NamedTuple):
    """The piecewise-linear encoding of the numbers, piece by piece.

    Attributes
    ----------
    column : ndarray of int32 of shape (n_pieces,)
        Which number each piece is of.
    low, scale : ndarray of float32 of shape (n_pieces,)
        Its low end, and 1 / its length.
    """

    column: np.ndarray
    low: np.ndarray
    scale: np.ndarray


def outputs(architecture, weights, vectors, numbers, knots):
    """Outputs of the network, (n_rows, n_outputs), in float64.

    Parameters
    ----------
    vectors : ndarray of shape (n_rows, n_columns, width)
    numbers : ndarray of shape (n_rows, n_numbers)
    """
    if architecture.head is not None:
        x = _inputs(architecture, vectors, numbers, knots)
        f = architecture.head.predict(weights, x)
    else:
        read = _read(architecture, weights.dense, vectors, numbers, knots)
        f, _ = _layers(architecture, weights.dense, *read)
    return _with_direct_terms(architecture, weights.dense, f, vectors, numbers)


def layers_at(architecture, weights, vectors, numbers, knots):
    """Outputs, those of the layers alone, and what each activation was applied to.

    Parameters: see `outputs`; without a head of a user's own.
    """
    read = _read(architecture, weights.dense, vectors, numbers, knots)
    of_layers, hidden = _layers(architecture, weights.dense, *read)
    f = _with_direct_terms(architecture, weights.dense, of_layers, vectors, numbers)
    return f, of_layers, hidden


def outputs_and_slopes(architecture, weights, vectors, numbers, knots):
    """Outputs, and their derivatives by the vectors in float32.

    Parameters
    ----------
    vectors : ndarray of shape (n_rows, n_columns, width)
    numbers : ndarray of shape (n_rows, n_numbers)

    Returns
    -------
    f : ndarray of shape (n_rows, n_outputs)
    slopes : ndarray of shape (n_rows, n_outputs, n_columns, width)
    """
    n_rows, n_columns, width = vectors.shape
    if architecture.head is not None:
        x = _inputs(architecture, vectors, numbers, knots)
        f, by_x = architecture.head.predict_and_slopes(weights, x)
        by_vector = by_x[:, :, : n_columns * width]
    else:
        read = _read(architecture, weights.dense, vectors, numbers, knots)
        f, hidden = _layers(architecture, weights.dense, *read)
        n_inputs = n_columns * width
        by_vector = _layers_backwards(architecture, weights.dense, hidden, n_inputs)
        if not hidden:  # the same for all rows
            by_vector = np.repeat(by_vector[None], n_rows, axis=0)
    by_vector = by_vector.reshape(n_rows, architecture.n_outputs, n_columns, width)
    if architecture.has_direct_terms:
        first = readout(architecture, weights.dense)
        by_vector[:, :, :, : architecture.n_first] += first.T[:, None]
    f = _with_direct_terms(architecture, weights.dense, f, vectors, numbers)
    return f, by_vector


def _inputs(architecture, vectors, numbers, knots):
    """What the layers read."""
    x = [vectors.reshape(len(vectors), -1), numbers]
    if architecture.has_direct_terms and len(knots.column):
        x.append(_pieces(numbers, knots))
    return np.concatenate(x, axis=1, dtype=np.float64)


def _pieces(numbers, knots):
    """The piecewise-linear encoding of the numbers, (n_rows, n_pieces)."""
    x = numbers[:, knots.column]
    x -= knots.low
    x *= knots.scale
    return np.clip(x, 0.0, 1.0, out=x)


def _read(architecture, dense, vectors, numbers, knots):
    """What the layers read, and their first kernel: without inputs of weight 0.

    Of a wide table most of what there is to read has no weight.
    """
    kernel = dense["kernel_0"]
    read = kernel.any(axis=1)
    if read.all():
        return _inputs(architecture, vectors, numbers, knots), kernel
    vectors = vectors.reshape(len(vectors), -1)
    ends = np.cumsum([vectors.shape[1], numbers.shape[1]])
    of_vectors, of_numbers, of_pieces = np.split(read, ends)
    x = [vectors[:, of_vectors], numbers[:, of_numbers]]
    if len(of_pieces):
        x.append(_pieces(numbers, Knots(*(part[of_pieces] for part in knots))))
    return np.concatenate(x, axis=1, dtype=np.float64), kernel[read]


def _layers(architecture, dense, x, kernel):
    """Output of the layers, and what each activation was applied to."""
    f, hidden = x @ kernel + dense["bias_0"], []
    for i, activation in enumerate(architecture.activations, 1):
        hidden.append(f)
        f = activation_function(activation)(f)
        f = f @ dense[f"kernel_{i}"] + dense[f"bias_{i}"]
    return f, hidden


def _layers_backwards(architecture, dense, hidden, n_inputs):
    """Derivatives of the layers' output by the first inputs, row by row."""
    kernels = [dense[f"kernel_{i}"].T for i in range(len(hidden) + 1)]
    kernels[0] = kernels[0][:, :n_inputs]
    by = kernels.pop()
    for x, activation in zip(hidden[::-1], architecture.activations[::-1], strict=True):
        slope = activation_slope(activation, x).astype(np.float32)
        by = (by * slope[:, None]) @ kernels.pop()
    return by


def slopes_by_layer(architecture, weights, vectors, numbers, knots):
    """Derivatives of the outputs by the kernels, as the factors that they are made of.

    Yields
    ------
    name : str
        Of a kernel, the last one first.
    inputs : ndarray of shape (n_rows, n_in)
        What the layer reads.
    by : ndarray of shape (n_rows, n_outputs, n_out)
        Derivative of each output by the layer's own output: that by the kernel is
        ``inputs[:, None, :, None] * by[:, :, None, :]``.
    """
    dense, n = weights.dense, architecture.n_outputs
    x = _inputs(architecture, vectors, numbers, knots)
    _, hidden = _layers(architecture, dense, x, dense["kernel_0"])
    pairs = zip(architecture.activations, hidden, strict=True)
    inputs = [x, *(activation_function(name)(at) for name, at in pairs)]
    by = np.broadcast_to(np.eye(n), (len(x), n, n))
    for i in reversed(range(len(inputs))):
        name = f"kernel_{i}"
        yield name, inputs[i], by
        if i:
            slope = activation_slope(architecture.activations[i - 1], hidden[i - 1])
            by = (by @ dense[name].T) * slope[:, None]


def _with_direct_terms(architecture, dense, f, vectors, numbers):
    """The layers' output and the terms beside it."""
    if not architecture.has_direct_terms:
        return f
    first = vectors[:, :, : architecture.n_first].sum(axis=1)
    if architecture.n_outputs > 1:
        first = first @ dense["readout"]
    return f + first + numbers @ dense["linear"]
