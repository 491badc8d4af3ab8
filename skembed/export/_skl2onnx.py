"""Converters for skl2onnx, which turns whole pipelines into graphs of ONNX."""

from __future__ import annotations

import numpy as np
from sklearn.base import is_classifier

from ._columns import Column, input_names
from ._extras import needs
from ._graph import ML, Graph
from ._onnx import ML_OPSET, OPSETS, asked_of, fitted_of, label_values, values_of

# Types of skl2onnx, and what they are called here.
_KINDS = {
    "StringTensorType": "string",
    "Int64TensorType": "int64",
    "Int32TensorType": "int32",
    "FloatTensorType": "float",
    "DoubleTensorType": "double",
    "BooleanTensorType": "bool",
}


def register_skl2onnx():
    """Tell skl2onnx how to convert the estimators of this library.

    Afterwards ``skl2onnx.to_onnx`` and ``skl2onnx.convert_sklearn`` convert pipelines,
    column transformers and searches that hold a fitted `EmbeddingEncoder`,
    `EmbeddingRegressor` or `EmbeddingClassifier`. Once per process is enough.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    See Also
    --------
    to_onnx : One estimator on its own, without skl2onnx.

    Notes
    -----
    Columns of tokens can be declared as strings, whole numbers or floats, as long as
    the tokens of text are strings. Vectors, predictions and probabilities come out as
    float32, or as float64 if one of the inputs is that; probabilities are an array
    (there is no ZipMap). Trees of skl2onnx take float32 only: in front of them declare
    numbers as ``FloatTensorType``.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skembed import EmbeddingEncoder, EmbeddingRegressor
    >>> from skembed.export import register_skl2onnx
    >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
    >>> encoder = EmbeddingEncoder(EmbeddingRegressor(2, epochs=2), random_state=0)
    >>> pipeline = make_pipeline(encoder, Ridge()).fit(X, y)
    >>> register_skl2onnx()
    >>> from skl2onnx import to_onnx
    >>> from skl2onnx.common.data_types import StringTensorType
    >>> colour = [("colour", StringTensorType([None, 1]))]
    >>> [output.name for output in to_onnx(pipeline, initial_types=colour).graph.output]
    ['variable']
    """
    needs("skl2onnx", "skl2onnx")
    from skl2onnx import _parse, update_registered_converter

    from .. import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor

    for kind in (EmbeddingEncoder, EmbeddingRegressor, EmbeddingClassifier):
        update_registered_converter(
            kind,
            f"Skembed{kind.__name__}",
            _set_shapes,
            _convert,
            parser=_parser,
            options={"zipmap": [False], "nocl": [True, False]},
        )
    # Columns of several types would be cast to that of the first, and become one.
    keep = getattr(_parse, "do_not_merge_columns", ())
    if EmbeddingEncoder not in keep:
        ours = (EmbeddingEncoder, EmbeddingRegressor, EmbeddingClassifier)
        _parse.do_not_merge_columns = (*keep, *ours)


def _parser(scope, model, inputs, custom_parsers=None):
    """Declare what goes into an estimator and what comes out."""
    operator = scope.declare_local_operator(f"Skembed{type(model).__name__}", model)
    operator.inputs = list(inputs)
    names = ["label", "probabilities"] if is_classifier(model) else ["variable"]
    for name, kind in zip(names, _types_out(model, inputs), strict=True):
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


def _types_out(model, inputs):
    from skl2onnx.common import data_types as types

    double = any(isinstance(i.type, types.DoubleTensorType) for i in inputs)
    number = types.DoubleTensorType if double else types.FloatTensorType
    if not is_classifier(model):
        return [number([None, _width(model)])]
    classes = model.classes_
    if model._is_multilabel:
        label = types.Int64TensorType([None, len(classes)])
    else:
        label = {
            "O": types.StringTensorType,
            "i": types.Int64TensorType,
            "f": types.DoubleTensorType,
        }[label_values(classes).dtype.kind]([None])
    return [label, number([None, len(classes)])]


def _width(model):
    if hasattr(model, "predict"):
        return model.n_outputs_
    return len(model.get_feature_names_out())


def _set_shapes(operator):
    fitted_of(operator.raw_operator)
    kinds = _types_out(operator.raw_operator, operator.inputs)
    for output, kind in zip(operator.outputs, kinds, strict=True):
        output.type = kind


def _convert(scope, operator, container):
    """Write the nodes of an estimator into skl2onnx's graph."""
    model = operator.raw_operator
    opset = container.target_opset_any_domain("")
    ml_opset = container.target_opset_any_domain(ML)
    if opset < OPSETS[0] or ml_opset < ML_OPSET:
        raise ValueError(
            f"{type(model).__name__} needs opset {OPSETS[0]} and {ML} {ML_OPSET} or "
            f"newer; pass target_opset={{'': {max(opset, OPSETS[0])}, '{ML}': "
            f"{max(ml_opset, ML_OPSET)}}}."
        )
    g = Graph(f"{scope.get_unique_operator_name('skembed')}_")
    columns = _columns(g, model, operator.inputs)
    found = values_of(g, model, columns, asked_of(model, None))
    for value, output in zip(found.values(), operator.outputs, strict=True):
        kind = type(output.type).__name__
        if kind in ("FloatTensorType", "DoubleTensorType"):
            dtype = np.float32 if kind == "FloatTensorType" else np.float64
            value = g.cast(value, dtype)
        g.add("Identity", value, out=output.full_name)
    container.initializers.extend(g.constants)
    container.nodes.extend(g.nodes)
    container.node_domain_version_pair_sets |= {("", opset), (ML, ML_OPSET)}


def _columns(g, model, inputs):
    """The columns of the estimator's table, from inputs that hold one or several."""
    names = input_names(model)
    found = []
    for variable in inputs:
        kind = type(variable.type).__name__
        shape = variable.type.shape
        n = shape[1] if len(shape) > 1 else None
        n = len(names) if n is None and len(inputs) == 1 else n
        if kind not in _KINDS or not isinstance(n, int):
            raise TypeError(
                f"The input {variable.raw_name!r} of {type(model).__name__} is "
                f"declared as {variable.type}; declare columns of strings, whole "
                "numbers, floats or truth values, with their number, such as "
                "StringTensorType([None, 1])."
            )
        parts = [variable.full_name]
        if n > 1:
            parts = [g.columns(variable.full_name, [j]) for j in range(n)]
        found += [(_KINDS[kind], part) for part in parts]
    if len(found) != len(names):
        raise ValueError(
            f"{type(model).__name__} was fitted on {len(names)} columns, but its "
            f"inputs have {len(found)}."
        )
    pairs = zip(names, found, strict=True)
    return [Column(name, kind, value) for name, (kind, value) in pairs]
