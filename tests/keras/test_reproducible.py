"""The same random_state gives the same bits: in new processes and in parallel."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from joblib import Parallel, delayed

from skembed import EmbeddingRegressor
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


def fitted(name):
    """A fit on batches large enough for several threads, and its rows."""
    X, y = make_token_outcomes(6_000, [300, 50], random_state=0)
    numbers = np.random.default_rng(0).normal(size=(6_000, 3))
    X = np.concatenate([X.astype(object), numbers.astype(object)], axis=1)
    model = EmbeddingRegressor(
        **CONFIGURATIONS[name], batch_size=2_048, epochs=3, random_state=7
    )
    return model.fit(X, y), X, y


def digest(name):
    """Hash of all that a fit learns."""
    model, X, _ = fitted(name)
    parts = [*model.embeddings_, np.array(model.loss_curve_), model.predict(X[:100])]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


@pytest.fixture(scope="module", name="expected")
def digests():
    return {name: digest(name) for name in CONFIGURATIONS}


def test_twice_in_a_process(expected):
    for name, value in expected.items():
        assert digest(name) == value


def in_a_new_process(n_threads=None):
    """What a new process prints: the digests, and an R2 per configuration."""
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
    found = done.stdout.split()
    return found[: len(CONFIGURATIONS)], np.array(found[len(CONFIGURATIONS) :], float)


def test_in_a_new_process(expected):
    digests, _ = in_a_new_process()
    assert digests == list(expected.values())


def test_other_numbers_of_threads_agree_to_the_last_digits():
    (one, score_of_one), (again, _) = in_a_new_process(1), in_a_new_process(1)
    assert one == again
    _, score_of_many = in_a_new_process(8)
    np.testing.assert_allclose(score_of_many, score_of_one, atol=2e-3)


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
    print(*map(digest, CONFIGURATIONS))
    for model, X, y in map(fitted, CONFIGURATIONS):
        print(model.score(X, y))
