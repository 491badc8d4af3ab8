"""Small fitted estimators, as the version at hand writes them.

``python tests/fitted/make.py`` writes the folder of this version: pickles and files of
skops, and what the estimators predicted. Tests load the folders of all versions. Once a
version is released its folder stays as it is.
"""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import skops.io

import skembed
from skembed import (
    EmbeddingClassifier,
    EmbeddingEncoder,
    EmbeddingRegressor,
    TokenSimilarity,
)

HERE = Path(__file__).parent
SMALL = {"embedding_dim": 2, "hidden_layer_sizes": (3,), "epochs": 2, "random_state": 0}


def rows():
    """Rows to fit on: text with missing values, whole numbers and numbers."""
    rng = np.random.default_rng(0)
    X = np.empty((60, 3), dtype=object)
    X[:, 0] = rng.choice(["a", "b", "größe", None], 60)
    X[:, 1] = rng.integers(0, 4, 60)
    X[:, 2] = rng.normal(size=60).round(3)
    return X, X[:, 1].astype(float) + rng.gamma(2.0, size=60)


def questions():
    """Rows to predict from, with a token that is unknown."""
    X = rows()[0][:6]
    X[0, 0] = "new"
    return X


def answers(model):
    """What an estimator says, as nested lists."""
    if isinstance(model, TokenSimilarity):
        return model.transform(rows()[0][:6, :1]).tolist()
    if hasattr(model, "predict_proba"):
        return model.predict_proba(questions()).tolist()
    if hasattr(model, "predict"):
        found = model.predict(questions()), model.predict_std(questions())
        return np.array(found).tolist()
    return model.transform(questions()).tolist()


def estimators():
    """The estimators by the names of their files."""
    X, y = rows()
    encoder = EmbeddingEncoder(EmbeddingRegressor(**SMALL), cv=2, random_state=0)
    return {
        "regressor": EmbeddingRegressor(**SMALL).fit(X, y),
        "amounts": EmbeddingRegressor(loss="gamma", **SMALL).fit(X, y),
        "counts": EmbeddingRegressor(loss="poisson", **SMALL).fit(X, np.floor(y)),
        "stream": EmbeddingRegressor(**SMALL).partial_fit(X, y),
        "classifier": EmbeddingClassifier(**SMALL).fit(X, np.digitize(y, [2, 4])),
        "encoder": encoder.fit(X, y),
        "similarity": TokenSimilarity(random_state=0).fit(X[:, :1], y),
    }


def main():
    """Write the folder of this version."""
    folder = HERE / skembed.__version__
    folder.mkdir(exist_ok=True)
    told = {}
    for name, model in estimators().items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(model, protocol=5))
        skops.io.dump(
            model,
            folder / f"{name}.skops",
            compression=zipfile.ZIP_DEFLATED,
            compresslevel=9,
        )
        told[name] = answers(model)
    (folder / "answers.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
