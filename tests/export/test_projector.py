"""Files for the projector of TensorBoard."""

import ast
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from export_cases import AWKWARD, GivenVectors, fitted_on_two_columns
from google.protobuf import text_format
from numpy.testing import assert_array_equal
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import Client
from werkzeug.wrappers import Response

from skembed.export import to_projector


@pytest.fixture(scope="module")
def awkward():
    """Return an estimator whose tokens are hard to write into a text file."""
    return GivenVectors(AWKWARD).fit()


@pytest.fixture(scope="module")
def two_columns():
    """Return an estimator fitted on two token columns."""
    return fitted_on_two_columns()


def read_config(folder):
    """Parse the written config with TensorBoard's own message type."""
    text = (folder / "projector_config.pbtxt").read_text()
    return text_format.Parse(text, ProjectorConfig())


def test_projector_config_is_what_tensorboard_reads(awkward, tmp_path):
    folder = to_projector(awkward, tmp_path / "deep" / "projector")
    (embedding,) = read_config(folder).embeddings
    assert embedding.tensor_name == "x0"
    assert list(embedding.tensor_shape) == [len(AWKWARD), 3]
    tensors = np.loadtxt(folder / embedding.tensor_path, delimiter="\t", dtype="f4")
    assert_array_equal(tensors, awkward.embeddings_[0])
    text = (folder / embedding.metadata_path).read_bytes().decode("utf-8")
    rows = [line.split("\t") for line in text.split("\n")]
    assert rows.pop() == [""]
    assert rows[0] == ["token", "count"]
    assert len(rows) == len(AWKWARD) + 1 and {len(row) for row in rows} == {2}
    assert rows[1 + AWKWARD.index("tab\there")][0] == "tab\\there"
    assert rows[1 + AWKWARD.index("größe")] == ["größe", "9"]


def test_tensorboards_plugin_serves_the_files(two_columns, tmp_path):
    folder = to_projector(two_columns, tmp_path)
    provider = SimpleNamespace(list_runs=lambda ctx, experiment_id: [])
    plugin = ProjectorPlugin(TBContext(logdir=str(folder), data_provider=provider))
    apps = plugin.get_plugin_apps()

    def get(route, **query):
        return Client(apps[route], Response).get(
            "/", query_string={"run": ".", **query}
        )

    assert get("/runs").json == ["."]
    names = [e["tensorName"] for e in get("/info").json["embeddings"]]
    assert names == ['a "b"\n', "n"]
    tensor = np.frombuffer(get("/tensor", name="n").data, dtype=np.float32)
    assert_array_equal(tensor.reshape(3, 2), two_columns.embeddings_[1])
    metadata = get("/metadata", name='a "b"\n').data.decode().splitlines()
    assert [line.split("\t")[0] for line in metadata] == ["token", "x", "y z"]


def test_projector_takes_more_columns(awkward, tmp_path):
    n = len(AWKWARD)
    more = {"group": ["a\tb"] * n, "effect": np.arange(n) / 2}
    for name, metadata in (("dict", more), ("frame", pd.DataFrame(more))):
        folder = to_projector(awkward, tmp_path / name, metadata=metadata)
        rows = (folder / "metadata.tsv").read_text("utf-8").split("\n")
        assert rows[0].split("\t") == ["token", "count", "group", "effect"]
        assert rows[2].split("\t")[1:] == ["2", "a\\tb", "0.5"]
    with pytest.raises(ValueError, match="'group' has 1 values for the"):
        to_projector(awkward, tmp_path, metadata={"group": ["a"]})
    with pytest.raises(ValueError, match="must not have a column 'count'"):
        to_projector(awkward, tmp_path, metadata={"count": more["group"]})


GENERATOR = {"m": iter([1, 2, 3])}


@pytest.mark.parametrize(
    ("metadata", "error", "message"),
    [
        (b"a", TypeError, "metadata must be a dict.*got b'a', a bytes"),
        ("group", TypeError, "metadata must be a dict"),
        ([1, 2, 3], TypeError, "metadata must be a dict"),
        (5, TypeError, "metadata must be a dict"),
        (np.ones((3, 1)), TypeError, "metadata must be a dict"),
        ({"m": "abc"}, TypeError, "'m' must be a list.*got 'abc'"),
        ({"m": b"abc"}, TypeError, "'m' must be a list"),
        ({"m": 5}, TypeError, "'m' must be a list"),
        ({"m": {"a": 1, "b": 2, "c": 3}}, TypeError, "'m' must be a list"),
        ({"m": {1, 2, 3}}, TypeError, "'m' must be a list"),
        (GENERATOR, TypeError, "'m' must be a list"),
        ({"m": np.ones((3, 2))}, TypeError, "'m' must be a list"),
        ({"m": []}, ValueError, "'m' has 0 values for the 3 tokens"),
        ({"token": [1, 2, 3]}, ValueError, "must not have a column 'token'"),
        (pd.DataFrame(np.ones((3, 2)), columns=["m", "m"]), ValueError, "several"),
    ],
)
def test_projector_refuses_metadata_that_is_none(metadata, error, message, tmp_path):
    estimator = GivenVectors(["a", "b", "c"]).fit()
    with pytest.raises(error, match=message):
        to_projector(estimator, tmp_path / "folder", metadata=metadata)
    assert not list(tmp_path.iterdir())


