"""SimilarityDisplay: what is measured, in which order it is drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from plot_cases import WrittenByHand, token_rows
from sklearn.metrics import pairwise_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skembed._plot import SimilarityDisplay


def fitted(n_tokens=12):
    X, y = token_rows(n_tokens, 500)
    return WrittenByHand().fit(X, y), X


def line_of_tokens(n_tokens=20, seed=0):
    """Return shuffled points on a line, whose order a good display finds again."""
    places = np.random.default_rng(seed).permutation(n_tokens)
    return np.abs(places[:, None] - places), places


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_distances_between_the_vectors(metric):
    estimator, _ = fitted()
    display = SimilarityDisplay.from_estimator(estimator, feature=0, metric=metric)
    codes = [list(estimator.categories_[0]).index(token) for token in display.tokens]
    expected = pairwise_distances(estimator.embeddings_[0][codes], metric=metric)
    np.testing.assert_allclose(display.distances, expected, atol=1e-6)
    np.testing.assert_array_equal(display.image_.get_array(), display.distances)
    assert display.text_ is None


def test_dot_product_is_dark_where_it_is_great():
    estimator, _ = fitted()
    display = SimilarityDisplay.from_estimator(estimator, feature=0, metric="dot")
    codes = [list(estimator.categories_[0]).index(token) for token in display.tokens]
    vectors = estimator.embeddings_[0][codes]
    np.testing.assert_allclose(display.distances, vectors @ vectors.T, rtol=1e-5)
    assert display.image_.get_cmap().name == "viridis_r"
    assert display.colorbar_.ax.get_ylabel() == "dot product"


def test_outcome_distance_is_the_difference_of_predictions():
    estimator, X = fitted()
    display = SimilarityDisplay.from_estimator(
        estimator, X, feature=0, metric="outcome"
    )
    codes = [list(estimator.categories_[0]).index(token) for token in display.tokens]
    # The stand-in is additive: whatever the row, the difference is that of effects.
    effects = 10.0 * estimator.embeddings_[0][codes, 0]
    np.testing.assert_allclose(
        display.distances, np.abs(effects[:, None] - effects), atol=1e-4
    )
    with pytest.raises(ValueError, match="pass X"):
        SimilarityDisplay.from_estimator(estimator, feature=0, metric="outcome")
    alone = WrittenByHand().fit(X[:, :1])
    display = SimilarityDisplay.from_estimator(alone, metric="outcome")
    assert display.distances.max() == pytest.approx(
        10 * np.ptp(alone.embeddings_[0][:, 0])
    )


@pytest.mark.parametrize("order", ["clustering", "pc1"])
def test_order_puts_near_tokens_side_by_side(order):
    distances, places = line_of_tokens()
    display = SimilarityDisplay.from_distances(distances, places, order=order)
    steps = np.abs(np.diff(display.tokens.astype(int)))
    np.testing.assert_array_equal(steps, np.ones(19))
    np.testing.assert_array_equal(np.diag(display.distances, 1), np.ones(19))
    as_it_is = SimilarityDisplay.from_distances(distances, places, order=None)
    np.testing.assert_array_equal(as_it_is.distances, distances)


def test_most_frequent_tokens_are_shown_and_it_says_so():
    estimator, X = fitted(60)
    display = SimilarityDisplay.from_estimator(estimator, feature=0)
    assert display.text_.get_text() == "40 most frequent of 60 tokens"
    counts = pd.Series(X[:, 0]).value_counts()
    assert counts[display.labels].min() >= counts.drop(display.labels).max()
    # Where X is given, its own counts decide.
    rare = X[np.isin(X[:, 0], ["t057", "t058", "t059"])]
    display = SimilarityDisplay.from_estimator(estimator, rare, feature=0, max_tokens=3)
    assert sorted(display.labels) == ["t057", "t058", "t059"]
    chosen = SimilarityDisplay.from_estimator(
        estimator, feature=0, tokens=["t001", "t002"], labels={"t001": "one"}
    )
    assert chosen.labels == ["one", "t002"]
    assert chosen.text_.get_text() == "2 of 60 tokens"


def test_labels_frame_pipeline_ax_and_keywords():
    estimator, X = fitted()
    pipeline = make_pipeline(FunctionTransformer(), estimator)
    _, ax = plt.subplots()
    display = SimilarityDisplay.from_estimator(
        pipeline,
        X,
        feature=0,
        ax=ax,
        colorbar=False,
        image_kwargs={"cmap": "cividis", "vmax": 3},
    )
    assert display.ax_ is ax
    assert display.colorbar_ is None
    assert display.image_.get_cmap().name == "cividis"
    assert display.image_.get_clim()[1] == 3
    assert [tick.get_text() for tick in ax.get_yticklabels()] == display.labels
    frame = display.frame()
    assert frame.index.tolist() == frame.columns.tolist() == display.tokens.tolist()
    np.testing.assert_array_equal(frame.to_numpy(), display.distances)


def test_names_that_have_no_room_are_left_out_and_it_says_so():
    distances, places = line_of_tokens(300)
    _, ax = plt.subplots(figsize=(4, 4))
    display = SimilarityDisplay.from_distances(distances, places, ax=ax)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    step = int(np.ceil(300 / len(names)))
    assert step > 1
    assert names == display.labels[::step]
    assert display.text_.get_text() == f"one name in {step} is written"


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="distances of 3 tokens have the shape"):
        SimilarityDisplay.from_distances([[0, 1], [1, 0]], ["a", "b", "c"])
    with pytest.raises(ValueError, match="order must be"):
        SimilarityDisplay.from_distances([[0, 1], [1, 0]], ["a", "b"], order="size")
