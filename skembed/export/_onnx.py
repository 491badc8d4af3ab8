"""Estimators as graphs of ONNX, from raw columns to predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

from .. import __version__
from .._data.wording import shown
from .._files import whole_file
from ._columns import (
    BOOL,
    FLOAT,
    INT,
    TEXT,
    Column,
    input_kinds,
    input_names,
    kinds_of,
    numbers,
    rows_of,
)
from ._extras import needs
from ._graph import ML, Graph
from ._lookups import Cells, first_rows, refuse_several
from ._outcomes import Outcomes
from ._tabulated import may_tabulate, tabulated

# How a missing cell of text is written. onnxruntime makes these of None, of NaN and of
# pandas.NA in an array of objects; an empty string is what skl2onnx's users write.
MISSING = ("", "None", "nan", "<NA>")
# The first opset in which sums take their axes as an input, the last that is tested,
# and the one that runtimes of the last years read.
OPSETS, OPSET = range(13, 27), 17
# The first in which trees take thresholds in float64.
ML_OPSET = 3

REGRESSOR = ("prediction", "std", "interval", "vectors")
CLASSIFIER = ("label", "probabilities", "vectors")
ENCODER = ("vectors",)
# Names of the outputs where one that is asked for is several.
_NAMES = {"interval": ("lower", "upper")}


def to_onnx(
    estimator, path=None, *, outputs=None, missing=MISSING, coverage=0.9, opset=OPSET
):
    """Write a fitted estimator as a graph of ONNX, from raw columns to predictions.

    The graph needs neither this library nor Python: any runtime of ONNX computes from
    it what the estimator computes, to about 1e-6 of the outcome's spread.

    Parameters
    ----------
    estimator : EmbeddingRegressor, EmbeddingClassifier or EmbeddingEncoder
        Fitted.
    path : str or path-like, default=None
        The file to write. What is there is replaced when all of the new file is on the
        disk, and stays as it is if anything goes wrong before. None writes no file.
    outputs : str or list of str, default=None
        What the graph puts out, one or several of

        - of a regressor: "prediction", "std" (as `predict_std`), "interval" (as
          `predict_interval`; two outputs, "lower" and "upper") and "vectors"
        - of a classifier: "label", "probabilities" and "vectors"
        - of an encoder: "vectors", as `transform` returns them

        The vectors of a predictor are those of the row's tokens in `embeddings_`, side
        by side. None: the prediction; the label and the probabilities; the vectors.
    missing : sequence of str, default=("", "None", "nan", "<NA>")
        How a missing cell is written in a column of text, for ONNX has no missing
        strings. A spelling that is a token of a column stands for that token there.
    coverage : float in (0, 1), default=0.9
        Share of outcomes inside of the interval.
    opset : int, default=17
        Version of ONNX's operators, 13 to 26. Tested with onnxruntime 1.19 to 1.32.

    Returns
    -------
    model : onnx.ModelProto
        With one input for every column of `X`, of shape (n_rows, 1), under the column's
        name ("x0", "x1", ... without names). Outputs have the shape (n_rows,
        n_outputs), float64; the vectors of a predictor are float32, labels have the
        shape (n_rows,).

    Raises
    ------
    ImportError
        If onnx is not installed.
    TypeError
        If the estimator is another one, has a head or an activation of its own, or a
        column holds what ONNX does not have: dates, durations, several kinds of
        tokens. The message names the column.
    ValueError
        If the estimator has ``handle_unknown="error"``, for a graph raises no errors;
        if it does not have one of the `outputs`; or if all spellings of `missing` are
        tokens of a column that has missing values.
    OSError
        If the file cannot be written.

    See Also
    --------
    register_skl2onnx : The estimators as steps of pipelines that skl2onnx converts.

    Notes
    -----
    The type of an input follows from the tokens that fit has seen: string for text,
    int64 for whole numbers, bool for truth values, double for floats and for numbers.
    Whole numbers and truth values come as double, with NaN for missing, if fit saw
    missing values among them. Tokens that fit has not seen get the vector that they get
    in `predict`. An infinite number is taken as a very large one; `predict` refuses it.

    The graph works on all rows of a call at once. Hand over some ten thousand rows at
    a time: for more classes than two, and for standard deviations, memory grows with
    the rows by a few kilobytes each.

    Examples
    --------
    >>> from skembed import EmbeddingRegressor
    >>> from skembed.export import to_onnx
    >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
    >>> model = to_onnx(EmbeddingRegressor(2, epochs=2, random_state=0).fit(X, y))
    >>> [column.name for column in model.graph.input]
    ['x0']
    >>> [output.name for output in model.graph.output]
    ['prediction']
    """
    needs("onnx", "onnx")
    asked = asked_of(estimator, outputs)
    if isinstance(opset, bool) or opset not in OPSETS:
        raise ValueError(
            f"opset={shown(opset)} must be a whole number from {OPSETS[0]} to "
            f"{OPSETS[-1]}."
        )
    names = input_names(estimator)
    kinds = input_kinds(fitted_of(estimator).encoder, names)
    columns = [
        Column(name, kind, name) for name, kind in zip(names, kinds, strict=True)
    ]
    g = Graph(prefix_beside(names))
    found = values_of(g, estimator, columns, asked, missing, coverage)
    results = {}
    for name, value in found.items():
        while name in names:
            name += "_"
        results[name] = g.add("Identity", value, out=name)
    model = _model(g, estimator, columns, list(found), list(results), opset, missing)
    if path is not None:
        with whole_file(Path(path)) as file:
            file.write(model.SerializeToString())
    return model


def prefix_beside(names):
    """What the names of values begin with so that none is that of an input."""
    prefix = "_"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix


def fitted_of(estimator):
    """State of a fitted estimator of this library."""
    check_is_fitted(estimator)
    fitted = vars(estimator).get("_fitted")
    if fitted is None:
        raise TypeError(
            f"{type(estimator).__name__} is none of EmbeddingRegressor, "
            "EmbeddingClassifier and EmbeddingEncoder. A pipeline that holds one is "
            "converted by skl2onnx, after skembed.export.register_skl2onnx()."
        )
    return fitted


def predictor_of(estimator):
    """The predictor whose parameters say how tokens are read."""
    return getattr(estimator, "estimator_", estimator)


def asked_of(estimator, outputs):
    """The outputs that were asked for, as a tuple; refuse what is not there."""
    fitted_of(estimator)
    if is_regressor(estimator):
        there, default = REGRESSOR, REGRESSOR[:1]
    elif is_classifier(estimator):
        there, default = CLASSIFIER, CLASSIFIER[:2]
    else:
        there = default = ENCODER
    if outputs is None:
        return default
    asked = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    wrong = [name for name in asked if name not in there]
    if wrong or not asked or len(set(asked)) < len(asked):
        raise ValueError(
            f"outputs={shown(outputs)} must name one or several, each once, of the "
            f"outputs of {type(estimator).__name__}: {', '.join(there)}."
        )
    return asked


def values_of(g, estimator, columns, asked, missing=MISSING, coverage=0.9):
    """Values of the outputs that are asked for, by their names.

    Parameters
    ----------
    g : Graph
    estimator : estimator
    columns : list of Column
        The inputs.
    asked : tuple of str
    missing, coverage
        As in `to_onnx`.
    """
    rule = predictor_of(estimator).handle_unknown
    if rule == "error":
        raise ValueError(
            "handle_unknown='error' has no place in ONNX, whose graphs raise no "
            f"errors: set_params({_path_to(estimator)}handle_unknown='prior') before "
            "the export."
        )
    missing = (missing,) if isinstance(missing, str) else tuple(missing)
    if not all(isinstance(one, str) for one in missing):
        raise TypeError(f"missing={shown(missing)} must hold strings.")
    pool = rule == "infrequent_if_exist"
    fitted = estimator._fitted
    encoder = fitted.encoder
    refuse_several(encoder, columns)
    cells = Cells(fitted, pool)

    def rows(lookup):
        return rows_of(g, encoder, columns, lookup, missing)

    if not hasattr(estimator, "predict"):
        return {"vectors": _encoded(g, estimator, columns, cells, rows)}
    lookups = cells.lookups(range(len(encoder.fields)))
    sizes = [len(one.places) for one in lookups]
    read = numbers(g, encoder, columns, sum(sizes))

    def values(g, tokens, asked):
        outcomes = Outcomes(g, fitted, lookups, tokens, read)
        return _of_predictor(g, estimator, outcomes, asked, coverage)

    def computed(asked):
        pairs = zip(lookups, first_rows(lookups), strict=True)
        return values(g, [rows(one.numbered(start)) for one, start in pairs], asked)

    looked_up = [name for name in asked if name != "vectors"]
    if not may_tabulate(fitted, sizes, looked_up):
        return computed(asked)
    found = tabulated(g, lookups, rows, looked_up, values)
    if "vectors" in asked:
        found |= computed(["vectors"])
    return {name: found[name] for one in asked for name in _NAMES.get(one, (one,))}


def _of_predictor(g, estimator, outcomes, asked, coverage):
    """Values of the outputs of a predictor."""
    found = {}
    for name in asked:
        if name == "interval":
            if not 0.0 < coverage < 1.0:
                raise ValueError(
                    "coverage must be between 0 and 1, both exclusive; got "
                    f"{coverage!r}."
                )
            found |= dict(zip(_NAMES[name], outcomes.ends(coverage), strict=True))
        elif name in ("label", "probabilities"):
            found[name] = _of_classes(g, estimator, outcomes, name)
        else:
            found[name] = getattr(outcomes, name)
    return found


def _path_to(estimator):
    """Where the parameters of the predictor stand."""
    return "" if predictor_of(estimator) is estimator else "estimator__"


def _of_classes(g, classifier, outcomes, name):
    if classifier._is_multilabel:
        if name == "probabilities":
            return outcomes.probabilities
        half = np.float64(0.5)
        return g.cast(g.add("Greater", outcomes.probabilities, half), np.int64)
    of_two = len(classifier.classes_) == 2
    p = outcomes.of_two if of_two else outcomes.probabilities
    if name == "probabilities":
        return p
    classes = label_values(classifier.classes_)
    return g.rows(classes, g.add("ArgMax", p, axis=1, keepdims=0))


def label_values(classes):
    """Labels as ONNX has them."""
    kinds = kinds_of(classes.tolist())
    if kinds == {TEXT}:
        return classes.astype(object)
    if kinds <= {INT, BOOL}:
        return classes.astype(np.int64)
    if kinds == {FLOAT}:
        return classes.astype(np.float64)
    raise TypeError(
        "The labels of y are of a kind that ONNX does not have, such as "
        f"{shown(classes[0])}; turn them into text or whole numbers and fit again, or "
        "ask for outputs='probabilities'."
    )


def _encoded(g, encoder, columns, cells, rows):
    """What `EmbeddingEncoder.transform` returns."""
    fitted, parts = encoder._fitted, []
    kinds = [encoder._output.tables(fitted, encoder._sums)]
    if encoder.output == "mean_std":
        kinds.append(encoder._output.tables(fitted, encoder._sums, std=True))
    for k, tables in enumerate(zip(*kinds, strict=True)):
        field = fitted.encoder.field_of(k)
        if not fitted.encoder.adds_up(k):
            (lookup,) = cells.lookups([field], [k])
            table = np.concatenate(tables, axis=1)[lookup.codes(fitted, k)]
            # Runtimes turn constants into doubles when they read the graph.
            parts.append(g.rows(g.number(table), g.shaped(rows(lookup), -1)))
            continue
        lookups = cells.lookups([field], fitted.encoder.blocks_of(k))
        places = [g.shaped(rows(lookup), -1) for lookup in lookups]
        for std, table in enumerate(tables):
            found = _added_up(g, encoder, k, lookups, places, table, bool(std))
            parts.append(g.add("Sqrt", found) if std else found)
    if encoder.remainder == "passthrough":
        pairs = zip(columns, fitted.encoder.is_categorical, strict=True)
        parts += [g.cast(c.value, np.float64) for c, is_token in pairs if not is_token]
    if not parts:
        raise ValueError(
            f"{type(encoder).__name__} puts out no columns: set its "
            "categorical_features and fit it again."
        )
    return g.side_by_side(parts)


def _added_up(g, encoder, k, lookups, places, table, std):
    """Vectors of a column within others, or their variances, in every row.

    `table` has what `transform` returns by code; of it come the mean outcomes in front.
    """
    fitted, output, parts = encoder._fitted, encoder._output, []
    values = fitted.weights.table.mean
    if std:
        values, table = 1.0 / fitted.weights.table.precision, np.square(table)
    for lookup, place in zip(lookups, places, strict=True):
        found = lookup.sums(values, fitted.mask, std)[:, : output.lengths[k]]
        if output.axes is not None:
            found = found @ (np.square(output.axes[k]) if std else output.axes[k])
        front = np.zeros((len(found), table.shape[1] - found.shape[1]))
        if k in lookup.blocks:
            front = table[lookup.codes(fitted, k), : front.shape[1]]
        parts.append(g.rows(np.concatenate([front, found], axis=1), place))
    return g.total_of(parts)


def _model(g, estimator, columns, asked, results, opset, missing):
    from onnx import checker, helper

    kinds = {"string": "STRING", "int64": "INT64", "double": "DOUBLE", "bool": "BOOL"}
    kind_of = {name: getattr(_types(), kind) for name, kind in kinds.items()}
    inputs = [
        helper.make_tensor_value_info(c.name, kind_of[c.kind], ["n_rows", 1])
        for c in columns
    ]
    outputs = [
        helper.make_tensor_value_info(name, *_typed(estimator, what))
        for name, what in zip(results, asked, strict=True)
    ]
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(ML, ML_OPSET)]
    graph = helper.make_graph(
        g.nodes, type(estimator).__name__, inputs, outputs, g.constants
    )
    model = helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="skembed",
        producer_version=__version__,
    )
    helper.set_model_props(model, {"missing": ", ".join(map(repr, missing))})
    if model.ByteSize() >= 2**31:
        raise ValueError(
            f"The graph has {model.ByteSize() / 2**30:.1f} GB, and a file of ONNX at "
            "most 2: pool rare tokens (min_frequency or max_categories), or fit with a "
            "smaller embedding_dim."
        )
    checker.check_model(model)
    return model


def _types():
    from onnx import TensorProto

    return TensorProto


def _typed(estimator, what):
    """Type and shape of an output."""
    types = _types()
    if what == "vectors":
        fitted = estimator._fitted
        if hasattr(estimator, "predict"):
            return types.FLOAT, ["n_rows", int(fitted.dims.sum())]
        return types.DOUBLE, ["n_rows", len(estimator.get_feature_names_out())]
    if what == "label":
        if estimator._is_multilabel:
            return types.INT64, ["n_rows", len(estimator.classes_)]
        kind = label_values(estimator.classes_).dtype.kind
        types_of = {"O": types.STRING, "i": types.INT64, "f": types.DOUBLE}
        return types_of[kind], ["n_rows"]
    if what == "probabilities":
        return types.DOUBLE, ["n_rows", len(estimator.classes_)]
    return types.DOUBLE, ["n_rows", estimator.n_outputs_]
