"""EmbeddingDisplay: places, sizes, colours, ellipses and labels of the map."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from plot_cases import WrittenByHand, token_rows
from sklearn.decomposition import PCA, FactorAnalysis, TruncatedSVD
from sklearn.manifold import MDS
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skembed._plot import EmbeddingDisplay


@pytest.fixture(name="estimator")
def fitted():
    X, y = token_rows(40, 1_000)
    frame = pd.DataFrame(X, columns=["token", "color", "size"])
    return WrittenByHand().fit(frame, y)


def test_places_are_the_principal_components(estimator):
    display = EmbeddingDisplay.from_estimator(estimator, feature="token")
    expected = PCA(2).fit_transform(estimator.embeddings_[0].astype(np.float64))
    np.testing.assert_allclose(display.coordinates, expected)
    np.testing.assert_allclose(display.scatter_.get_offsets(), expected)
    shares = PCA(2).fit(estimator.embeddings_[0]).explained_variance_ratio_
    assert display.ax_.get_xlabel() == f"PC 1 ({100 * shares[0]:.0f} % of the variance)"
    assert display.text_ is None
    assert display.figure_ is display.ax_.figure


def test_sizes_grow_with_counts_and_colours_are_effects(estimator):
    display = EmbeddingDisplay.from_estimator(estimator, feature="token")
    counts = estimator.category_counts_[0]
    sizes = display.scatter_.get_sizes()
    np.testing.assert_allclose(np.corrcoef(sizes, counts)[0, 1], 1)
    np.testing.assert_array_equal(
        display.scatter_.get_array(), estimator.embeddings_[0][:, 0]
    )
    assert "first-order effect" in display.colorbar_.ax.get_ylabel()
    assert display.legend_.get_title().get_text() == "rows per token"
    plain = EmbeddingDisplay.from_estimator(
        estimator, feature="token", effects=None, legend=False
    )
    assert plain.scatter_.get_array() is None
    assert plain.colorbar_ is None
    assert plain.legend_ is None


def test_single_column_is_coloured_by_its_prediction():
    X, y = token_rows(6, 100)
    estimator = WrittenByHand().fit(X[:, :1], y)
    display = EmbeddingDisplay.from_estimator(estimator)
    expected = estimator.predict(estimator.categories_[0][:, None])
    np.testing.assert_allclose(display.effects, expected)
    assert display.colorbar_.ax.get_ylabel() == "predicted outcome"


def test_effects_of_your_own(estimator):
    tokens = estimator.categories_[0]
    by_token = EmbeddingDisplay.from_estimator(
        estimator,
        feature="token",
        effects={token: j for j, token in enumerate(tokens)},
        effect_name="rank",
    )
    np.testing.assert_array_equal(by_token.effects, np.arange(len(tokens)))
    assert by_token.colorbar_.ax.get_ylabel() == "rank"
    in_order = EmbeddingDisplay.from_estimator(
        estimator, feature="token", effects=np.arange(len(tokens)), max_tokens=5
    )
    expected = [list(tokens).index(token) for token in in_order.tokens]
    np.testing.assert_array_equal(in_order.effects, expected)


def test_without_prior_the_first_coordinate_is_no_effect(estimator):
    estimator.prior = None
    display = EmbeddingDisplay.from_estimator(estimator, feature="token")
    assert display.effects is None


def test_ellipses_are_the_projected_posterior(estimator):
    display = EmbeddingDisplay.from_estimator(estimator, feature="token", level=0.5)
    components = PCA(2).fit(estimator.embeddings_[0].astype(np.float64)).components_
    variances = estimator.embeddings_std_[0][7].astype(np.float64) ** 2
    expected = components @ np.diag(variances) @ components.T
    np.testing.assert_allclose(display.covariances[7], expected)

    ellipses = display.ellipses_
    assert len(ellipses.get_offsets()) == 40
    # Draws of the posterior fall into the ellipse as often as its level says.
    draws = np.random.default_rng(0).multivariate_normal([0, 0], expected, 20_000)
    angle = np.radians(ellipses.get_angles()[7])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    half = np.array([ellipses.get_widths()[7], ellipses.get_heights()[7]]) / 2
    inside = (((draws @ turn.T) / half) ** 2).sum(axis=1) <= 1
    assert inside.mean() == pytest.approx(0.5, abs=0.02)

    none = EmbeddingDisplay.from_estimator(
        estimator, feature="token", uncertainty=False
    )
    assert none.ellipses_ is None


def test_whitened_components_scale_the_ellipses_too(estimator):
    plain = EmbeddingDisplay.from_estimator(estimator, feature="token")
    white = EmbeddingDisplay.from_estimator(
        estimator, feature="token", reducer=PCA(2, whiten=True)
    )
    scale = white.coordinates.std(axis=0) / plain.coordinates.std(axis=0)
    np.testing.assert_allclose(
        white.covariances, plain.covariances * np.outer(scale, scale), rtol=1e-6
    )


def test_other_reducers_have_places_but_no_ellipses(estimator):
    display = EmbeddingDisplay.from_estimator(
        estimator,
        feature="token",
        reducer=MDS(2, random_state=0, n_init=1, init="random"),
    )
    assert display.coordinates.shape == (40, 2)
    assert display.ellipses_ is None
    assert display.ax_.get_xlabel() == "MDS 1"


def test_components_that_are_not_the_map_make_no_ellipses(estimator):
    factors = EmbeddingDisplay.from_estimator(
        estimator, feature="token", reducer=FactorAnalysis(2)
    )
    assert factors.ellipses_ is None
    linear = EmbeddingDisplay.from_estimator(
        estimator, feature="token", reducer=TruncatedSVD(2, random_state=0)
    )
    assert linear.ellipses_ is not None
    assert linear.ax_.get_ylabel() == "TruncatedSVD 2"


def test_labels_overlap_neither_each_other_nor_points():
    rng = np.random.default_rng(0)
    tokens = [f"token number {j}" for j in range(150)]
    display = EmbeddingDisplay.from_vectors(
        rng.normal(size=(150, 3)), tokens, counts=rng.permutation(150) + 1.0
    )
    display.figure_.draw_without_rendering()
    boxes = [super(type(label), label).get_window_extent() for label in display.labels_]
    assert 10 < len(boxes) < 150
    overlaps = [a.overlaps(b) for a, b in itertools.combinations(boxes, 2)]
    assert not any(overlaps)
    pixels = display.ax_.transData.transform(display.coordinates)
    inside = [box.contains(*pixel) for box in boxes for pixel in pixels]
    assert not any(inside)
    axes = display.ax_.get_window_extent().padded(1)
    assert all(axes.contains(*corner) for box in boxes for corner in box.corners())


def test_the_most_frequent_token_is_labelled_first():
    vectors = np.zeros((3, 3))
    vectors[2] = 1
    display = EmbeddingDisplay.from_vectors(
        vectors, ["rare", "frequent", "far"], counts=[1, 100, 1], max_labels=1
    )
    assert [label.get_text() for label in display.labels_] == ["frequent"]


def test_crowds_keep_the_ellipses_of_labelled_tokens():
    rng = np.random.default_rng(0)
    display = EmbeddingDisplay.from_vectors(
        rng.normal(size=(200, 3)), np.arange(200), stds=np.ones((200, 3)), max_labels=30
    )
    assert len(display.ellipses_.get_offsets()) == len(display.labels_) <= 30


def test_one_coordinate_is_drawn_on_a_line():
    display = EmbeddingDisplay.from_vectors(
        [[1.0], [3.0]], ["a", "b"], stds=[[0.1], [0.2]]
    )
    np.testing.assert_array_equal(display.coordinates, [[1, 0], [3, 0]])
    np.testing.assert_allclose(display.covariances[1], [[0.04, 0], [0, 0]])
    assert len(display.ax_.get_yticks()) == 0


def test_frame_chosen_tokens_and_pipeline(estimator):
    pipeline = make_pipeline(FunctionTransformer(), estimator)
    display = EmbeddingDisplay.from_estimator(
        pipeline, feature="token", max_tokens=10, labels=str.upper
    )
    assert display.text_.get_text() == "10 most frequent of 40 tokens"
    frame = display.frame()
    assert frame.columns.tolist() == [
        "token",
        "label",
        "x",
        "y",
        "count",
        "effect",
        "x_std",
        "y_std",
        "xy_correlation",
    ]
    assert frame["label"].tolist() == frame["token"].str.upper().tolist()
    counts = np.sort(estimator.category_counts_[0])
    np.testing.assert_array_equal(np.sort(frame["count"]), counts[-10:])
    assert frame["xy_correlation"].abs().max() <= 1
    two = EmbeddingDisplay.from_estimator(
        pipeline, feature="token", tokens=["t003", "t001"]
    )
    assert two.tokens.tolist() == ["t003", "t001"]


def test_ax_and_keywords(estimator):
    _, ax = plt.subplots()
    display = EmbeddingDisplay.from_estimator(
        estimator,
        feature="token",
        ax=ax,
        colorbar=False,
        scatter_kwargs={"s": 9, "cmap": "cividis"},
        ellipse_kwargs={"facecolor": "none"},
        label_kwargs={"fontsize": 5},
    )
    assert display.ax_ is ax
    assert display.colorbar_ is None
    np.testing.assert_array_equal(display.scatter_.get_sizes(), [9])
    assert display.scatter_.get_cmap().name == "cividis"
    assert len(display.ellipses_.get_facecolor()) == 0
    assert {label.get_fontsize() for label in display.labels_} == {5}
    red = EmbeddingDisplay.from_estimator(
        estimator, feature="token", scatter_kwargs={"color": "red"}
    )
    np.testing.assert_array_equal(red.scatter_.get_facecolor()[0], [1, 0, 0, 1])


def test_errors_say_what_is_wrong(estimator):
    with pytest.raises(ValueError, match="level must be strictly between 0 and 1"):
        EmbeddingDisplay.from_estimator(estimator, feature="token", level=1.0)
    with pytest.raises(ValueError, match="reducer must return two columns"):
        EmbeddingDisplay.from_estimator(estimator, feature="token", reducer=PCA(3))
    with pytest.raises(ValueError, match="one number for each of the 40 tokens"):
        EmbeddingDisplay.from_estimator(estimator, feature="token", effects=[1.0])
    with pytest.raises(ValueError, match="effects must be 'auto'"):
        EmbeddingDisplay.from_estimator(estimator, feature="token", effects="mean")
    with pytest.raises(ValueError, match="was not seen"):
        EmbeddingDisplay.from_estimator(estimator, feature="token", tokens=["a", "b"])
    with pytest.raises(TypeError, match="has no embeddings_"):
        EmbeddingDisplay.from_estimator(FunctionTransformer().fit([[1]]))
