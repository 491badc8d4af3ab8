"""Which predictor an outcome asks for, where the user names none."""

import numpy as np
from sklearn.utils.multiclass import type_of_target

from ._classifier import EmbeddingClassifier
from ._regressor import EmbeddingRegressor

CLASSES = ("binary", "multiclass")
KNOWN = (*CLASSES, "multilabel-indicator", "continuous", "continuous-multioutput")


def target_type(y):
    """Say what `y` is: one of `KNOWN`.

    Raises
    ------
    ValueError
        If it is something else.
    """
    kind = type_of_target(y, input_name="y")
    if kind not in KNOWN:
        raise ValueError(
            f"Unknown label type: Target type was inferred to be {kind!r}. Only "
            f"{KNOWN} are supported."
        )
    return kind


def predictor_of(kind):
    """Class of the predictor for a type of target."""
    of_numbers = kind.startswith("continuous")
    return EmbeddingRegressor if of_numbers else EmbeddingClassifier


def default_predictor(y):
    """Class of the predictor that is trained on `y`."""
    return predictor_of(target_type(np.asarray(y)))
