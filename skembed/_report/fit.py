"""The fit at a glance, as plain data: scores, losses, scales, parameters, versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from sklearn.base import is_classifier

from .._data.wording import shown

__all__ = ["fit_facts"]

_PACKAGES = ("scikit-learn", "numpy", "tensorflow", "keras", "bokeh")


def fit_facts(outer, estimator, tables, score):
    """Return what there is to say of a fit, ready for JSON.

    Parameters
    ----------
    outer : estimator
        What the user passed, whose parameters are shown.
    estimator : estimator
        The predictor in it.
    tables : list of TokenTable
        All its columns of tokens.
    score : float or None
        Its score on the rows that were given.
    """
    names = [table.name for table in tables]
    return {
        "estimator": type(outer).__name__,
        "predictor": type(estimator).__name__,
        "score": score,
        "scoreName": "accuracy" if is_classifier(estimator) else "R²",
        "loss": _numbers(getattr(estimator, "loss_curve_", [])),
        "validation": _numbers(getattr(estimator, "validation_loss_curve_", [])),
        "epochs": int(getattr(estimator, "n_iter_", 0)),
        "noise": _noise(estimator),
        "nRows": _rows(tables),
        "nFeatures": int(getattr(estimator, "n_features_in_", len(tables))),
        "columns": [_column(estimator, k, t) for k, t in enumerate(tables)],
        "columnNames": names,
        "parameters": _parameters(outer),
        "versions": _versions(),
    }


def _numbers(values):
    """Return numbers for JSON, which has no infinity."""
    return [float(v) if np.isfinite(v) else None for v in values]


def _noise(estimator):
    try:
        return _numbers(np.ravel(estimator.noise_scale_))
    except AttributeError:  # classes, counts, or no posterior
        return []


def _rows(tables):
    """Return the weight of the rows of training, which every column has seen."""
    return float(tables[0].counts.sum()) if tables else 0.0


def _column(estimator, k, table):
    active = getattr(estimator, "n_active_dims_", None)
    return {
        "name": table.name,
        "tokens": len(table),
        "dim": int(table.vectors.shape[1]),
        "active": None if active is None else int(active[k]),
        "scales": [] if table.prior_scale is None else _numbers(table.prior_scale),
        "pooled": 0 if table.pooled is None else len(table.pooled),
    }


def _parameters(estimator):
    """Return (name, value, whether it is the default) of the parameters."""
    try:
        default = type(estimator)().get_params(deep=False)
    except TypeError:  # one that cannot do without an argument
        default = {}
    return [
        {
            "name": name,
            "value": shown(value),
            "isDefault": name in default and shown(default[name]) == shown(value),
        }
        for name, value in sorted(estimator.get_params(deep=False).items())
    ]


def _versions():
    from skembed import __version__

    found = {"skembed": __version__, "Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
