"""The same random_state gives the same bits: in new processes and in threads."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from joblib import Parallel, delayed

from skembed import EmbeddingRegressor
from skembed._keras import dense
from skembed._model.network import Architecture
from skembed.datasets import make_token_outcomes

CONFIGURATIONS = {
    "posterior": {"embedding_dim": 6, "hidden_layer_sizes": (64, 64)},
    "points": {
        "embedding_dim": 6,
        "hidden_layer_sizes": (64, 64),
        "prior": None,
        "early_stopping": True,
    },
}


def digest(name):
    """Hash of all that a fit learns, on batches large enough for several threads."""
    X, y = make_token_outcomes(6_000, [300, 50], random_state=0)
    numbers = np.random.default_rng(0).normal(size=(6_000, 3))
    X = np.concatenate([X.astype(object), numbers.astype(object)], axis=1)
    model = EmbeddingRegressor(
        **CONFIGURATIONS[name], batch_size=2_048, epochs=3, random_state=7
    )
    model.fit(X, y)
    parts = [*model.embeddings_, np.array(model.loss_curve_), model.predict(X[:100])]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def digest_of_products():
    """Hash of matrix products and their gradients, of the sizes that networks have.

    All of them come in blocks, narrow and wide ones.
    """
    rng = np.random.default_rng(0)
    shape = Architecture(4, (), (), 1, True, True)
    total = hashlib.sha256()
    for n_rows in (100, 128, 1_000, 1_024):
        for n_in, n_out in [
            *[(130, 64), (147, 64), (175, 64), (320, 64), (700, 64), (3_000, 64)],
            *[(130, 256), (400, 16), (320, 128), (512, 512), (64, 300)],
        ]:
            x, kernel, upstream = (
                tf.constant(rng.standard_normal(size), tf.float32)
                for size in [(n_rows, n_in), (n_in, n_out), (n_rows, n_out)]
            )
            blocks = dense.blocks_for(shape, n_rows, 1, {"kernel": kernel.numpy()})
            assert blocks.kernels
            with tf.GradientTape() as tape:
                tape.watch([x, kernel])
                out = blocks.product({"kernel": kernel}, x, "kernel")
            found = [out, *tape.gradient(out, [x, kernel], upstream)]
            plain = [
                x @ kernel,
                upstream @ tf.transpose(kernel),
                tf.transpose(x) @ upstream,
            ]
            for ours, reference in zip(found, plain, strict=True):
                np.testing.assert_allclose(ours, reference, rtol=1e-3, atol=2e-3)
                total.update(ours.numpy().tobytes())
    return total.hexdigest()


@pytest.fixture(scope="module", name="expected")
def digests():
    return {name: digest(name) for name in CONFIGURATIONS}


def test_twice_in_a_process(expected):
    for name, value in expected.items():
        assert digest(name) == value


@pytest.mark.parametrize("n_threads", [None, 1, 2, 8])
def test_in_a_new_process_with_any_number_of_threads(n_threads, expected):
    threads = {}
    if n_threads is not None:
        names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        threads = dict.fromkeys(names, str(n_threads))
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, **threads},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [*expected.values(), digest_of_products()]


def test_in_parallel_threads(expected):
    names = list(expected) * 2
    found = Parallel(n_jobs=4, backend="threading")(delayed(digest)(n) for n in names)
    assert found == [expected[name] for name in names]


def test_the_state_of_the_process_does_not_show(expected):
    import keras

    keras.utils.set_random_seed(123)
    assert digest("posterior") == expected["posterior"]


def test_other_seeds_give_other_vectors_and_none_is_none():
    X, y = make_token_outcomes(200, random_state=0)
    states = [0, 1, None, None, np.random.RandomState(0)]
    vectors = [
        EmbeddingRegressor(3, (4,), epochs=1, random_state=state).fit(X, y).embedding_
        for state in states
    ]
    np.testing.assert_array_equal(vectors[0], vectors[4])
    for a, b in [(0, 1), (0, 2), (2, 3)]:
        assert (vectors[a] != vectors[b]).any()


if __name__ == "__main__":
    print(*map(digest, CONFIGURATIONS), digest_of_products())
