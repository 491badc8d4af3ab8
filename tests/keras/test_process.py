"""What a process keeps of many fits, and what a forked one may do."""

import gc
import os
import subprocess
import sys
import textwrap

import pytest

from skembed._keras.collector import paused


def run(code, **env):
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


ROWS = """
    import numpy as np
    from skembed import EmbeddingRegressor
    rng = np.random.default_rng(0)
    X = rng.integers(0, 9, (60, 2))
    y = rng.normal(size=60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fit_in_a_forked_process_is_refused_and_a_prediction_is_not():
    out, _ = run(
        ROWS
        + """
    model = EmbeddingRegressor(2, (4,), epochs=1, random_state=0).fit(X, y)
    import os
    child = os.fork()
    if child == 0:
        print(len(model.predict(X)), flush=True)
        for call in (lambda: model.fit(X, y), lambda: model.model_):
            try:
                call()
            except RuntimeError as error:
                print(str(error)[:23], flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    """
    )
    assert out.splitlines() == ["60", *["This process was forked"] * 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fit_in_a_process_forked_before_the_first_fit_works():
    out, _ = run(
        ROWS
        + """
    import os
    child = os.fork()
    if child == 0:
        EmbeddingRegressor(2, (4,), epochs=1, random_state=0).fit(X, y)
        print("done", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    """
    )
    assert out.split() == ["done"]


LEAK = (
    ROWS
    + """
    import gc, keras, psutil
    def head(meta):
        return keras.Sequential(
            [keras.Input((meta["n_inputs"],)), keras.layers.Dense(meta["n_outputs"])]
        )
    def fits(n, **params):
        for _ in range(n):
            EmbeddingRegressor(2, (4,), epochs=1, batch_size=60, **params).fit(X, y)
        gc.collect()
        return psutil.Process().memory_info().rss / 2**20
"""
)


@pytest.mark.parametrize(
    ("params", "few"),
    [
        ("", 150),
        ("prior=None", 150),
        ("model=head", 60),
        ("callbacks=[keras.callbacks.Callback()]", 60),
    ],
)
def test_many_fits_leave_little_behind(params, few):
    n = int(os.environ.get("SKEMBED_LEAK_FITS", few))
    out, _ = run(
        LEAK
        + f"    fits(60, {params})\n    print(fits(1, {params}), fits({n}, {params}))"
    )
    before, after = map(float, out.split())
    # 20 MB per 1,000 fits, and what an allocator may hold back on its own.
    assert after - before < 20 * n / 1000 + 4


def test_many_heads_of_ones_own_share_a_trace():
    out, _ = run(
        LEAK
        + """
    from skembed._keras import loop
    fits(12, model=head)
    print(len(loop._cache))
    """
    )
    assert out.split() == ["1"]


def test_networks_of_different_shapes_draw_no_warning_of_tensorflow():
    _, err = run(
        ROWS
        + """
    for units in range(1, 8):
        EmbeddingRegressor(2, (units,), epochs=1).fit(X, y)
    """
    )
    assert "retracing" not in err


def test_the_collector_rests_while_tensorflow_is_traced_and_is_as_it_was_after():
    with pytest.raises(ValueError, match="in the middle"), paused():
        assert not gc.isenabled()
        raise ValueError("in the middle")
    assert gc.isenabled()
    gc.disable()
    try:
        with paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
