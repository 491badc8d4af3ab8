"""Displays: plots of fitted estimators. Matplotlib is imported when they draw."""

from skembed._plot._embedding import EmbeddingDisplay
from skembed._plot._importance import FeatureImportanceDisplay
from skembed._plot._loss_curve import LossCurveDisplay
from skembed._plot._prediction import PredictionDisplay
from skembed._plot._similarity import SimilarityDisplay
from skembed._plot._token_outcome import TokenOutcomeDisplay

__all__ = [
    "EmbeddingDisplay",
    "FeatureImportanceDisplay",
    "LossCurveDisplay",
    "PredictionDisplay",
    "SimilarityDisplay",
    "TokenOutcomeDisplay",
]
