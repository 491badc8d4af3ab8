"""Random tables in every container: the same fit, or a refusal that names the column.

``SKEMBED_FUZZ=2000 pytest tests/data/test_fuzz_tables.py`` tries more of them.
"""

import datetime as dt
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skembed import EmbeddingRegressor

N = 12
EXAMPLES = int(os.environ.get("SKEMBED_FUZZ", "25"))

TIMES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))
KINDS = {
    "text": st.text(max_size=3),
    "bytes": st.binary(max_size=3),
    "int": st.integers(-(2**63), 2**63 - 1),
    "small": st.integers(-3, 3),
    "bool": st.booleans(),
    "float": st.floats(allow_infinity=True, allow_nan=False),
    "time": TIMES,
    "date": st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)),
    "span": st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999)),
}
ARROW = {
    "text": pa.string(),
    "bytes": pa.binary(),
    "int": pa.int64(),
    "small": pa.int8(),
    "bool": pa.bool_(),
    "float": pa.float64(),
    "time": pa.timestamp("us"),
    "date": pa.date32(),
    "span": pa.duration("us"),
}


@st.composite
def columns(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    cell = KINDS[kind]
    if draw(st.booleans()):
        cell = st.none() | cell
    return kind, draw(st.lists(cell, min_size=N, max_size=N))


def containers(table):
    """The same table as pyarrow, polars, pandas, an object array and a list of rows."""
    arrow = pa.table({n: pa.array(v, ARROW[kind]) for n, (kind, v) in table.items()})
    yield "pyarrow", arrow
    yield "polars", pl.from_arrow(arrow)
    yield (
        "pandas",
        pd.DataFrame({n: pd.Series(v, dtype=object) for n, (_, v) in table.items()}),
    )
    yield "pandas, Arrow types", arrow.to_pandas(types_mapper=pd.ArrowDtype)
    cells = np.empty((N, len(table)), dtype=object)
    for j, (_, values) in enumerate(table.values()):
        cells[:, j] = values
    yield "array", cells
    yield "rows", cells.tolist()


def outcome_of(X, names, tokens):
    """Predictions, or the refusal in place of them."""
    if not hasattr(X, "columns"):
        tokens = [names.index(name) for name in tokens]
    model = EmbeddingRegressor(
        2, (4,), categorical_features=tokens, epochs=1, random_state=0
    )
    try:
        model.fit(X, np.arange(float(N)))
    except (ValueError, TypeError) as error:
        position = {name: j for j, name in enumerate(names)}
        named = [n for n in names if repr(n) in str(error)]
        named += [n for n in names if f"column {position[n]}" in str(error)]
        assert named, error
        return named[0]
    predicted = model.predict(X)
    assert np.isfinite(predicted).all()
    return predicted


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 25,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(columns(), min_size=1, max_size=3))
def test_the_container_does_not_show(drawn):
    table = {f"{kind}{j}": (kind, v) for j, (kind, v) in enumerate(drawn)}
    names = list(table)
    tokens = [name for name, (kind, _) in table.items() if kind != "float"]
    found = {w: outcome_of(X, names, tokens) for w, X in containers(table)}
    first = found["pyarrow"]
    for way, other in found.items():
        if isinstance(first, str) or isinstance(other, str):
            assert type(first) is type(other), (way, first, other)
        else:
            np.testing.assert_array_equal(other, first, err_msg=way)
