"""scikit-learn's own checks of the classifier and the encoder."""

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor

SMALL = {"embedding_dim": 2, "hidden_layer_sizes": (8,)}
CLASSIFIERS = [
    EmbeddingClassifier(),
    EmbeddingClassifier(**SMALL, categorical_features="all", epochs=30),
    EmbeddingClassifier(**SMALL, categorical_features=[0], epochs=30),
    EmbeddingClassifier(**SMALL, prior=None, epochs=30),
    EmbeddingClassifier(**SMALL, class_weight="balanced", epochs=30),
]
ENCODERS = [
    EmbeddingEncoder(),
    EmbeddingEncoder(EmbeddingRegressor(**SMALL, epochs=5), output="mean_std", cv=2),
    EmbeddingEncoder(EmbeddingRegressor(**SMALL, prior=None, epochs=5), cv=2),
    EmbeddingEncoder(
        EmbeddingClassifier(**SMALL, epochs=5),
        categorical_features=[0],
        remainder="passthrough",
        cv=2,
    ),
]


@pytest.mark.filterwarnings("ignore:The least populated class")
@parametrize_with_checks(CLASSIFIERS + ENCODERS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


class _Tagless(EmbeddingEncoder):
    """The encoder without the tag by which scikit-learn passes over checks."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


class _NotCrossFitted(_Tagless):
    """One that has `fit_transform` as those have that are not cross-fitted."""

    def fit_transform(self, X, y=None, sample_weight=None):
        return self.fit(X, y, sample_weight).transform(X)


# The checks that the tag takes out. What the last three of them ask, that
# fit_transform be fit().transform(), is what cross-fitting may not do; all else in
# them holds.
CHECKS_OF_THE_TAG = [
    (_Tagless, "check_pipeline_consistency", {}),
    (_Tagless, "check_methods_sample_order_invariance", {}),
    (_Tagless, "check_methods_subset_invariance", {}),
    (_NotCrossFitted, "check_transformer_data_not_an_array", {}),
    (_NotCrossFitted, "check_transformer_general", {}),
    (_NotCrossFitted, "check_transformer_general", {"readonly_memmap": True}),
]


@pytest.mark.parametrize(
    ("kind", "check", "options"),
    CHECKS_OF_THE_TAG,
    ids=[f"{check}{'-memmap' * bool(how)}" for _, check, how in CHECKS_OF_THE_TAG],
)
@pytest.mark.parametrize(
    "encoder", ENCODERS, ids=["default", "regressor", "point", "classifier"]
)
def test_checks_that_the_tag_takes_out(encoder, kind, check, options):
    given = clone(encoder).get_params(deep=False)
    getattr(estimator_checks, check)(kind.__name__, kind(**given), **options)
