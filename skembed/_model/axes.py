"""Principal axes of vectors, in units of what they do to the outcome.

The axes of a trained table are those that training happened to find: what one
coordinate is worth depends on the layers that read it. Here every column's vectors are
turned so that the first coordinate carries most of what the column does to the
outcome, the second most of the rest, and so on (Constantine et al. 2014, "Active
subspace methods", section 2.1, for the slopes; the vectors' own scatter then decides,
as in principal component analysis). Distances are in units of the outcome, and what
hardly moves it is 0.
"""

import numpy as np

from .. import _settings as settings


def principal_axes(slopes, tables, counts, spreads=None):
    """Matrices (dim, dim) that turn each column's vectors.

    Parameters
    ----------
    slopes : ndarray of shape (n_rows, n_outputs, n_columns, width)
        d outcome / d vector, of a sample of rows.
    tables : list of ndarray of shape (n_tokens_k, dim_k)
        Vectors of the tokens of each column.
    counts : list of ndarray of shape (n_tokens_k,)
        Their weights.
    spreads : list of ndarray of shape (n_tokens_k, dim_k), default=None
        Posterior standard deviations of the vectors, if they have any.

    Returns
    -------
    axes : list of ndarray of float64 of shape (dim_k, dim_k)
        The turned vectors are ``vectors @ axes``; columns of zeros stand for
        coordinates that carry less than ``settings.LEAST_AXIS`` or along which the
        vectors are less far apart than uncertain, but for the first of each table: a
        model that reads them would take noise for features.
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
    """Say which coordinates the data have decided on.

    The posterior of a coordinate that the outcome does not need falls back to the
    prior. In use are those whose variance, on average over the rows that hold the
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
    """Axes of one column in falling order of power, and their power."""
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
