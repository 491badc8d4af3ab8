"""Exports: word2vec files for gensim, TensorBoard's projector, data frames."""

import numpy as np
import pytest
from export_cases import AWKWARD, GivenVectors, fitted_on_two_columns
from gensim.models import KeyedVectors
from numpy.testing import assert_array_equal
from sklearn.linear_model import LinearRegression

from skembed import EmbeddingRegressor, TokenSimilarity
from skembed.export import (
    keyed_vectors_name,
    to_frame,
    to_keyed_vectors,
    to_projector,
    token_from_keyed_vectors_name,
)


@pytest.fixture(scope="module")
def awkward():
    """Return an estimator whose tokens are hard to write into a text file."""
    return GivenVectors(AWKWARD).fit()


@pytest.fixture(scope="module")
def two_columns():
    """Return an estimator fitted on two token columns."""
    return fitted_on_two_columns()


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


def test_a_token_without_a_name_leaves_the_old_file(tmp_path):
    path = tmp_path / "vectors"
    path.write_bytes(b"old")
    with pytest.raises(TypeError, match=r"The token \(1, 2\) is a tuple"):
        to_keyed_vectors(GivenVectors(["a", (1, 2)]).fit(), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_token_makes_a_short_message(tmp_path):
    estimator = GivenVectors([("x" * 10**6,)]).fit()
    with pytest.raises(TypeError, match="is a tuple") as error:
        to_keyed_vectors(estimator, tmp_path / "x")
    assert len(str(error.value)) < 2_000


def test_without_a_column_of_tokens_there_is_nothing_to_write(tmp_path):
    model = EmbeddingRegressor(2, epochs=1, random_state=0)
    model.fit([[0.5], [1.5]] * 10, [0.5, 1.5] * 10)
    for export in (
        lambda: to_keyed_vectors(model, tmp_path / "x"),
        lambda: to_projector(model, tmp_path / "y"),
        lambda: to_frame(model),
    ):
        with pytest.raises(ValueError, match="without a token column.*categorical_f"):
            export()
    assert not list(tmp_path.iterdir())


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
