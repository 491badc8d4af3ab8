"""EmbeddingEncoder: folds by groups, and what of TargetEncoder 1.9 is followed."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor

SMALL = {"embedding_dim": 2, "hidden_layer_sizes": (8,), "epochs": 5}


def make(predictor=EmbeddingRegressor, **settings):
    settings = {"random_state": 0, "cv": GroupKFold(3), **settings}
    return EmbeddingEncoder(predictor(**SMALL), **settings)


@pytest.fixture(scope="module", name="people")
def rows_of_people():
    """Rows of persons; each person has one token that is nobody else's."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(40), 6)
    X = pd.DataFrame({"id": [f"p{i}" for i in person], "b": rng.integers(0, 4, 240)})
    y = rng.normal(size=40)[person] + 0.3 * X["b"] + 0.3 * rng.normal(size=240)
    return X, y.to_numpy(), person


def routed():
    return sklearn.config_context(enable_metadata_routing=True)


@pytest.mark.parametrize("with_routing", [False, True])
def test_folds_keep_groups_together(people, with_routing):
    X, y, person = people
    with sklearn.config_context(enable_metadata_routing=with_routing):
        out = make().fit_transform(X, y, groups=person)
        again = make().fit_transform(X, y, groups=pd.Series(person))
    # No other fold knows a person: all that is left of the token is the prior.
    assert_array_equal(out[:, :2], 0.0)
    assert np.abs(out[:, 2:]).max() > 0.1
    assert_array_equal(again, out)
    assert np.abs(make(cv=3).fit_transform(X, y)[:, 0]).max() > 0.5


def test_each_fold_is_that_of_the_splitter(people):
    X, y, person = people
    pairs = list(GroupKFold(3).split(X, y, person))
    by_pairs = make(cv=pairs).fit_transform(X, y)
    assert_array_equal(make().fit_transform(X, y, groups=person), by_pairs)
    labels = (y > 0).astype(int)
    for cv in (StratifiedGroupKFold(3), LeaveOneGroupOut()):
        groups = person % 4
        pairs = list(cv.split(X, labels, groups))
        found = [
            make(EmbeddingClassifier, cv=one).fit_transform(X, labels, **given)
            for one, given in ((cv, {"groups": groups}), (pairs, {}))
        ]
        assert_array_equal(*found)


def test_fit_takes_groups_and_does_without_them(people):
    X, y, person = people
    encoder = make().fit(X, y, groups=person)
    assert_array_equal(
        encoder.transform(X), make().fit(X, y, groups=person.tolist()).transform(X)
    )
    crossed = make()
    crossed.fit_transform(X, y, groups=person)
    assert_array_equal(crossed.transform(X), encoder.transform(X))
    # As TargetEncoder: without folds the table of all rows.
    TargetEncoder(cv=GroupKFold(3)).fit(X, y)
    alone = make(rotation=None).fit(X, y)
    assert_array_equal(alone.embeddings_[0], alone.estimator_.embeddings_[0])
    assert make().partial_fit(X, y).embeddings_[0].shape == (40, 2)


def test_pipelines_and_searches_pass_groups_on(people):
    X, y, person = people
    with routed():
        model = make_pipeline(make(), Ridge()).fit(X, y, groups=person)
        expected = make().fit(X, y, groups=person).transform(X)
        assert_array_equal(model[0].transform(X), expected)
        grid = {"embeddingencoder__estimator__embedding_dim": [1, 2]}
        search = GridSearchCV(model, grid, cv=GroupKFold(2)).fit(X, y, groups=person)
        assert len(search.cv_results_["mean_test_score"]) == 2
        weights = np.ones(len(y))
        weighted = make().set_fit_request(sample_weight=True)
        model = make_pipeline(weighted, Ridge().set_fit_request(sample_weight=False))
        model.fit(X, y, groups=person, sample_weight=weights)
        assert_array_equal(model[0].transform(X), expected)
    model = make_pipeline(make(), Ridge())
    model.fit(X, y, embeddingencoder__groups=person)
    assert_array_equal(model[0].transform(X), expected)


