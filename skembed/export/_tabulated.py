"""Networks of few combinations of tokens: all they can say, in a table.

Without numbers the outcome of a row depends on its tokens only. Where these have few
combinations, the graph holds the outcome of each and looks it up, as `predict` computes
each combination once.
"""

from __future__ import annotations

import numpy as np

from .. import _settings as settings
from ._graph import ML, Graph
from ._lookups import first_rows


def may_tabulate(fitted, sizes, asked):
    """Whether a network is written as a table of its outcomes.

    `sizes` are the numbers of rows of its lookups.
    """
    drawn = not {"std", "interval"}.isdisjoint(asked)
    n = np.array(sizes, np.float64).prod()
    few = n <= (settings.TABLE_DRAWN if drawn else settings.TABLE_MOST)
    more = fitted.encoder.scales or fitted.encoder.direct_blocks
    return bool(asked and sizes and few and not more)


def tabulated(g, lookups, rows, asked, values):
    """Values of the outputs, looked up by the tokens of a row.

    Parameters
    ----------
    g : Graph
    lookups : list of Lookup
    rows : callable
        Of a lookup: its rows in `g`, (n_rows, 1).
    asked : list of str
    values : callable
        Of a graph, of the names of rows of the lookups in it, which stand one below the
        other, and of `asked`: the names of the outputs' values, by output.
    """
    sizes = [len(one.places) for one in lookups]
    grid = np.indices(sizes).reshape(len(sizes), -1).T + first_rows(lookups)
    names = [f"column_{k}" for k in range(len(sizes))]
    inner = Graph("inner_")
    found = values(inner, names, asked)
    # Last column fastest, as in the grid.
    steps = np.cumprod([1, *sizes[:0:-1]])[::-1].tolist()
    pairs = zip(lookups, steps, strict=True)
    places = [rows(one.numbered(step=step)) for one, step in pairs]
    place = g.shaped(g.total_of(places), -1)
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
