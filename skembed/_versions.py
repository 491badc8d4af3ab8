"""Pickles that know which version wrote them."""

import warnings

from sklearn.exceptions import InconsistentVersionWarning

from . import __version__

_KEY = "_skembed_version"


class VersionWarning(InconsistentVersionWarning):
    """An estimator was pickled by another version of skembed.

    Attributes
    ----------
    estimator_name : str
    current_sklearn_version, original_sklearn_version : str
        Versions of skembed that load and that wrote the pickle, under the names of
        scikit-learn's warning.
    """

    def __str__(self):
        return (
            f"Trying to unpickle {self.estimator_name} from skembed "
            f"{self.original_sklearn_version} when using skembed "
            f"{self.current_sklearn_version}. This might lead to breaking code or "
            "invalid results: fit it again, or load it with the version that wrote it."
        )


class VersionedPickles:
    """Mixin of estimators: writes the version into pickles, and checks it on load."""

    def __getstate__(self):
        return {**super().__getstate__(), _KEY: __version__}

    def __setstate__(self, state):
        state = dict(state)
        written = state.pop(_KEY, "before 0.1.0")
        if written != __version__:
            warning = VersionWarning(
                estimator_name=type(self).__name__,
                current_sklearn_version=__version__,
                original_sklearn_version=written,
            )
            warnings.warn(warning, stacklevel=2)
        super().__setstate__(state)
