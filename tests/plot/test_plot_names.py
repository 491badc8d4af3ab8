"""Names and arguments as hostile as users have them, in every display."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from plot_cases import WrittenByHand, token_rows

from skembed import (
    EmbeddingClassifier,
    EmbeddingDisplay,
    LossCurveDisplay,
    PredictionDisplay,
    SimilarityDisplay,
    TokenOutcomeDisplay,
)

# What a plot calls them.
NAMES = {
    "$x$": "$x$",
    "$": "$",
    "\\frac": "\\frac",
    "$\\frac$": "$\\frac$",
    "a\nb\u2028c": "a\\nb\\u2028c",
    "\x00": "\\x00",
    "\ud800": "\\ud800",
    "M" * 1_000_000: "M" * 15 + "\N{HORIZONTAL ELLIPSIS}" + "M" * 14,
    "_hidden": "_hidden",
    "": "(empty)",
    "  ": "'  '",
    None: "(missing)",
    ("t", 1): "('t', 1)",
    b"bytes": "b'bytes'",
    "\u05e9\u05dc\u05d5\u05dd": "\u05e9\u05dc\u05d5\u05dd",
    "100%": "100%",
}


def array(values):
    """A one-dimensional array of objects, whatever they are."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


@pytest.fixture
def tokens():
    return array(list(NAMES))


@pytest.fixture(autouse=True)
def _drawn_for_good():
    """Draw every figure of a test, which is where Matplotlib reads its text."""
    yield
    for number in plt.get_fignums():
        figure = plt.figure(number)
        figure.canvas.draw()
        for ax in figure.axes:  # the labels do not leave the data without room
            assert ax.get_window_extent().height > 0.2 * figure.bbox.height
    plt.close("all")


def texts(ticks):
    """What is written at ticks, or in a legend."""
    return [text.get_text() for text in ticks]


def test_names_on_a_map(tokens):
    vectors = np.random.default_rng(0).normal(size=(len(tokens), 3))
    display = EmbeddingDisplay.from_vectors(
        vectors, tokens, counts=np.arange(1, len(tokens) + 1), feature_name="$\\frac$"
    )
    assert display.labels == list(NAMES.values())
    assert set(texts(display.labels_)) <= set(NAMES.values())
    assert len(display.labels_) > len(NAMES) // 2
    assert display.legend_.get_title().get_text() == "rows per $\\frac$"


def test_names_beside_a_heatmap(tokens):
    places = np.arange(len(tokens))
    display = SimilarityDisplay.from_distances(
        abs(places[:, None] - places), tokens, order=None, feature_name="$\\frac$"
    )
    assert texts(display.ax_.get_yticklabels()) == list(NAMES.values())
    assert texts(display.ax_.get_xticklabels()) == list(NAMES.values())


@pytest.mark.parametrize("kind", ["index", "strip"])
def test_names_of_outcomes(tokens, kind):
    display = TokenOutcomeDisplay.from_tokens(
        tokens, np.arange(len(tokens)), kind=kind, feature_name="$\\frac$"
    )
    entries = texts(display.legend_.get_texts())
    if kind == "index":  # all of them, those with an underscore first included
        assert entries == [*list(NAMES.values())[::-1], "mean outcome"]
        assert display.legend_.get_title().get_text() == "$\\frac$"
    else:
        assert texts(display.ax_.get_xticklabels()) == list(NAMES.values())
        assert entries == ["mean outcome"]


def test_classes_and_columns_are_names_too():
    column = "_$\\frac$" * 100
    X = pd.DataFrame({column: ["a", "b", "c"] * 10})
    y = np.where(X[column] == "a", "$\\frac$", "$\\alpha")
    model = EmbeddingClassifier(2, (4,), epochs=1, random_state=0).fit(X, y)
    display = EmbeddingDisplay.from_estimator(model)
    assert display.effect_name == "probability of \\$\\frac\\$"
    assert len(display.feature_name) == 30


def test_names_of_ones_own_are_drawn_as_given(tokens):
    display = TokenOutcomeDisplay.from_tokens(
        ["a", "b"], [1.0, 2.0], labels={"a": "New\nYork", "b": ""}
    )
    assert display.labels == ["New\nYork", ""]


