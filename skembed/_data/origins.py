"""From where slopes are counted: where levels and slopes of tokens are independent.

Who earns more grows faster: levels and slopes hang together, unless they are counted
from the right place. Two normal variables always have one. It follows from the products
of residuals of two rows of a token, whose expectation is

    var(level) + cov(level, slope) (z + z') + var(slope) z z'

by least squares over all pairs of rows that share a token (Haseman and Elston 1972,
"The investigation of linkage between a quantitative trait and a marker locus").
"""

import numpy as np

from .. import _settings as settings
from .additive import additive_residuals


def origins(codes, columns, z, outcome, weights):
    """Origin of every slope, in the units of its number.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_columns)
    columns : list of int
        Which of the columns the tokens of every slope are.
    z : ndarray of float of shape (n_rows, n_slopes)
        The numbers of the slopes.
    outcome : ndarray of float of shape (n_rows, n_outputs)
    weights : ndarray of float of shape (n_rows,)

    Returns
    -------
    origins : list of float
    """
    rest = {
        k: additive_residuals(np.delete(codes, k, axis=1), outcome, weights)
        for k in set(columns)
    }
    return [
        _origin(codes[:, k], number, _without_line(rest[k], number, weights), weights)
        for k, number in zip(columns, z.T, strict=True)
    ]


def _without_line(rest, z, weights):
    """Residuals without what the number does to all tokens alike."""
    centred = z - np.average(z, weights=weights)
    square = np.average(np.square(centred), weights=weights)
    slope = np.average(centred[:, None] * rest, axis=0, weights=weights)
    rest = rest - centred[:, None] * slope / max(square, 1e-12)
    return rest - np.average(rest, axis=0, weights=weights)


def _origin(codes, z, rest, weights):
    """Where level and slope are independent, the mean over the outputs."""
    n = int(codes.max(initial=0)) + 1

    def sums(values):
        return np.bincount(codes, weights * values, n)

    # Of every token the sums of powers; without a row's pairs with itself.
    count, *powers = (sums(z**k) for k in range(5))
    first, second, third, fourth = powers
    gram = np.empty((3, 3))
    gram[0, 0] = np.sum(count * count - count)
    gram[0, 1] = gram[1, 0] = 2.0 * np.sum((count - 1.0) * first)
    gram[0, 2] = gram[2, 0] = np.sum(first * first - second)
    gram[1, 1] = 2.0 * np.sum((count - 1.0) * second + first * first - second)
    gram[1, 2] = gram[2, 1] = 2.0 * np.sum(first * second - third)
    gram[2, 2] = np.sum(second * second - fourth)
    products = np.zeros(3)
    for r in rest.T:
        total, by_z = sums(r), sums(r * z)
        products += [
            np.sum(total * total - sums(r * r)),
            2.0 * np.sum(total * by_z - sums(r * r * z)),
            np.sum(by_z * by_z - sums(r * r * z * z)),
        ]
    gram[np.diag_indices(3)] += 1e-9 * np.trace(gram) + 1e-12
    inverse = np.linalg.inv(gram)
    _, both, slope = inverse @ products
    if slope <= 0.0:
        return 0.0
    # Were all products noise, the variance of the slopes would be as large as this.
    size = np.average(np.square(rest), axis=0, weights=weights).sum()
    error = np.sqrt(2.0 * inverse[2, 2]) * size
    sure = slope**2 / (slope**2 + settings.SLOPE_DOUBT * error**2)
    most = settings.SLOPE_ORIGIN
    return float(np.float32(sure * np.clip(-both / slope, -most, most)))
