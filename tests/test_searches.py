"""Searches whose fits run elsewhere give the serial scores, to the last bit."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

GRID = {"embedding_dim": [2, 3]}


@pytest.fixture(scope="module")
def dask():
    """A cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        with distributed.Client(cluster):
            yield "dask"


@pytest.fixture(scope="module")
def ray():
    """Ray on this machine."""
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False)
    register_ray()
    yield "ray"
    ray.shutdown()


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_scores_are_the_serial_ones(engine, request, mixed, quick):
    X, y = mixed
    search = GridSearchCV(quick(), GRID, cv=2, return_train_score=True, refit=False)
    serial = search.fit(X, y).cv_results_
    scores = cross_val_score(quick(), X, y, cv=2)
    with joblib.parallel_config(backend=request.getfixturevalue(engine)):
        found = search.fit(X, y).cv_results_
        np.testing.assert_array_equal(cross_val_score(quick(), X, y, cv=2), scores)
    for name in ("split0_test_score", "split1_test_score", "mean_train_score"):
        np.testing.assert_array_equal(found[name], serial[name])
