"""LossCurveDisplay draws the loss of every epoch."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from plot_cases import WrittenByHand, token_rows
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skembed._plot import LossCurveDisplay


def test_line_is_the_loss_curve_of_the_estimator():
    X, y = token_rows(5, 100)
    estimator = WrittenByHand().fit(X, y)
    display = LossCurveDisplay.from_estimator(estimator)
    x, loss = display.line_.get_data()
    np.testing.assert_array_equal(x, [1, 2, 3, 4])
    np.testing.assert_array_equal(loss, estimator.loss_curve_)
    assert display.text_.get_text() == "4.11"
    assert display.validation_line_ is None
    assert display.reference_line_ is None
    assert display.ax_.get_legend() is None
    assert display.ax_.get_xlabel() == "Epoch"
    assert display.figure_ is display.ax_.figure


def test_validation_and_reference_are_told_apart_in_a_legend():
    display = LossCurveDisplay.from_curves([5, 3, 2], [6, 4, 3], reference=1.5)
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), [6, 4, 3])
    np.testing.assert_array_equal(display.reference_line_.get_ydata(), [1.5, 1.5])
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["training", "validation", "noise floor (1.5)"]
    assert display.line_.get_linestyle() != display.validation_line_.get_linestyle()


@pytest.mark.parametrize(
    ("curve", "scale", "expected"),
    [
        ([200, 4], "auto", "log"),
        ([5, 4], "auto", "linear"),
        ([200, -1], "auto", "linear"),
        ([200, 4], "linear", "linear"),
        ([5, 4], "log", "log"),
    ],
)
def test_scale(curve, scale, expected):
    display = LossCurveDisplay.from_curves(curve, scale=scale)
    assert display.ax_.get_yscale() == expected


def test_pipeline_ax_and_keywords():
    X, y = token_rows(5, 100)
    pipeline = make_pipeline(FunctionTransformer(), WrittenByHand()).fit(X, y)
    _, ax = plt.subplots()
    display = LossCurveDisplay.from_estimator(
        pipeline,
        ax=ax,
        reference=4,
        reference_label="variance",
        line_kwargs={"c": "red", "lw": 3},
        reference_kwargs={"ls": ":"},
    )
    assert display.ax_ is ax
    assert display.line_.get_color() == "red"
    assert display.line_.get_linewidth() == 3
    assert display.reference_line_.get_linestyle() == ":"
    assert display.reference_line_.get_label() == "variance (4)"


def test_frame_has_one_row_per_epoch():
    frame = LossCurveDisplay.from_curves([5, 3, 2], [6, 4, 3]).frame()
    assert frame.columns.tolist() == ["epoch", "loss", "validation_loss"]
    assert frame["epoch"].tolist() == [1, 2, 3]
    assert frame["validation_loss"].tolist() == [6, 4, 3]


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="scale must be"):
        LossCurveDisplay.from_curves([1, 2], scale="cubic")
    with pytest.raises(ValueError, match="at least one epoch"):
        LossCurveDisplay.from_curves([])
    with pytest.raises(TypeError, match="has no loss_curve_"):
        LossCurveDisplay.from_estimator(FunctionTransformer().fit([[1]]))
