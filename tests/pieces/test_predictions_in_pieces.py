"""Predictions and scores, piece by piece."""

import numpy as np
import pytest
from pieces_cases import FEATURES, regressor

from skembed import _settings as settings


def test_predictions_come_piece_by_piece(in_memory, frame, file, monkeypatch):
    monkeypatch.setattr(settings, "CHUNK_ROWS", 2_500)
    monkeypatch.setattr(settings, "BATCH_ROWS", 500)
    pieces = list(in_memory.predict(file))
    assert [len(piece) for piece in pieces] == [2_500, 2_500, 1_000]
    X, y = frame[FEATURES], frame["y"]
    # Products of few and of many rows may differ in the last bit (BLAS).
    np.testing.assert_allclose(
        np.concatenate(pieces), in_memory.predict(X), rtol=1e-14, atol=1e-15
    )
    mean, std = next(iter(in_memory.predict(file, return_std=True)))
    np.testing.assert_array_equal(std, in_memory.predict_std(X[:2_500]))
    first = next(iter(in_memory.predict_interval(file, coverage=0.5)))
    assert first.shape == (2_500, 2)
    assert in_memory.score(file, "y") == pytest.approx(in_memory.score(X, y), abs=1e-12)
    weighted = frame.assign(w=frame["w"].astype(float))
    assert in_memory.score([weighted], "y", "w") == pytest.approx(
        in_memory.score(X, y, frame["w"]), abs=1e-12
    )


def test_no_rows_have_no_score(in_memory, frame):
    with pytest.raises(ValueError, match="no rows of a weight above 0"):
        in_memory.score([frame[:0]], "y")


def test_a_source_without_a_column_of_fit(in_memory, frame):
    with pytest.raises(ValueError, match="no column 'z'"):
        in_memory.predict([frame[["token", "other"]]])


def test_columns_of_fit_without_names(frame):
    model = regressor(epochs=1).fit(frame[["token"]].to_numpy(), frame["y"])
    with pytest.raises(ValueError, match="fitted on a table without names"):
        model.predict([frame])
