"""FeatureImportanceDisplay draws a bar for every column."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skembed import EmbeddingRegressor, FeatureImportanceDisplay


@pytest.fixture(scope="module", name="fitted")
def regressor_of_named_columns():
    X = pd.DataFrame({"shop": list("abcd") * 20, "$day$": [1, 2] * 40})
    y = np.tile([1.0, 2.0, 4.0, 8.0], 20)
    return EmbeddingRegressor(2, (), epochs=3, random_state=0).fit(X, y)


def test_bars_are_the_importances_of_the_estimator(fitted):
    display = FeatureImportanceDisplay.from_estimator(fitted)
    order = np.argsort(-fitted.feature_importances_)
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, fitted.feature_importances_[order])
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == [fitted.feature_names_in_[j] for j in order]
    assert display.frame()["feature"].tolist() == labels
    assert display.ax_.get_ylim()[0] > display.ax_.get_ylim()[1]  # the first on top
    assert display.text_ is None
    display.figure_.canvas.draw()


def test_the_most_important_ones_are_drawn():
    shares = np.arange(25) / 300
    display = FeatureImportanceDisplay.from_importances(shares, max_features=5)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["x24", "x23", "x22", "x21", "x20"]
    assert display.text_.get_text() == "5 of 25 columns, 37 % of the variance"
    assert len(display.frame()) == 25
    assert len(FeatureImportanceDisplay.from_importances(shares).bars_) == 20
    assert len(display.plot(max_features=None).bars_) == 25


def test_axes_and_keywords(fitted):
    _, ax = plt.subplots()
    display = FeatureImportanceDisplay.from_estimator(
        fitted,
        feature_names=["Shop", "Day"],
        ax=ax,
        bar_kwargs={"facecolor": "red", "height": 0.2},
    )
    assert display.ax_ is ax
    assert display.bars_[0].get_facecolor() == (1.0, 0.0, 0.0, 1.0)
    assert display.bars_[0].get_height() == pytest.approx(0.2)
    assert set(display.frame()["feature"]) == {"Shop", "Day"}


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: FeatureImportanceDisplay.from_importances([]), "at least one column"),
        (lambda: FeatureImportanceDisplay.from_importances(["a"]), "importances must"),
        (
            lambda: FeatureImportanceDisplay.from_importances([1.0], ["a", "b"]),
            "feature_names must hold one name for each of the 1 importances",
        ),
        (
            lambda: FeatureImportanceDisplay.from_importances([1.0], max_features=0),
            "max_features",
        ),
        (
            lambda: FeatureImportanceDisplay.from_importances([1.0], bar_kwargs=3),
            "Keywords for Rectangle",
        ),
        (lambda: FeatureImportanceDisplay.from_estimator(3), "no feature_importances_"),
    ],
)
def test_what_cannot_be_drawn_is_said(draw, message):
    with pytest.raises((TypeError, ValueError), match=message):
        draw()
