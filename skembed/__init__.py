"""Supervised embeddings of tokens, as scikit-learn estimators.

Names are loaded when they are first used: importing the package imports neither
TensorFlow nor matplotlib.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "EmbeddingRegressor": "_regressor",
    "EmbeddingClassifier": "_classifier",
    "EmbeddingEncoder": "_encoder",
    "TokenSimilarity": "_similarity",
    "Checkpoint": "_training.checkpoint",
    "LossCurveDisplay": "_plot",
    "TokenOutcomeDisplay": "_plot",
    "PredictionDisplay": "_plot",
    "EmbeddingDisplay": "_plot",
    "SimilarityDisplay": "_plot",
    "FeatureImportanceDisplay": "_plot",
    "TokenReport": "_report",
    "make_token_outcomes": "datasets",
    "load_flights": "datasets",
    "datasets": None,
    "export": None,
}
__all__ = list(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    if home is None:
        return import_module(f"{__name__}.{name}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *__all__])
