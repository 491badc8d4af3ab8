"""Pickles of other versions are loaded with a warning."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.exceptions import InconsistentVersionWarning

from skembed import (
    EmbeddingClassifier,
    EmbeddingEncoder,
    EmbeddingRegressor,
    TokenSimilarity,
    _versions,
)

ESTIMATORS = [
    EmbeddingRegressor,
    EmbeddingClassifier,
    EmbeddingEncoder,
    TokenSimilarity,
]


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_another_version_is_warned_of(kind, monkeypatch):
    now = pickle.dumps(kind(random_state=3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pickle.loads(now).random_state == 3
    monkeypatch.setattr(_versions, "__version__", "99.0")
    with pytest.warns(
        InconsistentVersionWarning, match=f"{kind.__name__} from skembed"
    ):
        again = pickle.loads(now)
    assert again.get_params()["random_state"] == 3
    assert not [name for name in vars(again) if "version" in name]


def test_a_fitted_one_predicts_the_same_after_the_warning(colours, monkeypatch):
    X, y = colours
    model = EmbeddingRegressor(2, (4,), epochs=1, random_state=0).fit(X, y)
    written = pickle.dumps(model)
    monkeypatch.setattr(_versions, "__version__", "99.0")
    with pytest.warns(_versions.VersionWarning, match="when using skembed 99.0"):
        again = pickle.loads(written)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
