"""Which predictor an outcome asks for, where the user names none."""

import warnings

import numpy as np
from sklearn.utils.multiclass import type_of_target

from . import _settings as settings
from ._classifier import EmbeddingClassifier
from ._regressor import EmbeddingRegressor

CLASSES = ("binary", "multiclass")
KNOWN = (*CLASSES, "multilabel-indicator", "continuous", "continuous-multioutput")


def target_type(y, how="Hand in an estimator to choose."):
    """Type of the target `y`: one of `KNOWN`.

    Floating point numbers are amounts, and so are whole numbers of more than
    ``settings.MAX_CLASSES`` values, with a warning that ends in `how` to choose.

    Raises
    ------
    ValueError
        If it is of another type.
    """
    kind = type_of_target(y, input_name="y")
    if kind not in KNOWN:
        raise ValueError(
            f"Unknown label type: Target type was inferred to be {kind!r}. Only "
            f"{KNOWN} are supported."
        )
    values = np.asarray(y)
    if kind not in CLASSES or values.dtype.kind not in "iuf":
        return kind
    if values.dtype.kind == "f":  # minutes, prices and counts that happen to be whole
        return "continuous"
    n_values = len(np.unique(values))
    if n_values > settings.MAX_CLASSES:
        warnings.warn(
            f"y holds {n_values} different whole numbers and is taken for an amount, "
            f"not for classes. {how}",
            UserWarning,
            stacklevel=2,
        )
        return "continuous"
    return kind


def predictor_of(kind):
    """Class of the predictor for a type of target."""
    of_numbers = kind.startswith("continuous")
    return EmbeddingRegressor if of_numbers else EmbeddingClassifier


def default_predictor(y):
    """Class of the predictor that is trained on `y`."""
    return predictor_of(target_type(np.asarray(y)))