X, y = token_rows(20, 200)
BY_HAND = WrittenByHand().fit(X)
DISPLAYS = {
    "map": lambda **k: EmbeddingDisplay.from_estimator(BY_HAND, **{"feature": 0, **k}),
    "heat": lambda **k: SimilarityDisplay.from_estimator(
        BY_HAND, X, **{"feature": 0, **k}
    ),
    "outcomes": lambda **k: TokenOutcomeDisplay.from_estimator(
        BY_HAND, X, y, **{"feature": 0, **k}
    ),
    "predictions": lambda **k: PredictionDisplay.from_estimator(BY_HAND, X, y, **k),
    "losses": lambda **k: LossCurveDisplay.from_estimator(BY_HAND, **k),
}
OF_TOKENS = ("map", "heat", "outcomes")
REFUSED = [
    *[(of, {"labels": bad}) for of in OF_TOKENS for bad in ("a", ["a"], 5)],
    *[(of, {"tokens": bad}) for of in OF_TOKENS for bad in ("t000", [], 5)],
    *[(of, {"max_tokens": bad}) for of in OF_TOKENS for bad in (0, -1, 2.5, "a")],
    *[(of, {"feature": bad}) for of in OF_TOKENS for bad in ("zz", None, True, 9)],
    *[(of, {"ax": bad}) for of in DISPLAYS for bad in ("a", [1])],
    ("map", {"effects": "x"}),
    ("map", {"effects": ["a"] * 20}),
    ("map", {"effects": {"t000": "x"}}),
    ("map", {"uncertainty": "no"}),
    ("map", {"level": "a"}),
    ("map", {"max_labels": -1}),
    ("map", {"colorbar": "a"}),
    ("map", {"legend": 3}),
    ("heat", {"max_samples": 0}),
    ("heat", {"order": 5}),
    ("heat", {"colorbar": "a"}),
    ("outcomes", {"kind": 5}),
    ("outcomes", {"subsample": True}),
    ("predictions", {"intervals": "x"}),
    ("predictions", {"max_intervals": 0}),
    ("losses", {"scale": 5}),
    ("losses", {"reference": "a"}),
    ("losses", {"reference": [1, 2]}),
]


@pytest.mark.parametrize(("of", "bad"), REFUSED)
def test_bad_arguments_are_refused_by_name(of, bad):
    with pytest.raises((TypeError, ValueError), match=next(iter(bad))) as refused:
        DISPLAYS[of](**bad)
    assert "handle_unknown" not in str(refused.value)  # no parameter of a display


def test_keywords_must_be_keywords():
    with pytest.raises(TypeError, match="Keywords for PathCollection must be a dict"):
        DISPLAYS["map"](scatter_kwargs="a")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: EmbeddingDisplay.from_vectors(np.eye(2), ["a"]), "vectors, tokens"),
        (lambda: EmbeddingDisplay.from_vectors(np.eye(2), "ab"), "tokens must be a"),
        (lambda: SimilarityDisplay.from_distances(np.eye(2), "ab"), "tokens must be a"),
        (lambda: SimilarityDisplay.from_distances([[np.nan]], ["a"]), "distances"),
        (lambda: TokenOutcomeDisplay.from_tokens("ab", [1, 2]), "x must be a"),
        (lambda: TokenOutcomeDisplay.from_tokens([], []), "x must hold at least 1"),
        (lambda: PredictionDisplay.from_predictions([], []), "at least one sample"),
        (lambda: PredictionDisplay.from_predictions([1], [np.nan]), "y_pred.*row 0"),
        (lambda: PredictionDisplay.from_predictions([1], ["b"]), "y_pred must be num"),
        (lambda: PredictionDisplay.from_estimator(5, X, y), "5 has no predict"),
        (lambda: LossCurveDisplay.from_curves([1], [[1]]), "validation_loss_curve"),
    ],
)
def test_bad_data_is_refused_by_name(draw, message):
    with pytest.raises((TypeError, ValueError), match=message):
        draw()
