"""How much each training row has to say in its own prediction.

About the fitted network its output is linear in the vectors and the dense weights, and
under their normal priors that is a linear model with normal effects, or a Gaussian
process with the covariance ``K = sum of slopes times prior variances times slopes``
(the Gauss-Newton form of Laplace's approximation; Khan et al. 2019, "Approximate
Inference Turns Deep Networks into Gaussian Processes"). What a row gives to its own
prediction is the diagonal of ``K (K + noise)^-1``, and the residual that the row would
have without it follows in closed form (Rasmussen & Williams 2006, "Gaussian Processes
for Machine Learning", section 5.4.2). All columns and layers are seen at once, where
the posteriors of the tables know each vector on its own.
"""

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from .. import _settings as settings
from .._data.rows import equal_rows
from .network import slopes_by_layer, weight_precision
from .prior import N_WAVES, Field


def is_seen_at_once(fitted, rows):
    """Whether the leverages of these rows are computed for all weights at once.

    Not where a vector is blended of several rows of the table.

    Parameters
    ----------
    fitted : Fitted
    rows : Observations or Encoded
    """
    if fitted.architecture.head is not None or fitted.encoder.has_blends:
        return False
    n = len(equal_rows([rows.codes, rows.numbers])[0])
    cells = float(n) ** 2 * len(fitted.encoder.column_sizes)
    return n <= settings.JOINT_ROWS and cells <= settings.JOINT_CELLS


def joint_leverage(fitted, encoded, weights, noise):
    """Share of each row in the precision of its own prediction.

    Parameters
    ----------
    fitted : Fitted
    encoded : Encoded
        Training rows.
    weights : ndarray of shape (n_rows,)
        A weight of k stands for k copies, of which one is looked at.
    noise : ndarray of shape (n_rows, n_outputs)
        Variance of an outcome, in units of the network's output.

    Returns
    -------
    leverage : ndarray of shape (n_rows, n_outputs)
        Between 0 and `settings.MAX_LEVERAGE`.
    """
    # Rows that differ in their outcomes only have one leverage: one stands for all.
    _, first, which = equal_rows([encoded.codes, encoded.numbers])
    weights = np.bincount(which, weights)
    encoded, noise = encoded.rows(first), noise[first]
    found = np.empty_like(noise)
    for output, covariance in enumerate(_covariances(fitted, encoded, weights.sum())):
        of_one = np.maximum(noise[:, output], 1e-12 * np.trace(covariance))
        scatter = of_one / weights
        covariance[np.diag_indices(len(scatter))] += scatter
        root = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
        root = solve_triangular(root, np.eye(len(root)), lower=True, check_finite=False)
        without = np.square(root).sum(axis=0) * scatter
        found[:, output] = (1.0 - without) / weights
    return np.clip(found, 0.0, settings.MAX_LEVERAGE)[which]


def _covariances(fitted, encoded, n_seen):
    """Covariance of the rows' outputs under the priors, output by output."""
    dense, knots = fitted.weights.dense, fitted.predictor.knots
    slopes = np.concatenate([s for _, s in fitted.predictor.slopes(encoded)])
    at = encoded.codes + fitted.offsets
    prior = fitted.prior.rows(at)
    layers = list(
        slopes_by_layer(
            fitted.architecture,
            fitted.weights,
            fitted.weights.table.mean[at] * fitted.mask,
            encoded.numbers,
            knots,
        )
    )
    linear = _precision("linear", dense, n_seen, knots)
    numbers = encoded.numbers / np.sqrt(linear[:, 0])
    for output in range(fitted.architecture.n_outputs):
        # The intercept is free.
        total = settings.FREE_VARIANCE + numbers @ numbers.T
        for k in range(at.shape[1]):
            along = slopes[:, output, k] / np.sqrt(prior.precision[:, k])
            of_column = along.astype(np.float64) @ along.T
            of_column *= at[:, None, k] == at[None, :, k]
            total += of_column
            along = _along_curve(fitted, at[:, k], slopes[:, output, k], k)
            total += along @ along.T
        for name, inputs, by in layers:
            along = by[:, output] / np.sqrt(_precision(name, dense, n_seen, knots))
            total += (inputs @ inputs.T) * (along @ along.T)
        yield total


def _along_curve(fitted, at, slopes, k):
    """Slopes along the waves of a column's curve, over roots of their precisions."""
    curves, first = fitted.curves, fitted.architecture.n_first
    if at[0] < curves.start:
        return np.zeros((len(at), 1))
    scale = np.exp(fitted.weights.dense["prior"][k, :, Field.LOG_CURVE])
    basis = curves.basis[at - curves.start] / np.arange(1, N_WAVES + 1)
    along = slopes[:, :first, None] * scale[:, None] * basis[:, None]
    return along.reshape(len(at), -1).astype(np.float64)


def _precision(name, dense, n_seen, knots):
    return weight_precision(name, dense[name].shape, n_seen, knots)
