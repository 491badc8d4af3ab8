"""What the tokens of a column do to the outcome, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from .. import _settings as settings
from .._space.metrics import Space
from .._space.profiles import profiles_in
from .reference import unknown_outcome

__all__ = ["Effects", "Positions", "effects_of", "outcome_map", "reduced_map"]


@dataclass(frozen=True, eq=False)
class Effects:
    """Effects in units of the outcome, one column per output.

    Attributes
    ----------
    mean : ndarray of shape (n_tokens, n_outputs)
        Mean prediction with the token in the reference rows, less that of all tokens
        by their counts.
    std : ndarray of shape (n_tokens, n_outputs) or None
        Posterior standard deviation; None without a posterior.
    base : ndarray of shape (n_outputs,)
        What the effects are added to.
    unknown, unknown_std : ndarray of shape (n_outputs,)
        The same of an unknown token.
    unknown_profile : ndarray of shape (n_coordinates,)
        Its point in `space`.
    refuses_unknown : bool
        Whether the estimator refuses unknown tokens, so that theirs is the prior's.
    space : Space
        The tokens as points of predicted outcomes.
    """

    mean: np.ndarray
    std: np.ndarray | None
    base: np.ndarray
    unknown: np.ndarray
    unknown_std: np.ndarray | None
    unknown_profile: np.ndarray
    refuses_unknown: bool
    space: Space


def effects_of(rows, table):
    """Compute the effects of the tokens of `table` in `ReferenceRows`."""
    space = Space(table, "outcome", profiles_in(rows, table))
    n_outputs = space.profiles.shape[1] // len(rows)
    # A profile's coordinate is a difference of outcomes times sqrt(share / n_outputs).
    weight = np.sqrt(rows.shares * n_outputs)
    to_mean = np.kron(weight[:, None], np.eye(n_outputs))
    mean = space.profiles.astype(np.float64) @ to_mean
    # The first token's outcomes say from where all profiles are measured.
    scale = np.sqrt(rows.shares / n_outputs)[:, None]
    first = rows.outcomes(table.tokens[:1])[0]
    origin = first - space.profiles[0].reshape(first.shape) / scale
    base = rows.shares @ origin
    std = unknown_std = None
    if space.has_posterior:
        slope = np.square(space.slope @ to_mean)
        std = np.sqrt(np.square(table.spreads.astype(np.float64)) @ slope)
        own = table.spread_rows(np.array([table.unknown]))
        unknown_std = np.sqrt(np.square(own) @ slope)[0]
    outcome = unknown_outcome(rows, table)
    # Where unknown tokens are refused, the prior is about the mean token.
    unknown = np.zeros(space.profiles.shape[1])
    if outcome is not None:
        unknown = ((outcome - origin) * scale).ravel()
    return Effects(
        mean, std, base, unknown @ to_mean, unknown_std, unknown, outcome is None, space
    )


def half_width():
    """Return the standard deviations on either side of an interval."""
    return norm.ppf(0.5 + settings.REPORT_COVERAGE / 2)


@dataclass(frozen=True, eq=False)
class Positions:
    """A map: where the tokens are, and how far the posterior spreads them.

    Attributes
    ----------
    name : str
        What the map shows.
    axes : tuple of two str
    xy : ndarray of shape (n_tokens, 2)
    covariances : ndarray of shape (n_tokens, 2, 2) or None
    unknown, unknown_covariance
        The same of an unknown token; None where it has no place.
    equal : bool
        Whether both axes have the same unit.
    """

    name: str
    axes: tuple
    xy: np.ndarray
    covariances: np.ndarray | None = None
    unknown: np.ndarray | None = None
    unknown_covariance: np.ndarray | None = None
    equal: bool = True


def outcome_map(effects, table):
    """Return the principal axes of what the vectors do to the outcome.

    Where all that they do lies on one line, the height is the number of rows.
    """
    profiles = effects.space.profiles.astype(np.float64)
    share = table.counts / table.counts.sum()
    power, turn = np.linalg.eigh((profiles * share[:, None]).T @ profiles)
    power, turn = np.maximum(power[::-1], 0.0), turn[:, ::-1]
    total = max(power.sum(), 1e-300)
    is_line = len(power) < 2 or bool(power[1] < settings.REPORT_LINE * total)
    # The outcome, or the last of several, rises to the right and upwards.
    axes = turn[:, :1] if is_line else turn[:, :2]
    xy = profiles @ axes
    rises = xy.T @ effects.mean[:, -1]
    axes = axes * np.where(rises < 0, -1.0, 1.0)
    xy = profiles @ axes
    names = [
        f"axis {i + 1} ({_percent(p / total)} of what the tokens do)"
        for i, p in enumerate(power[:2])
    ]
    covariances = unknown_covariance = None
    slope = effects.space.slope @ axes if effects.space.has_posterior else None
    if slope is not None:
        covariances = _covariances(table.spreads, slope)
        own = table.spread_rows(np.array([table.unknown]))
        unknown_covariance = _covariances(own, slope)[0]
    unknown = effects.unknown_profile @ axes
    if is_line:
        height = np.log10(np.maximum(table.counts, 1e-3))
        xy = np.column_stack([xy[:, 0], height])
        # It has no rows: it stands below those that have the fewest.
        below = height.min() - max(0.06 * np.ptp(height), 0.1)
        unknown = np.array([unknown[0], below])
        names = [names[0], "rows (powers of ten)"]
        covariances = _flat(covariances)
        if unknown_covariance is not None:
            unknown_covariance = _flat(unknown_covariance[None])[0]
    return Positions(
        "predicted outcomes",
        tuple(names),
        xy,
        covariances,
        unknown,
        unknown_covariance,
        equal=bool(not is_line and power[1] > settings.REPORT_STRETCH * power[0]),
    )


def reduced_map(reduced, table, name):
    """Return a map by a user's reducer, from `_plot._map.reduce`."""
    xy, components, names = reduced
    covariances = unknown_covariance = None
    if components is not None and table.spreads is not None:
        covariances = _covariances(table.spreads, components.T)
        if table.prior_scale is not None:
            own = table.spread_rows(np.array([table.unknown]))
            unknown_covariance = _covariances(own, components.T)[0]
    unknown = None
    if components is not None:
        centre = table.vectors.mean(axis=0, dtype=np.float64)
        vector = table.rows(np.array([table.unknown]))[0]
        unknown = (vector - centre) @ components.T + xy.mean(axis=0)
    return Positions(
        name,
        names,
        xy,
        covariances,
        unknown,
        unknown_covariance,
    )


def _percent(share):
    """Write a share so that neither a rest nor a beginning looks like none."""
    percent = 100 * share
    if percent > 99.995:
        return "100 %"
    digits = 0 if 1 <= percent <= 99 else 1 if 0.1 <= percent <= 99.9 else 2
    return f"{percent:.{digits}f} %"


def _covariances(spreads, slope):
    variances = np.square(np.asarray(spreads, dtype=np.float64))
    return np.einsum("da,nd,db->nab", slope, variances, slope)


def _flat(covariances):
    """Return covariances of one coordinate as those of two, the other without any."""
    if covariances is None:
        return None
    out = np.zeros((len(covariances), 2, 2))
    out[:, 0, 0] = covariances[:, 0, 0]
    return out
