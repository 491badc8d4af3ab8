"""Checks of what a question or a plot is asked with; each error names the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np

from .._data.wording import shown

__all__ = [
    "check_count",
    "check_flag",
    "check_lengths",
    "check_many",
    "check_names",
    "check_numbers",
    "check_share",
    "is_many",
]


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
        raise ValueError(f"{name}={shown(value)} must be at least {least}.")
    return int(value)


def check_share(name, value):
    """Return a probability, neither 0 nor 1."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"{name} must be a number between 0 and 1, got {shown(value)}, a "
            f"{type(value).__name__}."
        )
    if not 0 < value < 1:
        raise ValueError(f"{name} must be strictly between 0 and 1, got {value!r}.")
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


def is_many(tokens):
    """Return whether this is a collection of tokens, and not a single token."""
    if isinstance(tokens, list | tuple | set | frozenset | range):
        return True
    # A time stamp of pandas has a to_numpy, too.
    return getattr(tokens, "ndim", 0) > 0 or (
        hasattr(tokens, "to_numpy") and hasattr(tokens, "__len__")
    )


def check_many(name, tokens, *, least=0):
    """Refuse a single token where a collection of them belongs."""
    if not is_many(tokens):
        raise TypeError(
            f"{name} must be a list of tokens, got {shown(tokens)}, a "
            f"{type(tokens).__name__}; a single token is written [token]."
        )
    if len(tokens) < least:
        raise ValueError(f"{name} must hold at least {least} token, got none.")


def check_names(name, value):
    """Refuse what is no renaming of tokens: neither a dict nor a function nor None."""
    if not (value is None or isinstance(value, Mapping) or callable(value)):
        raise TypeError(
            f"{name} must be a dict from tokens to their names in the plot, a function "
            f"of a token, or None, got {shown(value)}, a {type(value).__name__}."
        )


def check_numbers(name, values, *, ndim=1, finite=False, optional=False):
    """Return float64 numbers in `ndim` dimensions, refusing anything else.

    Parameters
    ----------
    name : str
        What the parameter is called.
    values : array-like
        Its value.
    ndim : int, default=1
        0 for a single number.
    finite : bool, default=False
        Refuse NaN and infinity, too.
    optional : bool, default=False
        None may stand for no numbers; it is then returned.
    """
    if values is None and optional:
        return None
    what = "a number" if ndim == 0 else "numbers"
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be {what}, got {shown(values)}.") from error
    if numbers.ndim != ndim:
        raise ValueError(
            f"{name} must be {what} in {ndim} dimensions, got an array of shape "
            f"{numbers.shape}."
        )
    if finite and not np.isfinite(numbers).all():
        at = int(np.argmin(np.isfinite(numbers)))
        raise ValueError(f"{name} must be finite, got {numbers[at]} in row {at}.")
    return numbers


def check_lengths(**arrays):
    """Refuse arrays, those that are None left out, that differ in length."""
    lengths = {name: len(a) for name, a in arrays.items() if a is not None}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"{', '.join(lengths)} must be of one length, got the lengths "
            f"{', '.join(map(str, lengths.values()))}."
        )
