"""TokenReport as Python sees it: facts, files, refusals."""

import builtins
import html
import re
import time

import numpy as np
import pandas as pd
import pytest
from hostile import HOSTILE
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

import skembed._settings as settings
from skembed import (
    EmbeddingClassifier,
    EmbeddingEncoder,
    EmbeddingRegressor,
    TokenReport,
    TokenSimilarity,
)
from skembed._report.packing import as_json, packed, unpacked


def block(report, k=0):
    """The facts and arrays of a column, read from the page."""
    text = re.search(rf'id="column-{k}">([^<]*)</script>', report.html())[1]
    return unpacked(text)


def test_the_page_needs_nothing_else(town_report):
    page = town_report.html()
    assert page.startswith("<!doctype html>")
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:)', own)
    assert "<link" not in own.replace('<link rel="icon" href="data:,">', "")
    # Bokeh knows where its files are on the network; nothing here asks for them.
    assert "import(" not in own


def test_numbers_are_the_estimators(towns, town_report):
    regressor, X, y = towns
    facts, arrays = block(town_report)
    table = dict(zip(facts["names"], range(30), strict=True))
    assert facts["total"] == 30
    np.testing.assert_allclose(arrays["count"], regressor.category_counts_[0])
    np.testing.assert_allclose(arrays["vector"], regressor.embeddings_[0])
    np.testing.assert_allclose(arrays["vectorStd"], regressor.embeddings_std_[0])
    np.testing.assert_allclose(facts["priorScale"], regressor.prior_scales_[0])
    for name, k in table.items():
        rows = X[:, 0] == name
        assert arrays["nRows"][k] == rows.sum()
        assert arrays["rawMean"][k, 0] == pytest.approx(y[rows].mean())
        start, end = arrays["outcomeStart"][k : k + 2]
        shown = arrays["outcome"][start:end]
        if rows.sum() <= settings.REPORT_OUTCOMES:
            np.testing.assert_allclose(shown, np.sort(y[rows]), rtol=1e-6)
    # Effects are about the mean token, and add up with it to predictions.
    mean = np.average(arrays["effect"][:, 0], weights=arrays["count"])
    assert mean == pytest.approx(0, abs=1e-4)


def test_distances_are_those_of_token_similarity(towns, town_report):
    regressor, X, y = towns
    _, arrays = block(town_report)
    similarity = TokenSimilarity(
        FrozenEstimator(regressor), feature=0, metric="outcome", random_state=0
    ).fit(X, y)
    distances, near = similarity.neighbors_of(regressor.categories_[0], n=10)
    found = regressor.categories_[0][arrays["neighbor"]]
    np.testing.assert_array_equal(found, near)
    np.testing.assert_allclose(arrays["distance"], distances, rtol=1e-5)


def test_the_map_keeps_distances_in_units_of_the_outcome(towns, town_report):
    _, arrays = block(town_report)
    xy = arrays["xy0"].astype(float)
    on_map = np.linalg.norm(xy[arrays["neighbor"]] - xy[:, None], axis=2)
    assert (on_map <= arrays["distance"] + 1e-4).all()
    # To the right the outcome rises.
    assert np.corrcoef(xy[:, 0], arrays["effect"][:, 0])[0, 1] > 0.99


def test_one_column_needs_no_rows():
    X, y = [["a"], ["b"], ["c"], ["d"]] * 20, [0.0, 1.0, 5.0, 5.2] * 20
    regressor = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
    facts, arrays = block(TokenReport(regressor))
    predicted = regressor.predict([["a"], ["b"], ["c"], ["d"]])
    shown = facts["base"][0] + arrays["effect"][:, 0]
    np.testing.assert_allclose(shown, predicted, rtol=1e-5)
    unknown = facts["base"][0] + facts["unknown"]["effect"][0]
    assert unknown == pytest.approx(regressor.predict([["nobody"]])[0])
    # All that tokens do lies on a line, so the height says how frequent they are.
    assert facts["maps"][0]["equal"] is False
    np.testing.assert_allclose(arrays["xy0"][:, 1], np.log10(20), rtol=1e-5)


