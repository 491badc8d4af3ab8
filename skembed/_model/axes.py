"""Principal axes of vectors, in units of their effect on the outcome.

The axes of a trained table are arbitrary: the effect of a coordinate depends on the
layers that read it. Here the vectors of every column are rotated so that the first
coordinate carries most of the column's effect on the outcome, the second most of the
rest, and so on. The slopes follow Constantine et al. 2014, "Active subspace methods",
section 2.1. The order then depends on the scatter of the vectors, as in principal
component analysis. Distances are in units of the outcome, and coordinates with almost
no effect on it are 0.
"""

import numpy as np

from .. import _settings as settings


def principal_axes(slopes, tables, counts, spreads=None):
    """Matrices (dim, dim) that rotate the vectors of each column.

    Parameters
    ----------
    slopes : ndarray of shape (n_rows, n_outputs, n_columns, width)
        Derivatives of the outcome by the vectors, for a sample of rows.
    tables : list of ndarray of shape (n_tokens_k, dim_k)
        Vectors of the tokens of each column.
    counts : list of ndarray of shape (n_tokens_k,)
        Their weights.
    spreads : list of ndarray of shape (n_tokens_k, dim_k), default=None
        Posterior standard deviations of the vectors, if they have any.

    Returns
    -------
    axes : list of ndarray of float64 of shape (dim_k, dim_k)
        The rotated vectors are ``vectors @ axes``. A coordinate is 0 if it carries less
        than ``settings.LEAST_AXIS``, or if the vectors differ less along it than their
        uncertainty, so that the next model does not fit noise. The first coordinate of
        each table always stays.
    """
    found = [
        _of_column(slopes[:, :, k, : table.shape[1]], table, weights)
        for k, (table, weights) in enumerate(zip(tables, counts, strict=True))
    ]
    total = sum(power.sum() for _, power in found)
    axes = []
    for k, (turned, power) in enumerate(found):
        stays = power > settings.LEAST_AXIS * total
        if spreads is not None:
            uncertain = np.square(spreads[k]) @ np.square(turned)
            stays &= power > np.average(uncertain, axis=0, weights=counts[k])
        stays[:1] = True
        axes.append(turned * stays)
    return axes


def in_use(spreads, prior_scale, counts):
    """Find the coordinates that are in use.

    The posterior of a coordinate that the outcome does not need falls back to the
    prior. A coordinate is in use if its variance, on average over the rows of the
    tokens, is less than half of the prior's.

    Parameters
    ----------
    spreads : ndarray of shape (n_tokens, dim)
        Posterior standard deviations.
    prior_scale : ndarray of shape (dim,)
    counts : ndarray of shape (n_tokens,)

    Returns
    -------
    in_use : ndarray of bool of shape (dim,)
    """
    left = np.average(np.square(spreads), axis=0, weights=counts)
    return left < settings.IN_USE * np.square(prior_scale)


def _of_column(slopes, table, weights):
    """Axes of one column in descending order of power, and their power."""
    by_outcome = np.einsum("noi,noj->ij", slopes, slopes) / len(slopes)
    size, turn = np.linalg.eigh(by_outcome)
    # In these coordinates a step of 1 moves the outcome by 1, in the mean square.
    root = turn * np.sqrt(np.maximum(size, 0.0))
    centred = table - np.average(table, axis=0, weights=weights)
    scatter = (centred * (weights / weights.sum())[:, None]).T @ centred
    power, turn = np.linalg.eigh(root.T @ scatter @ root)
    axes, power = (root @ turn)[:, ::-1], np.maximum(power[::-1], 0.0)
    # Along each of them the outcome rises, on average over rows and outputs.
    rises = slopes.mean(axis=(0, 1)) @ np.linalg.pinv(axes).T
    return axes * np.where(rises < 0.0, -1.0, 1.0), power
