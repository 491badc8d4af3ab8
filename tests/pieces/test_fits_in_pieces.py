"""Fits of rows that do not fit into memory, against those of the table."""

import numpy as np
import polars as pl
import pytest
from pieces_cases import FEATURES, N, regressor, same_bits

from skembed import EmbeddingClassifier
from skembed import _settings as settings
from skembed._data import spill


def test_rows_that_fit_into_memory_give_the_same_bits(file, frame, in_memory):
    found = regressor().fit(file, "y")
    same_bits(found, in_memory)
    assert found.feature_names_in_.tolist() == FEATURES
    X = frame[FEATURES][:50]
    np.testing.assert_array_equal(
        found.predict_interval(X), in_memory.predict_interval(X)
    )


def covered(model, X, y):
    low, high = model.predict_interval(X, 0.8).T
    return np.mean((low < y) & (y < high))


def test_blocks_of_a_sorted_file_are_as_good(file, frame, in_memory, blocks):
    found = regressor().fit(file, "y")
    X, y = frame[FEATURES], frame["y"]
    assert found.score(X, y) > in_memory.score(X, y) - 0.003
    for a, b in zip(found.categories_, in_memory.categories_, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(found.category_counts_, in_memory.category_counts_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert covered(found, X, y) == pytest.approx(covered(in_memory, X, y), abs=0.02)
    importances = found.feature_importances_ - in_memory.feature_importances_
    assert np.abs(importances).max() < 0.05
    assert found.n_iter_ == in_memory.n_iter_
    assert found._fitted.n_seen == N
    assert list(blocks.iterdir()) == []


def test_the_same_seed_gives_the_same_bits(file, blocks):
    same_bits(regressor(epochs=2).fit(file, "y"), regressor(epochs=2).fit(file, "y"))


def test_equal_rows_meet_wherever_they_stand(frame, blocks, monkeypatch):
    rows = frame[["token", "other", "y"]]
    seen = []

    class Seen(spill.SpilledRows):
        def __init__(self, *args):
            super().__init__(*args)
            seen.append(self.block(0, self.n_rows))

    monkeypatch.setattr(spill, "SpilledRows", Seen)
    model = regressor(epochs=1).fit([rows[:2500], rows[2500:]], "y")
    codes, others = seen[0]
    different = rows.groupby(["token", "other"])["y"]
    assert len(codes) == len(np.unique(codes, axis=0)) == different.ngroups
    assert others[:, -1].sum() == N
    mean, within = others[:, 0], others[:, 1]
    unit = model._fitted.scale[0]
    np.testing.assert_allclose(
        np.sort(mean * unit + model._fitted.centre[0]),
        np.sort(different.mean()),
        atol=1e-5,
    )
    np.testing.assert_allclose(
        np.sort(within) * unit**2, np.sort(different.var(ddof=0)), atol=1e-4
    )


def test_weights_and_classes(frame, blocks):
    params = {"hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}
    model = EmbeddingClassifier(class_weight="balanced", **params)
    rows = pl.from_pandas(frame[[*FEATURES, "label", "w"]])
    found = model.fit(rows.lazy(), "label", "w")
    assert found.classes_.tolist() == ["high", "low"]
    settings.IN_MEMORY_CELLS = 10**9  # monkeypatch puts it back
    whole = EmbeddingClassifier(class_weight="balanced", **params)
    whole.fit(frame[FEATURES], frame["label"], frame["w"])
    np.testing.assert_allclose(found.category_counts_[1], whole.category_counts_[1])
    score = whole.score(frame[FEATURES], frame["label"], frame["w"])
    assert found.score(rows.lazy(), "label", "w") > score - 0.01
    p = np.concatenate(list(found.predict_proba(rows.lazy())))
    np.testing.assert_array_equal(p, found.predict_proba(rows.select(FEATURES)))


@pytest.mark.parametrize("params", [{"prior": None}, {"loss": "absolute_error"}])
def test_other_networks(file, frame, blocks, params):
    found = regressor(**params).fit(file, "y")
    settings.IN_MEMORY_CELLS = 10**9  # monkeypatch puts it back
    whole = regressor(**params).fit(file, "y")
    X, y = frame[FEATURES], frame["y"]
    assert found.score(X, y) == pytest.approx(whole.score(X, y), abs=0.02)


def test_counts_are_whole_in_all_pieces(frame, blocks):
    rows = frame[FEATURES].assign(y=np.floor(np.exp(frame["y"])))
    model = regressor(epochs=1, loss="poisson")
    assert model.fit([rows[:4000], rows[4000:]], "y").noise_scale_ > 0
    rows.loc[2500, "y"] += 0.5  # one rate among them, and none of the extreme ones
    assert not hasattr(model.fit([rows[:4000], rows[4000:]], "y"), "noise_scale_")


def test_several_outcomes(frame, blocks):
    frame = frame.assign(twice=2 * frame["y"] + 5)
    found = regressor(epochs=6).fit(
        [frame.drop(columns=["label", "w"])], ["y", "twice"]
    )
    X, y = frame[FEATURES], frame[["y", "twice"]]
    assert found.predict(X).shape == (N, 2)
    by_piece = found.score([frame[:4000], frame[4000:]], ["y", "twice"])
    assert by_piece == pytest.approx(found.score(X, y), abs=1e-12)


def test_several_labels(frame, blocks):
    rows = frame.assign(a=frame["y"] > 0, b=(frame["z"] > 0).astype(int))
    rows = rows[[*FEATURES, "a", "b"]].astype({"a": int})
    params = {"hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0}
    found = EmbeddingClassifier(**params).fit([rows], ["a", "b"])
    X, y = rows[FEATURES], rows[["a", "b"]].to_numpy()
    score = found.score(X, y)
    assert score > 0.8
    assert found.score([rows[:999], rows[999:]], ["a", "b"]) == pytest.approx(score)
    with pytest.raises(ValueError, match="class_weight is not supported for several"):
        EmbeddingClassifier(class_weight="balanced").fit([rows], ["a", "b"])


def test_weights_that_are_shares(frame, file, blocks):
    rows = frame[[*FEATURES, "y"]].assign(w=1.0 / N)
    found = regressor(epochs=1).fit([rows], "y", "w")
    plain = regressor(epochs=1).fit(file, "y")
    np.testing.assert_allclose(found.category_counts_[0], plain.category_counts_[0])


def test_a_line_for_every_pass(file, blocks, capsys):
    regressor(epochs=1, verbose=1).fit(file, "y")
    said = capsys.readouterr().out
    assert "outcomes: 6,000 rows" in said
    assert "columns: 6,000 rows" in said
    assert f"MB in {blocks}): 6,000 rows" in said
    assert "epoch 1/1" in said
