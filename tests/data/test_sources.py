"""What a source is, and what it gives."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from skembed import _settings as settings
from skembed._data.labelled import Labelled
from skembed._data.sources import is_source, source_of


class Tables:
    def __init__(self, *tables):
        self.tables = tables

    def __iter__(self):
        return iter(self.tables)


FRAME = pd.DataFrame(
    {
        "colour": ["red", "green", "blue", None] * 25,
        "size": np.arange(100) % 7,
        "weight": np.linspace(0, 1, 100),
        "y": np.arange(100.0),
    }
)


@pytest.fixture
def folder(tmp_path):
    for i in range(3):
        part = FRAME[i * 40 : (i + 1) * 40]
        part.to_parquet(tmp_path / f"{i}.parquet", row_group_size=15)
    return tmp_path


def sources(folder):
    files = sorted(folder.glob("*.parquet"))
    return {
        "path": str(folder),
        "Path": folder,
        "files": [str(file) for file in files],
        "Paths": tuple(files),
        "dataset": ds.dataset(folder),
        "lazy": pl.scan_parquet(files),
        "pandas": Tables(FRAME[:30], FRAME[30:]),
        "polars": Tables(pl.from_pandas(FRAME)),
        "arrow": [pa.Table.from_pandas(FRAME[:50]), pa.Table.from_pandas(FRAME[50:])],
    }


KINDS = [
    *("path", "Path", "files", "Paths", "dataset", "lazy", "pandas", "polars", "arrow")
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_its_rows_again_and_again(kind, folder, monkeypatch):
    monkeypatch.setattr(settings, "CHUNK_ROWS", 32)
    monkeypatch.setattr(settings, "BATCH_ROWS", 10)
    X = sources(folder)[kind]
    assert is_source(X)
    source = source_of(X)
    assert source.names == list(FRAME)
    for _ in range(2):
        tables = list(source.tables(["y", "colour"]))
        assert all(0 < len(table) <= 32 for table in tables)
        values = np.concatenate([np.asarray(table["y"]) for table in tables])
        np.testing.assert_array_equal(values, FRAME["y"])


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_wide_tables_have_fewer_rows(kind, folder, monkeypatch):
    monkeypatch.setattr(settings, "PIECE_CELLS", 40)
    source = source_of(sources(folder)[kind])
    assert max(len(table) for table in source.tables()) == 10
    assert max(len(table) for table in source.tables(["y"])) == 40


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_it_in_memory(kind, folder):
    rows = Labelled.of(sources(folder)[kind], "y", "weight")
    table, y, weights = rows.whole()
    np.testing.assert_array_equal(y, FRAME["y"])
    np.testing.assert_array_equal(weights, FRAME["weight"])
    assert rows.features == ["colour", "size"]
    assert len(table) == 100


@pytest.mark.parametrize("name", [None, "id"])
def test_the_index_of_a_data_frame_is_no_column(name, tmp_path):
    frame = FRAME.sample(frac=1.0, random_state=0).rename_axis(name)
    frame.to_parquet(tmp_path / "shuffled.parquet")
    source = source_of(tmp_path / "shuffled.parquet")
    assert source.names == list(FRAME)
    (table,) = source.tables()
    np.testing.assert_array_equal(np.asarray(table["y"]), frame["y"])


def test_too_many_rows_are_not_read(folder, monkeypatch):
    monkeypatch.setattr(settings, "IN_MEMORY_CELLS", 100 * 3)
    assert Labelled.of(folder, "y", None).whole() is not None
    monkeypatch.setattr(settings, "IN_MEMORY_CELLS", 100 * 3 - 1)
    assert Labelled.of(folder, "y", None).whole() is None


@pytest.mark.parametrize(
    "X",
    [
        *(FRAME, pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME)),
        *(FRAME["y"], FRAME.to_numpy(), FRAME.to_numpy().tolist()),
        *([["red"], ["green"]], ["red", "green"], [], (), None, 3, {"a": [1]}),
        pl.from_pandas(FRAME)["y"],
    ],
)
def test_what_is_no_source(X):
    assert not is_source(X)


def test_a_generator_is_refused():
    with pytest.raises(TypeError, match="once only"):
        source_of(table for table in [FRAME])


def test_a_polars_that_cannot_read_in_pieces(monkeypatch):
    query = pl.from_pandas(FRAME).lazy()
    monkeypatch.delattr(pl.LazyFrame, "collect_batches")
    with pytest.raises(ImportError, match="polars 1.34 or newer"):
        source_of(query)


@pytest.mark.parametrize("X", [Tables(FRAME.to_numpy()), Tables(1), {1, 2}, range(3)])
def test_what_gives_no_tables_is_refused(X):
    with pytest.raises(TypeError, match="data frames"):
        source_of(X)


def test_no_tables_at_all_are_refused(tmp_path):
    with pytest.raises(ValueError, match="gives no tables"):
        source_of(Tables())
    with pytest.raises(FileNotFoundError, match="no Parquet file"):
        source_of(tmp_path)
    empty = Labelled.of(Tables(FRAME[:0]), "y", None)
    with pytest.raises(ValueError, match="holds no rows"):
        empty.whole()


def test_a_path_that_leads_nowhere():
    with pytest.raises(FileNotFoundError, match="no file .*nowhere.parquet"):
        source_of(["nowhere.parquet"])


def test_names_of_columns():
    with pytest.raises(TypeError, match="y must be the name"):
        Labelled.of([FRAME], FRAME["y"], None)
    with pytest.raises(TypeError, match="sample_weight must be the name"):
        Labelled.of([FRAME], "y", np.ones(100))
    with pytest.raises(ValueError, match="no column 'z'; its columns are 'colour'"):
        Labelled.of([FRAME], "z", None)
    with pytest.raises(ValueError, match="no columns beside"):
        Labelled.of([FRAME[["y"]]], "y", None)
    rows = Labelled.of([FRAME], ["y", "size"], None)
    assert rows.whole()[1].shape == (100, 2)


def test_a_later_file_without_a_column_is_named(folder):
    pq.write_table(pa.Table.from_pandas(FRAME[["size", "y"]]), folder / "3.parquet")
    with pytest.raises(ValueError, match=r"3\.parquet has no column 'colour'"):
        list(source_of(folder).tables(["y", "colour"]))
    with pytest.raises(ValueError, match="Table 2 of X, a Tables has no column"):
        list(source_of(Tables(FRAME, FRAME[["y"]])).tables(["colour"]))


def test_a_corrupt_row_group_is_named(folder):
    file = folder / "1.parquet"
    content = bytearray(file.read_bytes())
    content[4:400] = b"\xff" * 396
    file.write_bytes(content)
    with pytest.raises(OSError, match=r"The file .*1\.parquet could not be read"):
        list(source_of(folder).tables())


def test_a_file_that_vanishes_is_named(folder):
    source = source_of(folder)
    (folder / "2.parquet").unlink()
    with pytest.raises(OSError, match=r"The file .*2\.parquet could not be read"):
        list(source.tables())