def test_intervals_hold_the_posterior_of_the_mean():
    """Where the outcome is linear in the vector, predict_std says the same."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 20, (400, 1)).astype(str)
    y = X[:, 0].astype(float) + rng.normal(size=400)
    regressor = EmbeddingRegressor(hidden_layer_sizes=(), random_state=0).fit(X, y)
    facts, arrays = block(TokenReport(regressor))
    std = regressor.predict_std(regressor.categories_[0][:, None], include_noise=False)
    np.testing.assert_allclose(arrays["std"][:, 0], std, rtol=0.02)
    of_unknown = regressor.predict_std([["nobody"]], include_noise=False)
    assert facts["unknown"]["std"][0] == pytest.approx(of_unknown[0], rel=0.02)


def test_rows_are_made_up_where_none_are_given(towns, town_report):
    regressor, *_ = towns
    report = TokenReport(regressor, feature=0)
    facts, arrays = block(report)
    assert any("made up" in note for note in facts["notes"])
    given = block(town_report)[1]["effect"][:, 0]
    assert np.corrcoef(arrays["effect"][:, 0], given)[0, 1] > 0.99
    again = block(TokenReport(regressor, feature=0))[1]
    np.testing.assert_array_equal(again["effect"], arrays["effect"])


def test_classes_are_shown_by_their_probabilities(towns):
    _, X, y = towns
    classes = np.where(y < -3, "low", np.where(y < 3, "middle", "high"))
    classifier = EmbeddingClassifier(epochs=5, random_state=0).fit(X[:, :2], classes)
    facts, arrays = block(TokenReport(classifier, X=X[:, :2], y=classes, feature=0))
    assert facts["outputs"] == [
        f"probability of {c}" for c in ("high", "low", "middle")
    ]
    np.testing.assert_allclose(arrays["effect"].sum(axis=1), 0, atol=1e-5)
    k = facts["names"].index("town 03")
    share = [(classes[X[:, 0] == "town 03"] == c).mean() for c in classifier.classes_]
    np.testing.assert_allclose(arrays["rawMean"][k], share, rtol=1e-6)


def test_two_classes_are_one_probability(towns):
    _, X, y = towns
    classifier = EmbeddingClassifier(epochs=3, random_state=0).fit(X[:, :1], y > 0)
    facts, arrays = block(TokenReport(classifier))
    assert facts["outputs"] == ["probability of True"]
    tokens = classifier.categories_[0]
    shown = facts["base"][0] + arrays["effect"][:, 0]
    predicted = classifier.predict_proba(tokens[:, None])[:, 1]
    np.testing.assert_allclose(shown, predicted, rtol=1e-4)


def test_several_outcomes(towns):
    _, X, y = towns
    both = np.column_stack([y, -2 * y])
    regressor = EmbeddingRegressor(epochs=3, random_state=0).fit(X, both)
    facts, arrays = block(TokenReport(regressor, X=X, y=both, feature=0))
    assert len(facts["outputs"]) == 2
    assert arrays["effect"].shape == (30, 2)
    assert arrays["std"].shape == (30, 2)


def test_a_similarity_shows_its_own_distances(towns):
    regressor, X, y = towns
    similarity = TokenSimilarity(FrozenEstimator(regressor), metric="cosine").fit(X, y)
    facts, arrays = block(TokenReport(similarity, X=X, y=y))
    assert facts["metric"] == "cosine"
    expected = similarity.most_similar("town 02", n=10, feature=0, return_tied=True)
    k = facts["names"].index("town 02")
    names = [facts["names"][code] for code in arrays["neighbor"][k]]
    assert names == [token for token, *_ in expected]
    assert arrays["tied"][k].tolist() == [tied for *_, tied in expected]


def test_a_similarity_of_one_column_shows_that_column(towns):
    regressor, X, y = towns
    similarity = TokenSimilarity(FrozenEstimator(regressor), feature=1).fit(X, y)
    report = TokenReport(similarity, X=X, y=y)
    facts, _ = block(report)
    assert sorted(facts["names"]) == ["blue", "green", "red"]
    assert "1 column," in repr(report)
    with pytest.raises(ValueError, match="feature=0 is no token column"):
        TokenReport(similarity, X=X, feature=0)


def test_an_encoder_shows_its_plain_fit(towns):
    _, X, y = towns
    encoder = EmbeddingEncoder(EmbeddingRegressor(epochs=3), cv=2, random_state=0)
    encoder.fit(X, y)
    _, arrays = block(TokenReport(encoder, X=X, y=y))
    np.testing.assert_allclose(arrays["vector"], encoder.estimator_.embeddings_[0])


def test_pipelines_and_frames(towns):
    from sklearn.preprocessing import FunctionTransformer

    _, X, y = towns
    frame = pd.DataFrame({"town": X[:, 0], "colour": X[:, 1]})
    model = make_pipeline(
        FunctionTransformer(), EmbeddingRegressor(epochs=3, random_state=0)
    ).fit(frame, y)
    report = TokenReport(model, X=frame, y=pd.Series(y, name="price"))
    facts, _ = block(report)
    assert facts["name"] == "town"
    assert facts["outputs"] == ["price"]
    assert repr(report).startswith("<TokenReport 'Tokens of EmbeddingRegressor': 2 col")


def test_many_tokens_are_thinned_with_a_note(monkeypatch, towns):
    regressor, X, y = towns
    monkeypatch.setattr(settings, "REPORT_TOKENS", 12)
    facts, arrays = block(TokenReport(regressor, X=X, y=y, feature=0))
    assert facts["total"] == 30
    assert len(arrays["count"]) == 12
    assert "12 most frequent of 30 tokens" in facts["notes"][0]
    kept = sorted(regressor.category_counts_[0])[-12:]
    assert sorted(arrays["count"].tolist()) == kept
    k = facts["names"].index("town 00")
    assert arrays["rawMean"][k, 0] == pytest.approx(y[X[:, 0] == "town 00"].mean())


def test_pooled_tokens_say_so(towns):
    _, X, y = towns
    regressor = EmbeddingRegressor(epochs=3, max_categories=8, random_state=0)
    facts, arrays = block(TokenReport(regressor.fit(X, y), X=X, y=y))
    assert arrays["pooled"].sum() == facts["pooled"] > 1
    assert facts["unknown"]["isPooled"]


def test_unknown_tokens_that_are_refused(towns):
    _, X, y = towns
    regressor = EmbeddingRegressor(epochs=2, handle_unknown="error", random_state=0)
    facts, _ = block(TokenReport(regressor.fit(X, y), X=X, y=y))
    assert facts["unknown"]["isRefused"]
    assert facts["unknown"]["effect"] == [0.0]


def test_labels_rename_and_equal_names_are_told_apart(towns):
    regressor, *_ = towns
    labels = {"town 00": "Capital", "town 01": "Twin", "town 02": "Twin"}
    facts, _ = block(TokenReport(regressor, feature=0, labels=labels))
    assert facts["names"][:4] == [
        "Capital",
        "Twin (town 01)",
        "Twin (town 02)",
        "town 03",
    ]
    assert facts["tokens"][0] == "town 00"


def test_a_reducer_draws_a_map_of_its_own(towns):
    from sklearn.manifold import Isomap

    regressor, *_ = towns
    reducer = Isomap(n_neighbors=8)
    facts, arrays = block(TokenReport(regressor, feature=0, reducer=reducer))
    assert facts["maps"][0]["name"] == "Isomap"
    assert arrays["xy0"].shape == (30, 2)
    assert "cov0" not in arrays  # no linear map, so no ellipse
    assert "cov1" in arrays


def test_metadata_of_every_kind(towns):
    regressor, *_ = towns
    known = {
        "number": [1.5, None, *range(28)],
        "flag": [True, False] * 15,
        "text": {"town 01": "x", "town 02": "y"},
    }
    facts, arrays = block(TokenReport(regressor, feature=0, metadata=known))
    kinds = {m["name"]: m["kind"] for m in facts["metadata"]}
    assert kinds == {"number": "number", "flag": "category", "text": "category"}
    assert np.isnan(arrays["meta0"][1])
    assert arrays["meta2"].tolist()[:4] == [-1, 0, 1, -1]
    frame = pd.DataFrame({"number": np.arange(30)})
    by_frame = block(TokenReport(regressor, feature=0, metadata=frame))[1]
    np.testing.assert_array_equal(by_frame["meta0"], np.arange(30))
    by_index = TokenReport(regressor, metadata={0: frame, "x1": {"n": [1, 2, 3]}})
    np.testing.assert_array_equal(block(by_index)[1]["meta0"], np.arange(30))
    np.testing.assert_array_equal(block(by_index, 1)[1]["meta0"], [1, 2, 3])


def test_files_are_written_whole(tmp_path, town_report):
    path = tmp_path / "report.html"
    assert town_report.write_html(path) == path
    assert path.read_text(encoding="utf-8") == town_report.html()
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OSError):
        town_report.write_html(tmp_path / "nowhere" / "report.html")


def test_notebooks_get_a_frame(town_report):
    bundle = town_report._repr_mimebundle_()
    assert bundle["text/plain"] == repr(town_report)
    assert bundle["text/html"] == town_report._repr_html_()
    pattern = r'<iframe title="([^"]*)" srcdoc="([^"]*)" [^<>]*></iframe>'
    frame = re.fullmatch(pattern, bundle["text/html"])
    assert html.unescape(frame[1]) == "Towns & <colours>"
    assert html.unescape(frame[2]) == town_report.html()


def test_open_hands_the_page_to_the_browser(monkeypatch, town_report):
    import threading
    import urllib.request
    import webbrowser

    got = []

    def read(url):
        with urllib.request.urlopen(url) as answer:
            got.append(answer.read().decode())

    def browse(url):
        threading.Thread(target=read, args=(url,)).start()

    monkeypatch.setattr(webbrowser, "open", browse)
    town_report.open()
    deadline = time.monotonic() + 60
    while not got and time.monotonic() < deadline:
        time.sleep(0.01)
    assert got == [town_report.html()]


def test_open_says_that_no_browser_came(monkeypatch, town_report):
    import webbrowser

    import skembed._report.serve as serve

    monkeypatch.setattr(serve, "_PATIENCE", 0.05)
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    with pytest.raises(RuntimeError, match="write_html"):
        town_report.open()


def test_hostile_names_cannot_end_their_script(hostile_report):
    page = hostile_report.html()
    page.encode("utf-8")  # half characters would not be written
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    facts, _ = unpacked(re.search(r'id="column-0">([^<]*)<', page)[1])
    for token in HOSTILE:
        if 0 < len(token.strip()) < 1_000:
            # What would turn the text after it around is written out.
            token = token.replace("\u202e", "\\u202e").replace("\u202c", "\\u202c")
            assert token in (facts["tokens"] or facts["names"])
    longest = max(facts["tokens"], key=len)
    assert len(longest) < 6_000
    assert "995,000 characters more" in longest


def test_packing_goes_there_and_back():
    facts = {"a": "</script>\u2028\ud800\U0001f98a", "b": [1.5, None, True]}
    arrays = {
        "x": np.arange(6, dtype=np.float32).reshape(3, 2),
        "y": np.array([1, 2, 3], dtype=np.uint8),
        "z": np.array([], dtype=np.int32),
    }
    again, found = unpacked(packed(facts, arrays))
    assert again == facts
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].shape == array.shape
    assert not set("<>&\u2028\ud800") & set(as_json(facts))


def test_without_bokeh_the_extra_is_named(monkeypatch, towns):
    regressor, *_ = towns
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "bokeh":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"skembed\[report\]"):
        TokenReport(regressor)


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"title": 3}, TypeError, "title must be a string"),
        ({"y": [1.0]}, ValueError, "pass X, too"),
        ({"feature": "nothing"}, ValueError, "is no token column"),
        ({"labels": 3}, TypeError, "labels must be a dict"),
        ({"verbose": "yes"}, TypeError, "verbose must be True"),
        ({"metadata": {"height": [1.0] * 30}}, ValueError, "no token column"),
        ({"feature": 0, "metadata": {"h": [1.0]}}, ValueError, "1 values for the 30"),
        ({"feature": 0, "metadata": 5}, TypeError, "must be a dict"),
        ({"metadata": [1.0] * 30}, ValueError, "from columns of tokens"),
        ({"X": [["town 00", "red"]]}, ValueError, "X has 2 columns"),
    ],
)
def test_what_is_wrong_is_named(towns, kwargs, error, message):
    regressor, *_ = towns
    with pytest.raises(error, match=message):
        TokenReport(regressor, **kwargs)


def test_rows_of_x_and_y_must_agree(towns):
    regressor, X, y = towns
    with pytest.raises(ValueError, match=f"{len(X)} rows in X and 3 in y"):
        TokenReport(regressor, X=X, y=y[:3])


def test_what_is_no_estimator_is_refused():
    from sklearn.exceptions import NotFittedError
    from sklearn.linear_model import LinearRegression

    with pytest.raises(NotFittedError):
        TokenReport(EmbeddingRegressor())
    with pytest.raises(TypeError, match="no embeddings_"):
        TokenReport(LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0]))
    numbers = EmbeddingRegressor(epochs=1, random_state=0)
    with pytest.raises(ValueError, match="without a column of tokens"):
        TokenReport(numbers.fit(np.ones((20, 1)), np.arange(20.0)))


def test_progress_is_said_where_it_takes_long(monkeypatch, towns, capsys):
    from skembed._report import progress

    regressor, X, y = towns
    monkeypatch.setattr(progress.time, "monotonic", lambda: 0.0)
    TokenReport(regressor, X=X, y=y, feature=0)
    assert capsys.readouterr().err == ""
    clock = iter(range(10_000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    TokenReport(regressor, X=X, y=y, feature=0)
    said = capsys.readouterr().err
    assert "column 1 of 1, 'x0': effects" in said
    assert said.endswith("\r")
    TokenReport(regressor, X=X, y=y, feature=0, verbose=False)
    assert capsys.readouterr().err == ""


def test_a_report_does_not_change_with_its_estimator(towns):
    _, X, y = towns
    regressor = EmbeddingRegressor(epochs=2, random_state=0).fit(X, y)
    report = TokenReport(regressor, X=X, y=y, feature=0)
    before = report.html()
    regressor.fold_in([["new", "red", 0.0]] * 5, [9.0] * 5)
    assert report.html() == before
    assert TokenReport(regressor, X=X, y=y, feature=0).html() != before
