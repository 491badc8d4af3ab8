"""Exports: word2vec files for gensim, TensorBoard's projector, data frames."""

import datetime
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from gensim.models import KeyedVectors
from google.protobuf import text_format
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import Client
from werkzeug.wrappers import Response

from skembed import EmbeddingRegressor, TokenSimilarity
from skembed.export import (
    keyed_vectors_name,
    to_frame,
    to_keyed_vectors,
    to_projector,
    token_from_keyed_vectors_name,
)

AWKWARD = [
    "",
    " ",
    "New York",
    "tab\there",
    "line\nend\r\n",
    "100%",
    "%20",
    "%int:3",
    "größe",
    "東京 都",
    "😀",
    "\u00a0\u2028\ufeff",
    "a/b\\c\"d'",
    "\ud800",
    "None",
    "nan",
    "3",
    3,
    -7,
    2**70,
    2.5,
    float("inf"),
    True,
    b"by\x00tes",
    Decimal("1.10"),
    datetime.date(2020, 2, 29),
    datetime.datetime(2020, 2, 29, 1, 2, 3, 4),
    datetime.time(23, 59),
    None,
]


class GivenVectors(BaseEstimator):
    """An estimator that has the fitted attributes for given tokens."""

    def __init__(self, tokens=()):
        self.tokens = tokens

    def fit(self, X=None, y=None):
        """Give every token a random vector of three numbers."""
        rng = np.random.default_rng(0)
        tokens = np.empty(len(self.tokens), dtype=object)
        tokens[:] = self.tokens
        shape = (len(tokens), 3)
        self.categories_ = [tokens]
        self.embeddings_ = [rng.normal(size=shape).astype(np.float32)]
        self.embeddings_std_ = [rng.uniform(size=shape).astype(np.float32)]
        self.category_counts_ = [np.arange(1.0, len(tokens) + 1)]
        self.is_categorical_ = np.array([True])
        return self


@pytest.fixture(scope="module")
def awkward():
    """Return an estimator whose tokens are hard to write into a text file."""
    return GivenVectors(AWKWARD).fit()