def test_what_does_not_fit_together_is_refused(people):
    X, y, person = people
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        make().fit_transform(X, y)
    with pytest.raises(ValueError, match=r"inconsistent .*\[240, 239\]"):
        make().fit_transform(X, y, groups=person[1:])
    with pytest.raises(ValueError, match=r"cv=3 splits without.* cv=GroupKFold\(3\)"):
        make(cv=3).fit_transform(X, y, groups=person)
    with pytest.raises(ValueError, match="colours to cv only with sklearn.set_config"):
        make().fit_transform(X, y, colours=person)
    with routed(), pytest.raises(TypeError, match="unexpected argument.*groups"):
        make(cv=3).fit_transform(X, y, groups=person)


def test_shuffle_goes_as_that_of_target_encoder(people):
    X, y, _ = people
    assert EmbeddingEncoder().shuffle == TargetEncoder().shuffle == "deprecated"
    with pytest.warns(FutureWarning, match=r"shuffle .*cv=KFold\(5, shuffle=False\)"):
        unshuffled = make(cv=3, shuffle=False).fit_transform(X, y)
    assert_array_equal(make(cv=KFold(3)).fit_transform(X, y), unshuffled)
    with pytest.warns(FutureWarning, match="shuffle"):
        shuffled = make(cv=3, shuffle=True).fit_transform(X, y)
    assert_array_equal(make(cv=3).fit_transform(X, y), shuffled)


def test_arguments_of_partial_fit_stand_as_those_of_the_classifier(people):
    X, y, _ = people
    labels = np.where(y > 0, "up", "down")
    encoder = make(EmbeddingClassifier, cv=3)
    encoder.partial_fit(X, labels, ["down", "flat", "up"], np.full(len(y), 2.0))
    assert encoder.classes_.tolist() == ["down", "flat", "up"]
    assert encoder.category_counts_[1].sum() == 480


def three_classes(y):
    return np.array(["low", "middle", "high"])[np.digitize(y, [-0.5, 0.5])]


def test_effects_of_classes_are_those_of_the_outputs(people):
    X, y, _ = people
    encoder = EmbeddingEncoder(
        EmbeddingClassifier(3, (), epochs=20, random_state=0), output="first_order"
    ).fit(X[["b"]], three_classes(y))
    names = ["b_high", "b_low", "b_middle"]
    assert encoder.get_feature_names_out().tolist() == names
    fitted = encoder._fitted
    readout = fitted.weights.dense["readout"]
    first = fitted.weights.table.mean[:4, :3] @ readout
    assert np.abs(readout - np.eye(3)).max() > 1e-3
    assert_allclose(encoder.embeddings_[0], first, rtol=1e-5)
    back = encoder.inverse_transform(encoder.transform(X[["b"]]))
    assert_array_equal(back[:, 0], X["b"])


def test_effects_on_more_classes_than_coordinates_lie_among_the_folds(people):
    X, y, _ = people
    estimator = EmbeddingClassifier(1, (), epochs=5, random_state=0)
    encoder = EmbeddingEncoder(estimator, output="first_order", random_state=0, cv=2)
    out = encoder.fit_transform(X[["b"]], three_classes(y))
    assert out.shape == (240, 3)
    for token, effects in zip(
        *encoder.categories_, encoder.embeddings_[0], strict=True
    ):
        of_folds = out[X["b"] == token]
        assert (of_folds.min(axis=0) - 1e-6 <= effects).all()
        assert (effects <= of_folds.max(axis=0) + 1e-6).all()


def test_means_of_classes_are_named(people):
    X, y, _ = people
    encoder = EmbeddingEncoder(make(EmbeddingClassifier).estimator, target_mean=True)
    encoder.fit(X[["b"]], three_classes(y))
    assert encoder.get_feature_names_out().tolist() == [
        *["b_mean_high", "b_mean_low", "b_mean_middle"],
        *["b_0", "b_1"],
    ]
