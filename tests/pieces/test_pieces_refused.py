"""What needs the rows in memory, what goes wrong, and what that leaves behind."""

import errno
import os
import tempfile

import keras
import numpy as np
import pandas as pd
import pytest
from pieces_cases import (
    FEATURES,
    Broken,
    Changing,
    N,
    assert_nothing_left,
    regressor,
    same_bits,
)

from skembed._data import spill

REFUSED = {
    "validation_rows='last'": {"validation_rows": "last"},
    "multi_valued_features": {"multi_valued_features": ["other"]},
    "shared_features": {"shared_features": [["token", "other"]]},
    "hierarchy": {"hierarchy": {"token": "other"}},
    "varying_slopes": {"varying_slopes": {"token": "z"}},
    "varying_curves": {"varying_curves": {"token": "z"}},
    "crosses": {"crosses": [("token", "other")]},
    "token_features": {
        "token_features": {
            "token": pd.DataFrame({"size": np.arange(40.0)}, index=np.arange(40))
        }
    },
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_needs_the_rows_in_memory(what, file, blocks):
    with pytest.raises(ValueError, match=f"{what} needs the rows in memory"):
        regressor(**REFUSED[what]).fit(file, "y")


@pytest.mark.parametrize("params", [*REFUSED.values(), {"early_stopping": True}])
def test_and_works_where_they_fit(params, file, frame):
    found = regressor(epochs=1, **params).fit(file, "y")
    whole = regressor(epochs=1, **params).fit(frame[FEATURES], frame["y"])
    same_bits(found, whole)


@pytest.mark.parametrize("method", ["partial_fit", "fold_in", "calibrate"])
def test_methods_of_tables_in_memory_say_so(method, in_memory, file):
    with pytest.raises((TypeError, ValueError), match="in memory|pieces"):
        getattr(in_memory, method)(file, "y")


def test_a_warm_start(file, blocks):
    model = regressor(warm_start=True, epochs=1).fit(file, "y")
    with pytest.raises(ValueError, match="warm_start=True after a fit"):
        model.fit(file, "y")


# Passes that go beyond the first table, in their order.
PASSES = {"outcomes": 1, "columns": 2, "codes": 3}


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("gone")])
def test_an_error_in_any_pass_leaves_nothing(name, error, frame, blocks):
    rows = frame[[*FEATURES, "y"]]
    model = regressor(epochs=1)
    with pytest.raises(type(error)):
        model.fit(Broken(rows, PASSES[name], error), "y")
    assert not hasattr(model, "categories_")
    assert_nothing_left(blocks)


def test_an_interrupted_training_leaves_nothing(file, blocks):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        regressor(callbacks=[Interrupt()]).fit(file, "y")
    assert_nothing_left(blocks)


def test_a_full_disk_is_seen_beforehand(file, blocks, monkeypatch):
    usage = spill.shutil.disk_usage(blocks)._replace(free=1000)
    monkeypatch.setattr(spill.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(OSError, match="TMPDIR") as caught:
        regressor().fit(file, "y")
    assert caught.value.errno == errno.ENOSPC
    assert_nothing_left(blocks)


def test_a_disk_that_fills(file, blocks, monkeypatch):
    class Full:
        def __init__(self, file):
            self.file, self.n = file, 0

        def write(self, data):
            self.n += 1
            if self.n > 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self.file.write(data)

        def __getattr__(self, name):
            return getattr(self.file, name)

    make = tempfile.TemporaryFile
    monkeypatch.setattr(
        spill.tempfile, "TemporaryFile", lambda **kwargs: Full(make(**kwargs))
    )
    with pytest.raises(OSError, match=r"need 0 MB in the folder .* TMPDIR"):
        regressor().fit(file, "y")
    assert_nothing_left(blocks)


def test_rows_that_change_between_passes(frame, blocks):
    fewer = Changing(lambda n: frame[[*FEATURES, "y"]][: N - n])
    with pytest.raises(ValueError, match="the same rows each time"):
        regressor().fit(fewer, "y")
    assert_nothing_left(blocks)


def test_outcomes_are_checked(frame, blocks):
    rows = frame[[*FEATURES, "y"]].copy()
    rows.loc[4_321, "y"] = np.nan
    with pytest.raises(ValueError, match="contains NaN .* row 121") as caught:
        regressor().fit([rows], "y")
    assert caught.value.__notes__ == ["Rows are counted from row 4200 of the source."]
    with pytest.raises(ValueError, match="some y > 0|negative"):
        regressor(loss="poisson").fit([frame[[*FEATURES, "y"]]], "y")
    zero = frame.assign(w=0)[[*FEATURES, "y", "w"]]
    with pytest.raises(ValueError, match="must not all be zero"):
        regressor().fit([zero], "y", "w")


def test_columns_are_checked(frame, blocks):
    rows = frame[[*FEATURES, "y"]].astype({"z": object})
    rows.loc[4_321, "z"] = "far"
    with pytest.raises(ValueError, match="string to float: 'far' in row 121") as caught:
        regressor(categorical_features=["token"]).fit([rows], "y")
    assert caught.value.__notes__ == ["Rows are counted from row 4200 of the source."]
