"""A graph of ONNX under construction: nodes, constants, names.

Every operator that is used here means the same in opsets 13 to the newest.
"""

from __future__ import annotations

import numpy as np

ML = "ai.onnx.ml"


class Graph:
    """Nodes and constants, under names that begin with `prefix`.

    Values between nodes are known by their names. Where a node takes a value, an array
    or a number is taken too: it becomes a constant.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
    constants : list of onnx.TensorProto
    floats : type
        What numbers are: float64, which constants of that type are turned into.
    """

    def __init__(self, prefix, constants=None, floats=np.float64):
        from onnx import helper, numpy_helper

        self._helper, self._arrays = helper, numpy_helper
        self.prefix = prefix
        self.floats = floats
        self.nodes = []
        self.constants = [] if constants is None else constants
        self._known = {}

    def add(self, op, *inputs, domain="", out=None, **attributes):
        """Add a node with one output, and return the name of it."""
        names = [self.value(one) for one in inputs]
        name = f"{self.prefix}{len(self.nodes)}"
        out = f"{name}_{op}" if out is None else out
        make = self._helper.make_node
        self.nodes.append(make(op, names, [out], name, domain=domain, **attributes))
        return out

    def value(self, one):
        """Name of a value; an array or a number becomes a constant first."""
        if isinstance(one, str):
            return one
        array = np.asarray(one)
        if array.dtype == np.float64:
            array = array.astype(self.floats)
        if array.dtype.kind not in "OU":
            key = array.dtype.str, array.shape, array.tobytes()
            if key in self._known:
                return self._known[key]
        name = f"{self.prefix}constant_{len(self.constants)}"
        tensor = (
            self._helper.make_tensor(
                name,
                self._helper.np_dtype_to_tensor_dtype(np.dtype(object)),
                array.shape,
                [text.encode() for text in array.ravel().tolist()],
            )
            if array.dtype.kind in "OU"
            else self._arrays.from_array(np.ascontiguousarray(array), name)
        )
        self.constants.append(tensor)
        if array.dtype.kind not in "OU":
            self._known[key] = name
        return name

    def attribute(self, array):
        """An array as an attribute of a node has it."""
        return self._arrays.from_array(np.ascontiguousarray(array))

    def number(self, one):
        """A value as numbers are here; an array stays as it is in the file."""
        return self.cast(one, self.floats)

    def cast(self, one, dtype):
        """A value in another type."""
        if isinstance(one, np.ndarray) and one.dtype == dtype:
            return self.value(one)
        kind = self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", one, to=kind)

    def shaped(self, one, *shape):
        """A value in another shape; 0 keeps a length, -1 stands for what is left."""
        return self.add("Reshape", one, np.array(shape, np.int64))

    def total(self, one, axis, keep=False):
        """The sum over an axis."""
        axes = np.array([axis], np.int64)
        return self.add("ReduceSum", one, axes, keepdims=int(keep))

    def total_of(self, parts):
        """The sum of several values."""
        total, *others = parts
        for other in others:
            total = self.add("Add", total, other)
        return total

    def rows(self, table, at):
        """Rows of a table."""
        return self.add("Gather", table, at, axis=0)

    def columns(self, one, at):
        """Columns of a matrix."""
        return self.add("Gather", one, np.asarray(at, np.int64), axis=1)

    def einsum(self, equation, a, b):
        """A sum of products.

        Not by Transpose and MatMul: onnxruntime before 1.27 makes one operator of the
        two, which it has in float32 only.
        """
        return self.add("Einsum", a, b, equation=equation)

    def side_by_side(self, parts):
        """Matrices as one, which has the columns of all."""
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=1)

    def inner(self, floats=np.float64):
        """A graph for the inside of a node, which sees the values of this one."""
        other = Graph(f"{self.prefix}{len(self.nodes)}_", self.constants, floats)
        other._known = self._known
        return other

    def scan(self, body, states, given, *results):
        """Run `body` once for every row of what is given, one after the other.

        Parameters
        ----------
        body : Graph
            Made by :meth:`inner`.
        states : list of (str, value)
            What goes from one run to the next: its name inside, and its start.
        given : list of (str, value)
            What is gone through: its name inside, and the rows.
        *results : str
            The states after a run, and what is collected of every run.

        Returns
        -------
        out : list of str
            The states after the last run, and what was collected, one below the other.
        """
        double = self._helper.np_dtype_to_tensor_dtype(np.dtype(np.float64))

        def typed(names):
            make = self._helper.make_tensor_value_info
            return [make(name, double, None) for name in names]

        inside = self._helper.make_graph(
            body.nodes,
            body.prefix,
            typed(name for name, _ in [*states, *given]),
            typed(results),
        )
        name = f"{self.prefix}{len(self.nodes)}"
        out = [f"{name}_Scan_{i}" for i in range(len(results))]
        node = self._helper.make_node(
            "Scan",
            [self.value(value) for _, value in [*states, *given]],
            out,
            name,
            body=inside,
            num_scan_inputs=len(given),
        )
        self.nodes.append(node)
        return out
