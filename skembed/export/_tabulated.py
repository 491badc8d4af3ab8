"""Networks of few combinations of tokens: all they can say, in a table.

Without numbers the outcome of a row depends on its tokens only. Where these have few
combinations, the graph holds the outcome of each and looks it up, as `predict` computes
each combination once.
"""

from __future__ import annotations

import numpy as np

from .. import _settings as settings
from ._graph import ML, Graph


def may_tabulate(fitted, asked):
    """Whether a network is written as a table of its outcomes."""
    drawn = not {"std", "interval"}.isdisjoint(asked)
    sizes = np.array(fitted.encoder.column_sizes, np.float64)
    few = sizes.prod() <= (settings.TABLE_DRAWN if drawn else settings.TABLE_MOST)
    return bool(asked and len(sizes) and few and not fitted.encoder.scales)


def tabulated(g, fitted, tokens, asked, values):
    """Values of the outputs, looked up by the tokens of a row.

    Parameters
    ----------
    g : Graph
    fitted : Fitted
    tokens : list of str
        Rows of the table of vectors, (n_rows, 1), of every column.
    asked : list of str
    values : callable
        Of a graph, of names like `tokens` in it and of `asked`: the names of the
        outputs' values, by output.
    """
    sizes = fitted.encoder.column_sizes
    grid = np.indices(sizes).reshape(len(sizes), -1).T + fitted.offsets
    names = [f"column_{k}" for k in range(len(sizes))]
    inner = Graph("inner_")
    found = values(inner, names, asked)
    # Last column fastest, as in the grid.
    steps = np.cumprod([1, *sizes[:0:-1]])[::-1].astype(np.int64)
    place = g.add("Sub", g.side_by_side(tokens), fitted.offsets)
    place = g.total(g.add("Mul", place, steps), 1)
    tables = _computed(inner, names, list(found.values()), grid)
    return {
        name: g.rows(table, place) for name, table in zip(found, tables, strict=True)
    }


def _computed(inner, names, results, grid):
    """What the graph gives for every row of the grid, by ONNX's own evaluator."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    graph = helper.make_graph(
        inner.nodes,
        "combinations",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, None)
            for name in names
        ],
        [helper.make_tensor_value_info(name, 0, None) for name in results],
        inner.constants,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)]
    run = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets)).run
    parts = []
    for start in range(0, len(grid), settings.PREDICT_BATCH):
        batch = grid[start : start + settings.PREDICT_BATCH]
        feeds = {name: batch[:, k : k + 1] for k, name in enumerate(names)}
        parts.append(run(results, feeds))
    return [np.concatenate(found) for found in zip(*parts, strict=True)]
