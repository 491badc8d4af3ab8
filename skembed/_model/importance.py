"""How much each column does: its share in the variance of the network's output.

The effect of a column is half of the mean square by which the output changes when the
column's cells are those of another row, drawn at random: the estimator of the total
effect in a decomposition of variance (Saltelli et al. 2010, "Variance based sensitivity
analysis of model output", table 2, where it is Jansen's). Interactions count for every
column that takes part in them. Outcomes play no role: what a column of noise does to
the vectors has been shrunk away, so it needs no held-out rows to be found out.
"""

from dataclasses import replace

import numpy as np

from .. import _settings as settings
from .._data.rows import sample


def with_importances(fitted, rows):
    """The network with the importances of its columns, read from these rows."""
    return replace(fitted, importances=importances(fitted, rows))


def importances(fitted, rows):
    """Shares of the columns of `X` in the variance of the output; their sum is 1.

    All are 0 where the output is the same in all rows.

    Parameters
    ----------
    fitted : Fitted
    rows : Observations
    """
    n_features = len(fitted.encoder.is_categorical)
    n = max(settings.IMPORTANCE_PREDICTIONS // n_features, settings.IMPORTANCE_LEAST)
    n = min(n, settings.IMPORTANCE_ROWS)
    encoded = rows.encoded(_drawn(rows.cells, rows.weights, n))
    other = np.random.default_rng(0).permutation(n)
    unit, predictor = _units(fitted, rows), fitted.predictor

    def outputs(encoded):
        f = predictor.outputs(encoded)
        if fitted.likelihood.name == "categorical":  # the same for all says nothing
            f -= f.mean(axis=1, keepdims=True)
        return f * unit

    f, effects = outputs(encoded), np.zeros(n_features)
    for k in range(n_features):
        changed = fitted.encoder.exchanged(encoded, other, k)
        effects[k] = np.square(outputs(changed) - f).sum()
    return effects / max(effects.sum(), 1e-300)


def _drawn(blocks, weights, n):
    """Positions of `n` rows, each as often as its weight says, whatever their order."""
    at, times = sample(blocks, weights, n)
    upto = np.cumsum(times)
    wanted = (np.arange(n) + 0.5) / n * upto[-1]
    return at[np.minimum(np.searchsorted(upto, wanted), len(at) - 1)]


def _units(fitted, rows):
    """What each output is multiplied by, so that several count alike."""
    if not fitted.likelihood.location_scale:
        return 1.0
    centre = np.average(rows.outcome, axis=0, weights=rows.weights)
    variance = np.average(np.square(rows.outcome - centre), 0, weights=rows.weights)
    return fitted.scale / np.sqrt(np.maximum(variance, 1e-300))
