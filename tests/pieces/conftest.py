"""Rows in a file, and limits by which they do not fit into memory."""

import tempfile

import numpy as np
import pytest
from mixed_rows import mixed_rows
from pieces_cases import FEATURES, N, regressor

from skembed import _settings as settings


@pytest.fixture(scope="session")
def frame():
    """Rows sorted the worst way: by the outcome."""
    frame = mixed_rows(N)
    frame["label"] = np.where(frame["y"] > 0.5, "high", "low")
    return frame.sort_values("y").reset_index(drop=True)


@pytest.fixture(scope="session")
def file(frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    frame[[*FEATURES, "y"]].to_parquet(path, row_group_size=500)
    return path


@pytest.fixture
def blocks(monkeypatch, tmp_path):
    """Limits so small that some thousand rows are many; the folder of the disk."""
    small = {
        "IN_MEMORY_CELLS": 1_000,
        "CHUNK_ROWS": 700,
        "BATCH_ROWS": 200,
        "SURVEY_ROWS": 2_000,
        "TALLY_LEAST": 10,
        "BUCKET_ROWS": 1_000,
        "BLOCK_ROWS": 1_500,
    }
    for name, value in small.items():
        monkeypatch.setattr(settings, name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def in_memory(frame):
    return regressor().fit(frame[FEATURES], frame["y"])
