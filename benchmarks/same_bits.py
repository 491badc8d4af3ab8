"""Hold a change of the code to the very bits of what was learned before it.

Before a change that must not alter any result, write down what some twenty-five fits
learn (predictions, vectors, standard deviations, intervals, loss curves); after it,
compare::

    python benchmarks/same_bits.py write before.npz
    python benchmarks/same_bits.py compare before.npz

Bits depend on the machine and on the versions of its packages: the file is for one
machine and not to be committed.
"""

import argparse
import sys
import warnings

import keras
import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator

from skembed import (
    EmbeddingClassifier,
    EmbeddingEncoder,
    EmbeddingRegressor,
    TokenSimilarity,
)
from skembed.datasets import load_flights, make_token_outcomes

FEW = {"epochs": 4, "random_state": 3}


def table(n=900):
    """Make a data frame of tokens and numbers, with missing values, and outcomes."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame(
        {
            "shop": rng.zipf(1.6, n).clip(max=60).astype(str),
            "day": rng.integers(0, 7, n),
            "kind": pd.Categorical(rng.choice(list("abcd"), n)),
            "size": rng.normal(size=n),
            "age": rng.gamma(2.0, size=n),
        }
    )
    X.loc[rng.random(n) < 0.1, "age"] = np.nan
    X.loc[rng.random(n) < 0.05, "shop"] = None
    effect = {shop: rng.normal() for shop in X["shop"].unique()}
    y = X["shop"].map(effect) + 0.3 * X["day"] + X["size"] + rng.normal(0, 0.5, n)
    return X, y.fillna(0.0).to_numpy()


def head(meta):
    """Build a small head of one's own."""
    return keras.Sequential(
        [
            keras.Input((meta["n_inputs"],)),
            keras.layers.Dense(
                8, "tanh", kernel_initializer=keras.initializers.GlorotUniform(1)
            ),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(
                meta["n_outputs"],
                kernel_initializer=keras.initializers.GlorotUniform(2),
            ),
        ]
    )


def of_predictor(model, X):
    """Read all that a fitted predictor says."""
    found = {f"vectors_{k}": v for k, v in enumerate(model.embeddings_)}
    found["loss"] = np.array(model.loss_curve_)
    found["prediction"] = model.predict(X)
    if hasattr(model, "predict_proba"):
        found["probability"] = model.predict_proba(X)
    if hasattr(model, "embeddings_std_"):
        found |= {f"std_{k}": v for k, v in enumerate(model.embeddings_std_)}
        found |= {f"scale_{k}": v for k, v in enumerate(model.prior_scales_)}
    if hasattr(model, "validation_loss_curve_"):
        found["validation_loss"] = np.array(model.validation_loss_curve_)
    has_interval = hasattr(model, "predict_interval") and model.prior is not None
    if has_interval and model.loss not in ("quantile",):
        found["interval"] = model.predict_interval(X[:50], 0.8)
        found["predict_std"] = model.predict_std(X[:50])
    return found


def of_encoder(encoder, X, y):
    """Read all that an encoder gives."""
    found = {"cross_fitted": encoder.fit_transform(X, y)}
    found["transformed"] = encoder.transform(X)
    found |= {f"vectors_{k}": v for k, v in enumerate(encoder.embeddings_)}
    return found


