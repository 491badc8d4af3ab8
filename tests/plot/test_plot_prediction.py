"""PredictionDisplay draws predictions over outcomes, and honest intervals."""

from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from plot_cases import WrittenByHand, token_rows
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skembed._plot import PredictionDisplay


def normal_case(n_samples=1_000, seed=0):
    rng = np.random.default_rng(seed)
    y_pred = rng.normal(scale=5, size=n_samples)
    y_std = rng.uniform(0.5, 2, size=n_samples)
    return rng.normal(y_pred, y_std), y_pred, y_std


def n_segments(collection):
    return len(collection.get_segments())


def test_points_are_predictions_over_outcomes():
    y_true, y_pred, _ = normal_case(50)
    display = PredictionDisplay.from_predictions(y_true, y_pred)
    np.testing.assert_allclose(
        display.scatter_.get_offsets(), np.column_stack([y_true, y_pred])
    )
    x, y = display.line_.get_data()
    np.testing.assert_array_equal(x, y)
    assert x[0] == min(y_true.min(), y_pred.min())
    assert display.r2_ == pytest.approx(r2_score(y_true, y_pred))
    assert display.intervals_ is None
    assert display.coverage_ is None
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == (
        "Outcome",
        "Prediction",
    )


def test_intervals_have_the_level_asked_for():
    y_true, y_pred, y_std = normal_case()
    display = PredictionDisplay.from_predictions(
        y_true, y_pred, y_std=y_std, level=0.8, max_intervals=10_000
    )
    assert display.coverage_ == pytest.approx(0.8, abs=0.04)
    assert n_segments(display.intervals_) == round(1_000 * display.coverage_)
    assert n_segments(display.missed_intervals_) == round(
        1_000 * (1 - display.coverage_)
    )
    segments = np.array(
        display.intervals_.get_segments() + display.missed_intervals_.get_segments()
    )
    widths = np.sort(segments[:, 1, 1] - segments[:, 0, 1])
    expected = 2 * NormalDist().inv_cdf(0.9) * np.sort(y_std)
    np.testing.assert_allclose(widths, expected)
    missed = np.array(display.missed_intervals_.get_segments())
    below, above = missed[:, 0, 1], missed[:, 1, 1]
    assert not ((below <= missed[:, 0, 0]) & (missed[:, 0, 0] <= above)).any()
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert f"80 % intervals: {100 * display.coverage_:.1f} % hold" in texts


def test_few_intervals_and_points_of_many_are_drawn():
    y_true, y_pred, y_std = normal_case()
    display = PredictionDisplay.from_predictions(
        y_true, y_pred, y_std=y_std, max_intervals=50, subsample=0.3
    )
    drawn = n_segments(display.intervals_) + n_segments(display.missed_intervals_)
    assert drawn == 50
    assert len(display.scatter_.get_offsets()) == 300
    assert display.frame().shape == (300, 3)
    np.testing.assert_array_equal(display.frame()["y_true"], y_true[display.rows_])
    assert display.scatter_.get_label().startswith("300 of 1,000 samples")
    full = PredictionDisplay.from_predictions(y_true, y_pred, y_std=y_std)
    assert display.coverage_ == full.coverage_
    assert display.r2_ == full.r2_


@pytest.mark.parametrize("wrap", [False, True])
def test_estimator_with_standard_deviations(wrap):
    X, y = token_rows(5, 100)
    estimator = WrittenByHand()
    if wrap:
        estimator = make_pipeline(FunctionTransformer(), estimator)
    estimator.fit(X, y)
    display = PredictionDisplay.from_estimator(estimator, X, y)
    frame = display.frame()
    assert frame.columns.tolist() == ["y_true", "y_pred", "y_std"]
    np.testing.assert_array_equal(frame["y_pred"], estimator.predict(X))
    assert (frame["y_std"] == 2.0).all()
    without = PredictionDisplay.from_estimator(estimator, X, y, intervals=False)
    assert without.frame().columns.tolist() == ["y_true", "y_pred"]


def test_estimators_that_give_no_standard_deviation():
    X, y = token_rows(5, 100)
    point = WrittenByHand(prior=None).fit(X, y)
    assert PredictionDisplay.from_estimator(point, X, y).intervals_ is None
    line = LinearRegression().fit(X[:, 2:], y)
    assert PredictionDisplay.from_estimator(line, X[:, 2:], y).intervals_ is None


def test_ax_and_keywords():
    y_true, y_pred, y_std = normal_case(20)
    _, ax = plt.subplots()
    display = PredictionDisplay.from_predictions(
        y_true,
        y_pred,
        y_std=y_std,
        ax=ax,
        scatter_kwargs={"c": "red"},
        line_kwargs={"ls": ":"},
        interval_kwargs={"lw": 5, "colors": "green"},
    )
    assert display.ax_ is ax
    np.testing.assert_array_equal(
        display.scatter_.get_facecolor()[0][:3], to_rgba("red")[:3]
    )
    assert display.line_.get_linestyle() == ":"
    assert display.intervals_.get_linewidth()[0] == 5
    np.testing.assert_array_equal(
        display.intervals_.get_color()[0][:3], to_rgba("green")[:3]
    )


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="level must be strictly between 0 and 1"):
        PredictionDisplay.from_predictions([1, 2], [1, 2], level=90)
    with pytest.raises(ValueError, match="must be of one length"):
        PredictionDisplay.from_predictions([1, 2], [1, 2, 3])
    for subsample in (0, 1.5, "all"):
        with pytest.raises(ValueError, match="subsample"):
            PredictionDisplay.from_predictions([1, 2], [1, 2], subsample=subsample)
