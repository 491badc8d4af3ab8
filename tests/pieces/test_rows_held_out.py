"""Rows to stop by, of rows that do not fit into memory."""

import keras
import numpy as np
import pandas as pd
import pytest
from pieces_cases import FEATURES, N, assert_nothing_left, regressor

from skembed import EmbeddingClassifier
from skembed import _settings as settings


def test_rows_to_stop_by_are_not_learned_from(file, frame, blocks):
    params = {"early_stopping": True, "validation_fraction": 0.2, "epochs": 30}
    found = regressor(**params).fit(file, "y")
    n = found._fitted.n_seen
    assert n == pytest.approx(0.8 * N, abs=100)
    for counts in found.category_counts_:
        assert counts.sum() == n
    curve = found.validation_loss_curve_
    assert len(curve) == found.n_iter_ <= 30
    assert_nothing_left(blocks)
    settings.IN_MEMORY_CELLS = 10**9  # monkeypatch puts it back
    whole = regressor(**params).fit(file, "y")
    assert min(curve) == pytest.approx(min(whole.validation_loss_curve_), abs=0.05)
    X, y = frame[FEATURES], frame["y"]
    assert found.score(X, y) > whole.score(X, y) - 0.01


def test_the_weights_that_were_best_come_back(blocks):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.integers(0, 800, N), "b": rng.integers(0, 200, N)})
    rows = X.assign(y=rng.normal(size=N))
    seen = []

    class Seen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["val_loss"], self.model.get_weights()[0].copy()))

    found = regressor(
        prior=None,
        early_stopping=True,
        n_iter_no_change=4,
        epochs=60,
        learning_rate=0.01,
        callbacks=[Seen()],
    ).fit([rows], "y")
    # There is nothing to learn but rows by heart, so it ends early.
    losses = [loss for loss, _ in seen]
    assert losses == found.validation_loss_curve_
    best = int(np.argmin(losses))
    assert found.n_iter_ == best + 5 < 60
    tables = found.model_.get_weights()[0], seen[best][1], seen[-1][1]
    np.testing.assert_array_equal(tables[0][:100], tables[1][:100])
    assert (tables[0][:100] != tables[2][:100]).any()


def test_no_more_rows_are_held_out_than_fit_into_memory(file, blocks, monkeypatch):
    monkeypatch.setattr(settings, "HELD_OUT_ROWS", 150)
    found = regressor(early_stopping=True, epochs=1).fit(file, "y")
    assert found._fitted.n_seen == pytest.approx(N - 150, abs=50)
    with pytest.raises(ValueError, match="leaves 0 of 6000 rows to stop by"):
        regressor(early_stopping=True, validation_fraction=1e-9).fit(file, "y")


def test_equal_rows_are_held_out_in_proportion(blocks):
    # With one fate for all copies of a row some of these tokens would not be learned.
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"token": rng.integers(0, 8, N)})
    rows["label"] = np.where(rng.random(N) < rows["token"] / 8, "a", "b")
    model = EmbeddingClassifier(
        early_stopping=True, validation_fraction=0.5, epochs=3, random_state=0
    ).fit([rows], "label")
    share = model.category_counts_[0] / rows["token"].value_counts().sort_index()
    np.testing.assert_allclose(share, 0.5, atol=0.1)