def regressors():
    """Yield name, what is learned: fits of EmbeddingRegressor."""
    X, y = table()
    positive = np.exp(y / 2)
    for loss in ("absolute_error", "huber", "poisson", "gamma"):
        yield (
            f"loss {loss}",
            lambda loss=loss: of_predictor(
                EmbeddingRegressor(loss=loss, **FEW).fit(X, positive), X
            ),
        )
    yield (
        "quantile",
        lambda: of_predictor(
            EmbeddingRegressor(loss="quantile", quantile=0.8, **FEW).fit(X, y), X
        ),
    )
    yield (
        "default",
        lambda: of_predictor(EmbeddingRegressor(random_state=0).fit(X, y), X),
    )
    yield (
        "rare pooled",
        lambda: of_predictor(EmbeddingRegressor(min_frequency=5, **FEW).fit(X, y), X),
    )
    yield (
        "two outputs",
        lambda: of_predictor(
            EmbeddingRegressor(3, (8,), **FEW).fit(X, np.stack([y, -(y**2)], 1)), X
        ),
    )
    yield (
        "points",
        lambda: of_predictor(EmbeddingRegressor(prior=None, **FEW).fit(X, y), X),
    )
    yield (
        "points, two outputs, sgd",
        lambda: of_predictor(
            EmbeddingRegressor(
                [2, 3, 4],
                prior=None,
                optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
                **FEW,
            ).fit(X, np.stack([y, -y], 1)),
            X,
        ),
    )
    for prior in ("normal", None):
        yield (
            f"early stopping, {prior}",
            lambda prior=prior: of_predictor(
                EmbeddingRegressor(
                    prior=prior,
                    early_stopping=True,
                    epochs=12,
                    n_iter_no_change=2,
                    tol=0.5,
                    random_state=3,
                ).fit(X, y),
                X,
            ),
        )
        yield (
            f"own head, {prior}",
            lambda prior=prior: of_predictor(
                EmbeddingRegressor(model=head, prior=prior, **FEW).fit(X, y), X
            ),
        )
    weights = np.arange(len(y)) % 4
    yield (
        "weights",
        lambda: of_predictor(EmbeddingRegressor(**FEW).fit(X, y, weights), X),
    )
    yield (
        "schedule, no layers",
        lambda: of_predictor(
            EmbeddingRegressor(
                hidden_layer_sizes=(),
                learning_rate=keras.optimizers.schedules.ExponentialDecay(
                    0.01, 20, 0.9
                ),
                **FEW,
            ).fit(X, y),
            X,
        ),
    )
    yield (
        "callbacks",
        lambda: of_predictor(
            EmbeddingRegressor(
                callbacks=[
                    keras.callbacks.ReduceLROnPlateau(
                        "loss", patience=1, min_delta=9.0
                    ),
                    keras.callbacks.EarlyStopping(
                        "loss", patience=3, restore_best_weights=True
                    ),
                ],
                epochs=8,
                random_state=3,
            ).fit(X, y),
            X,
        ),
    )
    XO, yO = make_token_outcomes(10_000, 5, random_state=0)
    yield (
        "first experiment",
        lambda: of_predictor(
            EmbeddingRegressor(
                4,
                (10, 8, 6, 4),
                ("relu", "linear", "linear", "linear"),
                prior=None,
                categorical_features="all",
                optimizer="rmsprop",
                learning_rate=1e-3,
                batch_size=1000,
                epochs=100,
                random_state=0,
            ).fit(XO, yO),
            XO,
        ),
    )


def streams():
    """Yield name, what is learned: fits that go on."""
    X, y = table()
    new = X.iloc[:60].assign(shop=[f"new {i % 7}" for i in range(60)])

    def going_on(method, prior="normal", **params):
        model = EmbeddingRegressor(prior=prior, **params).fit(X[:600], y[:600])
        return of_predictor(getattr(model, method)(new, y[:60]), X)

    for prior in ("normal", None):
        for method in ("partial_fit", "fold_in"):
            yield f"{method}, {prior}", lambda p=prior, m=method: going_on(m, p, **FEW)
        yield (
            f"warm start, {prior}",
            lambda p=prior: going_on("fit", p, warm_start=True, **FEW),
        )

    def chunks():
        model = EmbeddingRegressor(**FEW)
        for start in range(0, 900, 300):
            model.partial_fit(X[start : start + 300], y[start : start + 300])
        return of_predictor(model, X)

    yield "chunks", chunks
    yield (
        "chunks, auto",
        lambda: of_predictor(
            EmbeddingRegressor(random_state=0)
            .partial_fit(X[:400], y[:400])
            .partial_fit(X[400:], y[400:]),
            X,
        ),
    )


