"""Checks of what a question or a plot is asked with; each error names the parameter."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

__all__ = ["check_count", "check_flag", "check_share", "shown"]

_LONGEST = 200


def shown(value):
    """Write a value for a message: as Python does, without what is beyond reading."""
    if isinstance(value, str | bytes) and len(value) > _LONGEST:
        return f"{value[: _LONGEST - 20]!r}... ({len(value):,} long)"
    try:
        text = repr(value)
    except Exception:  # integers of 5,000 digits, or a class of somebody else
        text = f"<a {type(value).__name__} that cannot be written>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 20]}..."


def check_count(name, value, *, least=1, none_is=None):
    """Return a number of things as an int.

    Parameters
    ----------
    name : str
        What the parameter is called.
    value : int
        Its value.
    least : int, default=1
        The smallest that makes sense.
    none_is : str, default=None
        What None means, where it means anything; None is then returned.
    """
    if value is None and none_is is not None:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral):
        others = "" if none_is is None else f", or None for {none_is}"
        raise TypeError(
            f"{name} must be an integer{others}, got {shown(value)}, a "
            f"{type(value).__name__}."
        )
    if value < least:
        raise ValueError(f"{name}={value} must be at least {least}.")
    return int(value)


def check_share(name, value, *, closed=False):
    """Return a probability; 0 and 1 are none unless `closed`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"{name} must be a number between 0 and 1, got {shown(value)}, a "
            f"{type(value).__name__}."
        )
    inside = 0 <= value <= 1 if closed else 0 < value < 1
    if not inside:
        how = "between 0 and 1" if closed else "strictly between 0 and 1"
        raise ValueError(f"{name} must be {how}, got {value!r}.")
    return value


def check_flag(name, value, *others):
    """Return True, False or one of `others`, refusing what only counts as one."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    for other in others:
        if isinstance(value, type(other)) and value == other:
            return value
    allowed = ", ".join(map(repr, (True, *others)))
    raise TypeError(
        f"{name} must be {allowed} or False, got {shown(value)}, a "
        f"{type(value).__name__}."
    )