def test_projector_takes_tables_of_every_kind(tmp_path):
    estimator = GivenVectors(["a", "b"]).fit()
    data = {"m": [1.5, 2.5]}
    tables = data, pd.DataFrame(data), pl.DataFrame(data), pa.table(data)
    for table in tables:
        folder = to_projector(estimator, tmp_path, metadata=table)
        rows = (folder / "metadata.tsv").read_text("utf-8").splitlines()
        assert rows == ["token\tcount\tm", "a\t1\t1.5", "b\t2\t2.5"]


def cells(tokens, folder):
    """Return the cells of the tokens in metadata.tsv."""
    text = (to_projector(GivenVectors(tokens).fit(), folder) / "metadata.tsv").open(
        encoding="utf-8", newline=""
    )
    with text:
        return [line.split("\t")[0] for line in text.read().split("\n")[1:-1]]


def test_no_line_end_of_any_kind_is_left_in_a_cell(tmp_path):
    ends = [
        character
        for character in map(chr, range(0x110000))
        if len(f"a{character}b".splitlines()) > 1
    ]
    assert {"\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"} <= set(ends)
    tokens = [f"a{end}b" for end in [*ends, "\0", "\t", "\\", "\ud800", "\x7f"]]
    written = cells(tokens, tmp_path)
    assert all(len(cell.splitlines()) == 1 for cell in written)
    assert "\x00" not in "".join(written)
    # the way back is Python's own
    assert [ast.literal_eval(f"'{cell}'") for cell in written] == tokens


def test_cells_are_no_formulas_and_numbers_are_left_alone(tmp_path):
    formulas = [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\uff1d1",
        "-",
        "=",
        "+",
    ]
    tokens = [
        *formulas,
        -7,
        -2.5,
        float("-inf"),
        "-7",
        "+49",
        "-1e-3",
        "a=b",
        "'=1",
        " =1",
    ]
    written = cells(tokens, tmp_path)
    assert written[: len(formulas)] == [f"\\{formula}" for formula in formulas]
    assert written[len(formulas) :] == list(map(str, tokens[len(formulas) :]))
    names = {"=title": [0]}
    folder = to_projector(GivenVectors(["a"]).fit(), tmp_path, metadata=names)
    header, row = (folder / "metadata.tsv").read_text().splitlines()
    assert header.split("\t")[2] == "\\=title"
    # an own backslash is doubled, so the two cannot be taken for one another
    assert cells(["\\=1", "=1"], tmp_path) == ["\\\\=1", "\\=1"]
    tensors = (folder / "tensors.tsv").read_text()
    assert "\\" not in tensors


def test_columns_of_one_name_are_told_apart(tmp_path):
    twice = GivenVectors(["a", "b"]).fit()
    for name in ("categories_", "embeddings_", "embeddings_std_", "category_counts_"):
        setattr(twice, name, getattr(twice, name) * 2)
    twice.is_categorical_ = np.array([True, False, True])
    twice.feature_names_in_ = np.array(["n", "m", "n"], dtype=object)
    names = [
        e.tensor_name for e in read_config(to_projector(twice, tmp_path)).embeddings
    ]
    assert names == ["n (0)", "n (2)"]


class Grim:
    """A value that cannot be written."""

    def __str__(self):
        raise RuntimeError("no text")


def test_projector_leaves_the_old_files_where_anything_goes_wrong(tmp_path):
    estimator = GivenVectors(["a", "b"]).fit()
    folder = to_projector(estimator, tmp_path)

    def contents():
        return {path: path.read_bytes() for path in folder.iterdir()}

    before = contents()
    with pytest.raises(RuntimeError, match="no text"):
        to_projector(estimator, tmp_path, metadata={"m": ["a", Grim()]})
    assert contents() == before
    other = GivenVectors(["c", "d", "e"]).fit()
    (folder / "projector_config.pbtxt").unlink()
    (folder / "projector_config.pbtxt").mkdir()
    with pytest.raises(IsADirectoryError, match="projector_config"):
        to_projector(other, tmp_path)
    (folder / "projector_config.pbtxt").rmdir()
    del before[folder / "projector_config.pbtxt"]
    assert contents() == before


def test_projector_metadata_needs_one_column(two_columns, tmp_path):
    with pytest.raises(ValueError, match="pick one by feature="):
        to_projector(two_columns, tmp_path, metadata={"m": [1, 2, 3]})
    folder = to_projector(two_columns, tmp_path, feature="n", metadata={"m": [4, 5, 6]})
    assert (folder / "metadata.tsv").read_text().splitlines()[1].endswith("\t4")
