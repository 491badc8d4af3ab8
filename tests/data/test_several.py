"""Cells of several tokens: what they may be, and what they become."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

from skembed._data.blend import Part, assembled, parted, stacked
from skembed._data.columns import as_table, read
from skembed._data.several import OneToken, SeveralTokens

CELLS = [["a", "b"], ["b"], [], None, ["c", "a", "a"]]
WEIGHED = [{"a": 1.0, "b": 1.0}, {"b": 1.0}, {}, None, {"c": 1.0, "a": 2.0}]
LINES = ["a|b", "b", "", None, "c| a |a|"]


def column(values):
    out = np.empty((len(values), 1), dtype=object)
    for i, value in enumerate(values):
        out[i, 0] = value
    return out


TABLES = {
    "objects": (column(CELLS), None),
    "rows": ([[cell] for cell in CELLS], None),
    "tuples": (column([c if c is None else tuple(c) for c in CELLS]), None),
    "arrays": (column([c if c is None else np.array(c, object) for c in CELLS]), None),
    "dicts": (column(WEIGHED), None),
    "text": (column(LINES), "|"),
    "commas": (column([c and c.replace("|", ", ") for c in LINES]), ", "),
    "pandas": (pd.DataFrame({"x": CELLS}), None),
    "pandas text": (pd.DataFrame({"x": LINES}, dtype="string"), "|"),
    "categories": (pd.DataFrame({"x": pd.Categorical(LINES)}), "|"),
    "polars": (pl.DataFrame({"x": CELLS}), None),
    "polars text": (pl.DataFrame({"x": LINES}), "|"),
    "arrow": (pa.table({"x": CELLS}), None),
    "arrow large": (
        pa.table({"x": pa.array(CELLS, pa.large_list(pa.large_string()))}),
        None,
    ),
    "arrow text": (pa.table({"x": LINES}), "|"),
    "arrow map": (
        pa.table({"x": pa.array(WEIGHED, pa.map_(pa.string(), pa.float64()))}),
        None,
    ),
}


def amounts(values):
    """Amount of every token, row by row."""
    out = [{} for _ in range(values.n_rows)]
    triples = zip(values.rows, values.codes, values.amounts, strict=True)
    for row, code, amount in triples:
        token = None if code < 0 else values.uniques[code]
        out[row][token] = out[row].get(token, 0.0) + amount
    return out


@pytest.mark.parametrize("kind", TABLES)
def test_one_cell_whatever_table_it_is_in(kind):
    table, delimiter = TABLES[kind]
    found = read(as_table(table))[0].several(delimiter)
    assert amounts(found) == [
        {"a": 1.0, "b": 1.0},
        {"b": 1.0},
        {None: 1.0},
        {None: 1.0},
        {"c": 1.0, "a": 2.0},
    ]


def test_lists_are_recognised():
    recognised = {"objects", "rows", "arrays", "pandas", "polars", "arrow"}
    recognised |= {"arrow large", "arrow map"}
    for kind, (table, _) in TABLES.items():
        assert read(as_table(table))[0].holds_lists == (kind in recognised), kind
    assert not read(np.array([[1.5], [2.0]]))[0].holds_lists
    assert read(pl.DataFrame({"x": pl.Series([[1, 2]], dtype=pl.Array(int, 2))}))[
        0
    ].holds_lists


def test_values_of_any_kind():
    found = read(pa.table({"x": [[1, None, 2], [None]]}))[0].several()
    assert amounts(found) == [{1: 1.0, 2: 1.0}, {None: 1.0}]
    single = read(np.array([[3], [4]]))[0].several("|")
    assert amounts(single) == [{3: 1.0}, {4: 1.0}]
    pairs = read(column([[("a", 1), ("b", 2)], ("a", 1)]))[0].several()
    assert amounts(pairs) == [{("a", 1): 1.0, ("b", 2): 1.0}, {"a": 1.0, 1: 1.0}]


@pytest.mark.parametrize(
    ("cells", "error", "message"),
    [
        ([[["a"], ["b"]]], TypeError, "Column 0 of X holds lists of lists"),
        ([{"a": -1.0}], ValueError, "Column 0 of X gives 'a' the weight -1.0"),
        ([{"a": "x"}], ValueError, "Column 0 of X gives 'a' the weight 'x'"),
        ([{"a": np.inf}], ValueError, "weights are finite"),
    ],
)
def test_cells_that_are_none_are_refused_by_column(cells, error, message):
    with pytest.raises(error, match=message):
        read(column(cells))[0].several()


@pytest.mark.parametrize(("combiner", "each"), [("mean", 0.5), ("sum", 1.0)])
def test_slots_of_cells(combiner, each):
    found = read(column([["b", "a"], ["a"], ["x", "y"], {"a": 1, "b": 3}]))[0].several()
    code = np.array([{"a": 0, "b": 1}.get(token, 5) for token in found.uniques])
    reader = SeveralTokens(None, combiner)
    codes, factors = reader.part(found, code[found.codes], 5)
    # Unknown ones are not the same token; the third cell holds two.
    assert_array_equal(codes, [[0, 1], [0, 0], [5, 5], [0, 1]])
    weighed = [0.25, 0.75] if combiner == "mean" else [1.0, 3.0]
    assert_array_equal(factors, [[each, each], [1, 0], [each, each], weighed])
    weights = reader.weights(found, np.array([1.0, 2.0, 3.0, 4.0]))
    assert weights.sum() == 2 * 1 + 2 + 2 * 3 + 2 * 4


def test_blends_of_several_calls_stand_below_each_other():
    def encoded(codes, factors):
        several = Part(np.array(codes), np.array(factors), 0, 0, 0)
        single = Part(*OneToken().part(None, np.arange(len(codes)), -1), 1, 1, 1)
        return assembled([several, single])

    one = encoded([[3], [4]], [[1.0], [1.0]])
    two = encoded([[5, 6]], [[0.5, 0.5]])
    codes, blend = stacked([one, two])
    assert_array_equal(codes, [[3, 3, 0], [4, 4, 1], [5, 6, 0]])
    assert_array_equal(blend.factors, [[1, 0, 1], [1, 0, 1], [0.5, 0.5, 1]])
    assert blend.slots.field.tolist() == [0, 0, 1]
    first, second = parted(codes, blend)
    assert_array_equal(first.codes, codes[:, :2])
    assert_array_equal(second.factors, [[1.0]] * 3)
    assert stacked([(codes, None)])[1] is None
