"""Rows as the training reads them: merged, targets in units of the network's output."""

import numpy as np

from .._data.blend import Blend
from .._data.memory import pieces
from .._data.rows import merge


def merged_rows(observations, offsets, likelihood):
    """Merged rows with the targets of y minus its minimum, and that minimum."""
    y = observations.outcome
    origin = y.min(axis=0) if likelihood.location_scale else np.zeros(y.shape[1])
    numbers, blend = observations.numbers, observations.blend
    if blend is not None:  # factors are numbers that tell rows apart
        offsets = offsets[blend.slots.block]
        numbers = np.concatenate([numbers, blend.factors], axis=1)
    rows = merge(
        observations.codes + offsets.astype(np.int32),
        numbers,
        likelihood.targets(y - origin),
        observations.weights,
        likelihood.average_targets,
    )
    if blend is not None:
        numbers, factors = np.split(rows.numbers, [observations.numbers.shape[1]], 1)
        rows = rows._replace(numbers=numbers, blend=Blend(factors, blend.slots))
    _in_place(likelihood.finish_targets, rows.targets)
    return rows, origin


def centre_and_scale(rows, origin, likelihood, tables):
    """What the outcome is centred on and divided by in training."""
    n_outputs = len(origin)
    if not (tables.has_likelihood and likelihood.location_scale):
        return np.zeros(n_outputs), np.ones(n_outputs)
    centre, scale = likelihood.centre_and_scale(rows.targets, rows.weights)
    # float32 digits: the same whatever the order in which the rows were summed.
    centre, scale = np.float32(centre).astype(float), np.float32(scale).astype(float)
    scale[~(scale > 0)] = 1.0
    return centre + origin, scale


def standardised(rows, origin, likelihood, centre, scale):
    """The rows, their targets brought into units of the network's output in place."""
    if not likelihood.location_scale:
        return rows
    _in_place(
        lambda part: likelihood.standardise(part, centre - origin, scale), rows.targets
    )
    return rows


def _in_place(function, targets):
    """Put what a function makes of targets in their place, some rows at a time."""
    for at in pieces(len(targets)):
        targets[at] = function(targets[at])


def rows_for(fitted, observations):
    """Merged rows in the units of a network that is there already."""
    likelihood = fitted.likelihood
    rows, origin = merged_rows(observations, fitted.offsets, likelihood)
    return standardised(rows, origin, likelihood, fitted.centre, fitted.scale)
