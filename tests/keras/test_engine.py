"""The engine: the updates of Keras, the cache of traces, threads."""

import threading
from collections import OrderedDict

import keras
import numpy as np
import pytest
import tensorflow as tf

from skembed import EmbeddingRegressor
from skembed._keras import loop
from skembed._keras.optimizers import Rule
from skembed._model.network import Architecture
from skembed._model.tables import PointTable
from skembed._settings import MAX_TRACES

N_STEPS = 7
OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adam other betas": lambda: keras.optimizers.Adam(
        0.02, beta_1=0.8, beta_2=0.95, epsilon=1e-4
    ),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "rmsprop momentum": lambda: keras.optimizers.RMSprop(0.003, rho=0.8, momentum=0.7),
    "rmsprop centered": lambda: keras.optimizers.RMSprop(0.003, centered=True),
    "rmsprop both": lambda: keras.optimizers.RMSprop(
        0.002, momentum=0.5, centered=True, epsilon=1e-4
    ),
    "adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "adagrad start": lambda: keras.optimizers.Adagrad(
        0.05, initial_accumulator_value=1.0
    ),
    "sgd": lambda: keras.optimizers.SGD(0.05),
    "sgd momentum": lambda: keras.optimizers.SGD(0.02, momentum=0.8),
    "sgd nesterov": lambda: keras.optimizers.SGD(0.02, momentum=0.8, nesterov=True),
    "a schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.02, 3, 0.5)
    ),
}


@pytest.fixture(scope="module", name="rows")
def distinct_rows():
    """Rows that differ in their number, so that none are merged."""
    rng = np.random.default_rng(0)
    X = np.empty((64, 3), dtype=object)
    X[:, 0] = rng.choice(list("abcde"), 64)
    X[:, 1] = rng.integers(0, 3, 64)
    X[:, 2] = rng.normal(size=64)
    y = rng.normal(size=64) + X[:, 1].astype(float)
    return X, y


def point_network(optimizer, epochs, **params):
    return EmbeddingRegressor(
        3,
        (6, 4),
        ("tanh", "linear"),
        prior=None,
        optimizer=optimizer,
        batch_size=64,
        epochs=epochs,
        random_state=5,
        **params,
    )


@pytest.fixture(scope="module", name="untrained")
def network_before_training(rows):
    """The network as it starts: rates so small that float32 does not see them."""
    return point_network("sgd", 1, learning_rate=1e-30).fit(*rows)


def keras_step(model, optimizer, inputs, y):
    """One step of a Keras optimizer, as it is defined.

    On the dense gradient: Keras's own path for the gradients of an Embedding applies
    Adam and its like once for every time that a token occurs in the batch.
    """
    weights = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(inputs, training=True) - y))
    gradients = tape.gradient(loss, weights)
    optimizer.apply([tf.convert_to_tensor(g) for g in gradients], weights)
    return float(loss)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_point_tables_train_exactly_as_in_keras(name, rows, untrained):
    X, y = rows
    model = untrained.model_
    optimizer = OPTIMIZERS[name]()
    optimizer.build(model.trainable_variables)
    inputs = untrained.model_inputs(X)
    inputs = [inputs["codes"], inputs["numbers"]]
    expected = [
        keras_step(model, optimizer, inputs, y[:, None].astype("float32"))
        for _ in range(N_STEPS)
    ]

    trained = point_network(OPTIMIZERS[name](), N_STEPS).fit(X, y)
    np.testing.assert_allclose(trained.loss_curve_, expected, rtol=2e-5)
    for j, vectors in enumerate(trained.embeddings_):
        table = model.get_layer(f"table_{j}").get_weights()[0][: len(vectors)]
        np.testing.assert_allclose(vectors, table, rtol=1e-4, atol=2e-6)
        assert np.abs(vectors - untrained.embeddings_[j]).max() > 1e-3
    np.testing.assert_allclose(
        trained.predict(X), model.predict(inputs, verbose=0)[:, 0], atol=2e-5
    )


