"""Every private name of scikit-learn that is used, in one place.

Estimators of other packages have no public way to these; a release of scikit-learn
that moves one of them is met here and nowhere else.
"""

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_params,
)
from sklearn.utils._set_output import (
    _get_adapter_from_container as adapter_of_container,
)
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.validation import (
    _check_feature_names_in as check_feature_names_in,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _check_y as check_y
from sklearn.utils.validation import _get_feature_names as feature_names
from sklearn.utils.validation import _num_samples as num_samples


def in_container(estimator, data, X):
    """What a method has made of `X`, in the container that `set_output` asks for."""
    return _wrap_data_with_container("transform", data, X, estimator)


__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "adapter_of_container",
    "check_feature_names_in",
    "check_sample_weight",
    "check_y",
    "feature_names",
    "fit_context",
    "in_container",
    "num_samples",
    "validate_params",
]
