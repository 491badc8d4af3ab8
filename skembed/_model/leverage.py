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
from scipy.linalg import cholesky
from scipy.linalg.lapack import dtrtri

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
        # Symmetric: its transpose is the same, in the order that LAPACK works in.
        root = cholesky(covariance.T, lower=True, overwrite_a=True, check_finite=False)
        inverse, _ = dtrtri(root, lower=True, overwrite_c=True)
        without = np.square(inverse).sum(axis=0) * scatter
        found[:, output] = (1.0 - without) / weights
    return np.clip(found, 0.0, settings.MAX_LEVERAGE)[which]


def _covariances(fitted, encoded, n_seen):
    """Covariance of the rows' outputs under the priors, output by output."""
    slopes = np.concatenate([s for _, s in fitted.predictor.slopes(encoded)])
    at = encoded.codes + fitted.offsets
    prior = fitted.prior.rows(at)
    layers = list(
        slopes_by_layer(
            fitted.architecture,
            fitted.weights,
            fitted.weights.table.mean[at] * fitted.mask,
            encoded.numbers,
            fitted.predictor.knots,
        )
    )
    linear = _precision("linear", fitted, n_seen)
    numbers = encoded.numbers / np.sqrt(linear[:, 0])
    curved = np.flatnonzero(at[0] >= fitted.curves.start)
    for output in range(fitted.architecture.n_outputs):
        terms = [(numbers,)]
        for k in curved:
            terms.append((_along_curve(fitted, at[:, k], slopes[:, output, k], k),))
        for name, inputs, by in layers:
            along = by[:, output] / np.sqrt(_precision(name, fitted, n_seen))
            terms.append((inputs, along))
        total = _covariance(terms)
        total += settings.FREE_VARIANCE  # the intercept is free
        for k in range(at.shape[1]):
            along = slopes[:, output, k] / np.sqrt(prior.precision[:, k])
            _add_by_token(total, along.astype(np.float64), at[:, k])
        yield total


def _covariance(terms):
    """Sum of the products of rows' inner products, one or two in each term."""
    n = len(terms[0][0])
    total = np.zeros((n, n))
    # In pieces: what is in between stays in the cache.
    for start in range(0, n, settings.COVARIANCE_ROWS):
        rows = slice(start, start + settings.COVARIANCE_ROWS)
        for first, *others in terms:
            found = first[rows] @ first.T
            for other in others:
                found *= other[rows] @ other.T
            total[rows] += found
    return total


def _add_by_token(total, along, tokens):
    """Add the covariance of rows that have the same token; others share no vector."""
    order = np.argsort(tokens, kind="stable")
    size = np.bincount(tokens)[tokens[order]]
    alone = order[size == 1]
    total[alone, alone] += np.square(along[alone]).sum(axis=1)
    order = order[size > 1]
    starts = np.flatnonzero(np.diff(tokens[order])) + 1
    for own in np.split(order, starts):
        total[np.ix_(own, own)] += along[own] @ along[own].T


def _along_curve(fitted, at, slopes, k):
    """Slopes along the waves of a column's curve, over roots of their precisions."""
    curves, first = fitted.curves, fitted.architecture.n_first
    scale = np.exp(fitted.weights.dense["prior"][k, :, Field.LOG_CURVE])
    basis = curves.basis[at - curves.start] / np.arange(1, N_WAVES + 1)
    along = slopes[:, :first, None] * scale[:, None] * basis[:, None]
    return along.reshape(len(at), -1).astype(np.float64)


def _precision(name, fitted, n_seen):
    shape, n_outputs = fitted.weights.dense[name].shape, fitted.architecture.n_outputs
    return weight_precision(name, shape, n_seen, fitted.predictor.knots, n_outputs)