@pytest.fixture(scope="module")
def two_columns():
    """Return an estimator fitted on two token columns."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {'a "b"\n': rng.choice(["x", "y z"], 60), "n": rng.choice([1, 2, 3], 60)}
    )
    y = X["n"] + rng.normal(size=60)
    model = EmbeddingRegressor(2, categorical_features="all", epochs=2, random_state=0)
    return model.fit(X, y)


# --- names


@pytest.mark.parametrize("token", AWKWARD, ids=lambda t: ascii(t))
def test_name_has_an_exact_way_back(token):
    name = keyed_vectors_name(token)
    assert name and name == name.strip() and len(name.split()) == 1
    name.encode("utf-8")
    back = token_from_keyed_vectors_name(name)
    assert back == token
    assert type(back) is type(token)


@pytest.mark.parametrize(
    ("token", "back"),
    [
        (np.int64(4), 4),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.bool_(False), False),
        (np.str_("x y"), "x y"),
        (pd.Timestamp("2020-01-01 00:00:00.123456789"), None),
        (np.datetime64("2020-01-01", "D"), None),
        (np.timedelta64(5, "s"), None),
        (pd.Timedelta("1s"), np.timedelta64(1, "s")),
    ],
    ids=str,
)
def test_name_of_numpy_and_pandas_scalars(token, back):
    found = token_from_keyed_vectors_name(keyed_vectors_name(token))
    assert found == (token if back is None else back)


def test_names_of_missing_values():
    assert np.isnan(token_from_keyed_vectors_name(keyed_vectors_name(np.nan)))
    assert token_from_keyed_vectors_name(keyed_vectors_name(pd.NA)) is pd.NA
    assert np.isnat(token_from_keyed_vectors_name(keyed_vectors_name(pd.NaT)))
    assert np.isnat(
        token_from_keyed_vectors_name(keyed_vectors_name(np.timedelta64("NaT", "s")))
    )
    assert keyed_vectors_name(None) == "%none:"


def test_names_differ_and_plain_strings_are_their_own():
    assert len({keyed_vectors_name(t) for t in AWKWARD}) == len(AWKWARD)
    for token in ("red", "größe", "a/b", "x:y", "naïve_1-2"):
        assert keyed_vectors_name(token) == token


def test_names_that_cannot_be_are_refused():
    with pytest.raises(TypeError, match="is a tuple.*strings before fit"):
        keyed_vectors_name((1, 2))
    with pytest.raises(ValueError, match="unknown type 'complex'"):
        token_from_keyed_vectors_name("%complex:1j")


# --- word2vec


@pytest.mark.parametrize("binary", [True, False])
def test_gensim_reloads_every_token_and_vector(awkward, tmp_path, binary):
    path = to_keyed_vectors(awkward, tmp_path / "tokens", binary=binary)
    kv = KeyedVectors.load_word2vec_format(path, binary=binary)
    assert_array_equal(kv.vectors, awkward.embeddings_[0])
    tokens = [token_from_keyed_vectors_name(name) for name in kv.index_to_key]
    assert tokens == AWKWARD
    assert list(map(type, tokens)) == list(map(type, AWKWARD))
    row = AWKWARD.index("New York")
    vector = kv[keyed_vectors_name("New York")]
    assert_array_equal(vector, awkward.embeddings_[0][row])


@pytest.mark.parametrize("binary", [True, False])
def test_gensim_reloads_more_than_one_chunk(tmp_path, binary):
    # gensim reads binary files in pieces of 100 kB, and 3,000 names fill two
    tokens = [f"token number {i}" for i in range(8_000)]
    estimator = GivenVectors(tokens).fit()
    path = to_keyed_vectors(estimator, str(tmp_path / "many"), binary=binary)
    kv = KeyedVectors.load_word2vec_format(path, binary=binary)
    assert [token_from_keyed_vectors_name(n) for n in kv.index_to_key] == tokens
    assert_array_equal(kv.vectors, estimator.embeddings_[0])


def test_gensim_reloads_missing_numbers_and_dates(tmp_path):
    for column in (
        np.array([1.5, 2.5, np.nan]),
        np.array([1, 2, 3]),
        np.array([False, True]),
        np.array(["2020-01-01", "2021-06-01"], dtype="datetime64[us]"),
    ):
        estimator = GivenVectors(range(len(column))).fit()
        estimator.categories_ = [column]
        path = to_keyed_vectors(estimator, tmp_path / "v.bin")
        kv = KeyedVectors.load_word2vec_format(path, binary=True)
        tokens = [token_from_keyed_vectors_name(name) for name in kv.index_to_key]
        assert_array_equal(np.array(tokens, dtype=column.dtype), column)


def test_keyed_vectors_of_one_of_several_columns(two_columns, tmp_path):
    with pytest.raises(ValueError, match="2 token columns.*feature="):
        to_keyed_vectors(two_columns, tmp_path / "x")
    path = to_keyed_vectors(two_columns, tmp_path / "x", feature="n")
    kv = KeyedVectors.load_word2vec_format(path, binary=True)
    assert kv.index_to_key == ["%int:1", "%int:2", "%int:3"]
    assert_array_equal(kv.vectors, two_columns.embeddings_[1])


def test_similarity_is_exported_by_its_estimator(tmp_path):
    X, y = [["a"], ["b"], ["c"]] * 20, [0.5, 1.0, 5.0] * 20
    similarity = TokenSimilarity(random_state=0).fit(X, y)
    path = to_keyed_vectors(similarity, tmp_path / "x")
    kv = KeyedVectors.load_word2vec_format(path, binary=True)
    assert kv.index_to_key == ["a", "b", "c"]
    assert_array_equal(kv.vectors, similarity.estimator_.embedding_)


def test_estimator_without_vectors_is_refused(tmp_path):
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    for export in (
        lambda: to_keyed_vectors(model, tmp_path / "x"),
        lambda: to_projector(model, tmp_path / "y"),
        lambda: to_frame(model),
    ):
        with pytest.raises(TypeError, match="LinearRegression has no fitted attribute"):
            export()


# --- projector


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


def test_projector_metadata_needs_one_column(two_columns, tmp_path):
    with pytest.raises(ValueError, match="pick one by feature="):
        to_projector(two_columns, tmp_path, metadata={"m": [1, 2, 3]})
    folder = to_projector(two_columns, tmp_path, feature="n", metadata={"m": [4, 5, 6]})
    assert (folder / "metadata.tsv").read_text().splitlines()[1].endswith("\t4")


# --- frame


def test_frame_holds_tokens_counts_vectors_and_spreads(awkward):
    frame = to_frame(awkward)
    assert list(frame.index) == AWKWARD
    assert frame.index.name == "x0"
    vectors = [f"embedding_{k}" for k in range(3)]
    spreads = [f"std_{k}" for k in range(3)]
    assert list(frame.columns) == ["count", *vectors, *spreads]
    assert_array_equal(frame[vectors], awkward.embeddings_[0])
    assert_array_equal(frame[spreads], awkward.embeddings_std_[0])
    assert_array_equal(frame["count"], awkward.category_counts_[0])
    assert frame["embedding_0"].dtype == np.float32


def test_frame_of_a_fitted_estimator(two_columns):
    frame = to_frame(two_columns, feature=1)
    assert frame.index.name == "n"
    assert_array_equal(frame.index, [1, 2, 3])
    assert frame["count"].sum() == 60
    with pytest.raises(ValueError, match="feature='m' is no token column"):
        to_frame(two_columns, feature="m")


def test_frame_without_posterior_has_no_spreads():
    model = EmbeddingRegressor(2, prior=None, epochs=1, random_state=0)
    frame = to_frame(model.fit([["a"], ["b"]] * 10, [0.5, 1.5] * 10))
    assert list(frame.columns) == ["count", "embedding_0", "embedding_1"]