def classifiers():
    """Yield name, what is learned: fits of EmbeddingClassifier."""
    X, y = table()
    three = np.digitize(y, np.quantile(y, [0.4, 0.8]))
    yield (
        "two classes",
        lambda: of_predictor(EmbeddingClassifier(random_state=0).fit(X, y > 0), X),
    )
    yield (
        "three classes, balanced",
        lambda: of_predictor(
            EmbeddingClassifier(class_weight="balanced", **FEW).fit(X, three), X
        ),
    )
    yield (
        "many labels",
        lambda: of_predictor(
            EmbeddingClassifier(**FEW).fit(X, np.stack([y > 0, y > 1], 1).astype(int)),
            X,
        ),
    )
    yield (
        "classes, points",
        lambda: of_predictor(EmbeddingClassifier(prior=None, **FEW).fit(X, three), X),
    )
    yield (
        "classes in chunks",
        lambda: of_predictor(
            EmbeddingClassifier(**FEW)
            .partial_fit(X[:500], three[:500], classes=[0, 1, 2])
            .partial_fit(X[500:], three[500:]),
            X,
        ),
    )


def transformers():
    """Yield name, what is learned: encoders and similarities."""
    X, y = table()
    tokens = ["shop", "day", "kind"]
    columns = {"categorical_features": tokens, "random_state": 0}
    small = EmbeddingRegressor(3, epochs=5)
    yield (
        "encoder",
        lambda: of_encoder(EmbeddingEncoder(remainder="passthrough", **columns), X, y),
    )
    yield (
        "encoder of classes",
        lambda: of_encoder(
            EmbeddingEncoder(EmbeddingClassifier(3, epochs=5), **columns), X, y > 0
        ),
    )
    yield (
        "encoder with means and spreads",
        lambda: of_encoder(
            EmbeddingEncoder(small, output="mean_std", target_mean=True, **columns),
            X,
            y,
        ),
    )
    yield (
        "encoder of points",
        lambda: of_encoder(
            EmbeddingEncoder(EmbeddingRegressor(3, prior=None, epochs=5), **columns),
            X,
            y,
        ),
    )
    yield (
        "frozen encoder",
        lambda: of_encoder(
            EmbeddingEncoder(
                FrozenEstimator(EmbeddingRegressor(**FEW).fit(X, y)),
                categorical_features=tokens,
            ),
            X,
            y,
        ),
    )

    def encoder_in_chunks():
        encoder = EmbeddingEncoder(small, **columns).partial_fit(X[:600], y[:600])
        new = X[600:].assign(shop="new")
        encoder.partial_fit(new, y[600:])
        return {f"vectors_{k}": v for k, v in enumerate(encoder.embeddings_)}

    yield "encoder in chunks", encoder_in_chunks

    def similar(metric):
        flights = load_flights(as_frame=True)
        X, y = flights.data[:3000], flights.target[:3000]
        model = TokenSimilarity(
            EmbeddingRegressor(**FEW), feature="dest", metric=metric, random_state=0
        ).fit(X, y)
        tied = model.most_similar("LAX", n=5, return_tied=True)
        return {
            "distances": model.transform(X[:100]),
            "near": np.array([d for _, d, _ in tied]),
            "nearer": model.probability_nearer("SFO", "BOS", to="LAX"),
        }

    for metric in ("euclidean", "cosine", "outcome"):
        yield f"similarity, {metric}", lambda metric=metric: similar(metric)


def learned():
    """All numbers, by the name of the fit and what they are."""
    found = {}
    for cases in (regressors, streams, classifiers, transformers):
        for name, make in cases():
            print(name, flush=True)
            found |= {f"{name}: {what}": np.asarray(v) for what, v in make().items()}
    return found


def main():
    """Write the numbers down, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["write", "compare"])
    parser.add_argument("file")
    args = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = learned()
    if args.action == "write":
        np.savez_compressed(args.file, **found)
        return
    with np.load(args.file) as file:
        before = dict(file)
    other = set(before) ^ set(found)
    for name in sorted(set(before) & set(found)):
        if not np.array_equal(before[name], found[name], equal_nan=True):
            other.add(name)
            same_shape = before[name].shape == found[name].shape
            most = np.abs(before[name] - found[name]).max() if same_shape else "shape"
            print(f"differs: {name} ({most})")
    print(f"{len(found)} arrays, {len(other)} differ")
    sys.exit(bool(other))


if __name__ == "__main__":
    main()