def test_names_classes_and_instances_of_an_optimizer_are_the_same(rows):
    vectors = [
        point_network(optimizer, 3, learning_rate=0.01).fit(*rows).embeddings_[0]
        for optimizer in (
            "rmsprop",
            keras.optimizers.RMSprop,
            keras.optimizers.RMSprop(),
        )
    ]
    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_array_equal(vectors[0], vectors[2])


def traces():
    return {
        spec: function.experimental_get_tracing_count()
        for spec, function in loop._cache.items()
    }


@pytest.mark.parametrize("prior", ["normal", None])
def test_one_trace_serves_all_fits_of_a_shape(prior):
    rng = np.random.default_rng(0)

    def fit(n, n_tokens, n_columns, n_numbers, batch_size, epochs):
        X = np.empty((n, n_columns + n_numbers), dtype=object)
        X[:, :n_columns] = rng.integers(0, n_tokens, (n, n_columns))
        X[:, n_columns:] = rng.normal(size=(n, n_numbers))
        model = EmbeddingRegressor(
            3,
            (7, 5),
            prior=prior,
            batch_size=batch_size,
            epochs=epochs,
            learning_rate=rng.uniform(1e-4, 1e-3),
        )
        return model.fit(X, rng.normal(size=n))

    fit(50, 4, 1, 1, 50, 3)  # the additive part, and then the layers
    before = traces()
    for shape in [(80, 9, 1, 1, 16, 2), (33, 5, 3, 0, 8, 1), (40, 6, 2, 2, 40, 3)]:
        fit(*shape)
    assert traces() == before


def test_the_cache_of_traces_is_bounded(monkeypatch):
    monkeypatch.setattr(loop, "_cache", OrderedDict())

    def spec(width):
        shape = Architecture(PointTable, width, (4,), ("relu",), 1)
        rule = Rule("sgd", (("momentum", 0.0), ("nesterov", False)))
        return loop.Spec(
            architecture=shape,
            loss="squared_error",
            loss_constants=(),
            n_targets=2,
            has_noise=False,
            own_priors=False,
            rule=rule,
        )

    first = loop.compiled(spec(1))
    for width in range(2, MAX_TRACES + 1):
        loop.compiled(spec(width))
    assert loop.compiled(spec(1)) is first
    for width in range(100, 100 + MAX_TRACES - 1):
        loop.compiled(spec(width))
    assert len(loop._cache) == MAX_TRACES
    assert loop.compiled(spec(1)) is first
    loop.compiled(spec(999))
    loop.compiled(spec(998))
    assert spec(100) not in loop._cache


def test_fits_at_the_same_time_share_a_trace_and_do_not_meet(rows):
    X, y = rows
    seeds = [0, 1, 0, 1]
    results = [None] * len(seeds)

    def fit(i):
        model = EmbeddingRegressor(
            5, (9,), epochs=3, batch_size=16, random_state=seeds[i]
        )
        results[i] = model.fit(X, y).embeddings_[0]

    known = set(traces())
    threads = [threading.Thread(target=fit, args=(i,)) for i in range(len(seeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(results[0], results[2])
    np.testing.assert_array_equal(results[1], results[3])
    assert np.abs(results[0] - results[1]).max() > 0
    assert len(set(traces()) - known) == 1


def test_the_trainer_leaves_a_large_vocabulary_alone():
    """A step touches the rows of its batch: the others keep their first bits."""
    rng = np.random.default_rng(0)
    X = rng.permutation(np.arange(3_000))[:, None]
    y = rng.normal(size=3_000)
    params = {"prior": None, "optimizer": "adam", "batch_size": 10, "epochs": 1}
    model = EmbeddingRegressor(
        2, (3,), "linear", random_state=0, warm_start=True, **params
    )
    model.fit(X, y)
    before = model.embedding_.copy()
    model.fit(X[:10], y[:10])
    moved = (model.embedding_ != before).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(moved), np.sort(X[:10, 0]))


def test_training_that_diverges_says_so():
    X, y = np.arange(6)[:, None], np.arange(6.0)
    model = EmbeddingRegressor(
        2, (3,), "exponential", prior=None, optimizer="sgd", learning_rate=1e6
    )
    with pytest.raises(FloatingPointError, match="diverged"):
        model.fit(X, y)
    assert not hasattr(model, "embedding_")
