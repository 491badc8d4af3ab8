"""TokenOutcomeDisplay draws each token's outcomes in a colour of its own."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from plot_cases import WrittenByHand, token_rows
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skembed._plot import TokenOutcomeDisplay


def offsets(display):
    return np.concatenate([s.get_offsets() for s in display.scatters_])


def test_few_tokens_are_drawn_over_the_observations():
    x = np.array(["b", "a", "b", "c"])
    display = TokenOutcomeDisplay.from_tokens(x, [5.0, 1.0, 7.0, 3.0])
    assert display.labels == ["a", "c", "b"]
    places = {
        label: scatter.get_offsets().tolist()
        for label, scatter in zip(display.labels, display.scatters_, strict=True)
    }
    assert places == {"a": [[1, 1]], "c": [[3, 3]], "b": [[0, 5], [2, 7]]}
    levels = [segment[0, 1] for segment in display.levels_.get_segments()]
    assert levels == [1, 3, 6]
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["b", "c", "a", "mean outcome"]
    assert display.ax_.get_xlabel() == "Observation"
    assert display.text_ is None
    colors = {tuple(scatter.get_facecolor()[0]) for scatter in display.scatters_}
    assert len(colors) == 3


def test_many_tokens_get_strips_ordered_by_mean_outcome():
    X, y = token_rows(20, 400)
    display = TokenOutcomeDisplay.from_tokens(X[:, 0], y, feature_name="dest")
    assert len(display.scatters_) == 20
    for j, scatter in enumerate(display.scatters_):
        assert np.abs(scatter.get_offsets()[:, 0] - j).max() <= 0.3
    means = pd.Series(y).groupby(X[:, 0]).mean().sort_values()
    assert display.labels == means.index.tolist()
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ticks == display.labels
    assert display.ax_.get_xlabel() == "dest"
    np.testing.assert_allclose(
        [segment[0, 1] for segment in display.levels_.get_segments()], means
    )


def test_beyond_max_tokens_the_most_frequent_are_shown_and_it_says_so():
    X, y = token_rows(100, 1_000)
    display = TokenOutcomeDisplay.from_tokens(X[:, 0], y)
    frequent = pd.Series(X[:, 0]).value_counts()
    assert len(display.labels) == 30
    assert frequent[display.labels].min() >= frequent.drop(display.labels).max()
    share = 100 * frequent[display.labels].sum() / 1_000
    expected = f"the 30 most frequent of 100 tokens ({share:.0f} % of the samples)"
    assert display.text_.get_text() == expected
    assert len(offsets(display)) == frequent[display.labels].sum()


def test_chosen_tokens_labels_and_samples():
    X, y = token_rows(40, 1_000)
    display = TokenOutcomeDisplay.from_tokens(
        X[:, 0], y, tokens=["t001", "t005"], labels={"t001": "one"}, subsample=50
    )
    assert sorted(display.labels) == ["one", "t005"]
    assert len(offsets(display)) == 50
    assert "the 2 of 40 tokens" in display.text_.get_text()
    assert "samples, drawn at random" in display.text_.get_text()
    frame = display.frame()
    assert frame.columns.tolist() == ["row", "token", "outcome"]
    np.testing.assert_array_equal(frame["outcome"], y[frame["row"]])
    np.testing.assert_array_equal(frame["token"], X[frame["row"], 0])


def test_missing_tokens_are_one_token():
    x = np.array(["a", None, float("nan"), "a"], dtype=object)
    display = TokenOutcomeDisplay.from_tokens(x, [1.0, 2.0, 3.0, 0.0])
    assert display.labels == ["a", "(missing)"]
    assert len(display.scatters_[1].get_offsets()) == 2


@pytest.mark.parametrize("kind", ["numpy", "pandas", "polars", "pyarrow"])
def test_estimator_and_any_table(kind):
    X, y = token_rows(6, 100)
    frame = pd.DataFrame(X, columns=["token", "color", "size"]).infer_objects()
    table = {
        "numpy": lambda: X,
        "pandas": lambda: frame,
        "polars": lambda: pl.from_pandas(frame),
        "pyarrow": lambda: pa.Table.from_pandas(frame),
    }[kind]()
    estimator = WrittenByHand().fit(X if kind == "numpy" else frame, y)
    # A stand-in reads NumPy only; the display hands over the table as it is.
    pipeline = make_pipeline(
        FunctionTransformer(),
        make_pipeline(FunctionTransformer(as_objects), estimator),
    )
    display = TokenOutcomeDisplay.from_estimator(
        pipeline, table, y, feature=0 if kind == "numpy" else "token"
    )
    drawn = display.frame()
    np.testing.assert_array_equal(drawn["token"], X[:, 0])
    np.testing.assert_array_equal(drawn["prediction"], estimator.predict(X))
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts[-1] == "mean prediction"


def as_objects(X):
    frame = X.to_pandas() if hasattr(X, "to_pandas") else X
    return np.asarray(frame, dtype=object)


def test_feature_must_be_a_column_of_tokens():
    X, y = token_rows(6, 100)
    estimator = WrittenByHand().fit(X, y)
    with pytest.raises(ValueError, match="2 token columns"):
        TokenOutcomeDisplay.from_estimator(estimator, X, y)
    with pytest.raises(ValueError, match="feature=2 is no token column"):
        TokenOutcomeDisplay.from_estimator(estimator, X, y, feature=2)
    display = TokenOutcomeDisplay.from_estimator(estimator, X, y, feature=1)
    assert sorted(display.labels) == ["blue", "red"]


def test_ax_kind_and_keywords():
    X, y = token_rows(6, 100)
    _, ax = plt.subplots()
    display = TokenOutcomeDisplay.from_tokens(
        X[:, 0],
        y,
        ax=ax,
        kind="strip",
        scatter_kwargs={"s": 3, "marker": "x", "linewidths": 1},
        level_kwargs={"lw": 4},
    )
    assert display.ax_ is ax
    assert display.scatters_[0].get_sizes() == [3]
    assert display.levels_.get_linewidth() == [4]
    assert display.ax_.get_xlabel() == "Token"


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="kind must be"):
        TokenOutcomeDisplay.from_tokens(["a"], [1.0], kind="violin")
    with pytest.raises(ValueError, match="Nearest spelling: 'apple'"):
        TokenOutcomeDisplay.from_tokens(["apple"], [1.0], tokens=["aple"])
    with pytest.raises(ValueError, match="outcomes must be numbers"):
        TokenOutcomeDisplay.from_tokens(["a", "b"], ["yes", "no"])
    with pytest.raises(ValueError, match="must be of one length"):
        TokenOutcomeDisplay.from_tokens(["a", "b"], [1.0])
