"""Names for tokens of any kind in text files, from which tokens can be recovered."""

from __future__ import annotations

import datetime
import re
import unicodedata
from decimal import Decimal
from urllib.parse import unquote_to_bytes

import numpy as np

from .._data.wording import shown

__all__ = ["keyed_vectors_name", "token_from_keyed_vectors_name"]

_TYPED = re.compile(r"%([a-z][a-z0-9_]*)(?:\[(\w+)\])?:(.*)", re.DOTALL)
_ISO_TIME = re.compile(r"NaT|[-+]?[0-9]+(-[0-9]{2}){0,2}(T[0-9:.]+)?")
_MOST_BITS = 13_000  # Python itself writes no integers that are much longer


def keyed_vectors_name(token):
    r"""Return the name that `to_keyed_vectors` writes for a token.

    In files of word2vec a name ends at the first space, and all names are strings. So
    white space is escaped, and the name of anything but a string contains its type.

    Parameters
    ----------
    token : object
        A string, bytes, bool, integer, float, decimal, date, time, time stamp or
        duration, or None, nan, NaT or pandas.NA.

    Returns
    -------
    name : str
        Never empty, without white space and control characters, different for
        different tokens. A string is written as it is, but with white space, control
        characters and "%" in percent encoding (UTF-8, "%20" for a space). Everything
        else, the empty string included, is "%", its type, ":" and its value:
        "%int:12", "%bool:True", "%none:".

    Raises
    ------
    TypeError
        If there is no exact way back from a name to this token.

    See Also
    --------
    token_from_keyed_vectors_name : The way back.

    Examples
    --------
    >>> from skembed.export import keyed_vectors_name
    >>> [keyed_vectors_name(t) for t in ("New York", "100%", 12, None, "")]
    ['New%20York', '100%25', '%int:12', '%none:', '%str:']
    """
    if isinstance(token, str):
        return "".join(map(_escaped, token)) or "%str:"
    if token is None:
        return "%none:"
    if isinstance(token, bool | np.bool_):
        return f"%bool:{bool(token)}"
    if isinstance(token, int | np.integer) and not isinstance(token, np.timedelta64):
        if int(token).bit_length() > _MOST_BITS:
            raise TypeError(
                "An integer of more than 3,900 digits has no name in a text file. Turn "
                "the column into strings before fit."
            )
        return f"%int:{int(token)}"
    if isinstance(token, float | np.floating):
        number = float(token)
        if number != token and number == number:  # a long double loses digits
            raise _no_way_back(token)
        return f"%float:{number!r}"
    if isinstance(token, bytes):
        return f"%bytes:{token.hex()}"
    if isinstance(token, Decimal):
        return f"%decimal:{token}"
    if type(token).__name__ == "NAType":
        return "%na:"
    return _name_of_time(token)


def _name_of_time(token):
    if hasattr(token, "to_datetime64") and getattr(token, "tzinfo", None) is None:
        token = token.to_datetime64()  # pandas: finer than datetime
    elif hasattr(token, "to_timedelta64"):
        token = token.to_timedelta64()
    if isinstance(token, np.datetime64):
        return f"%datetime64[{np.datetime_data(token)[0]}]:{token}"
    if isinstance(token, np.timedelta64):
        return _name_of_duration(token)
    if isinstance(token, datetime.timedelta):
        return f"%timedelta:{token // datetime.timedelta(microseconds=1)}"
    if isinstance(token, datetime.datetime):
        if getattr(token, "nanosecond", 0):  # Python's own has microseconds only
            raise _no_way_back(token)
        return f"%datetime:{token.isoformat()}"
    if isinstance(token, datetime.date):
        return f"%date:{token.isoformat()}"
    if isinstance(token, datetime.time):
        return f"%time:{token.isoformat()}"
    raise _no_way_back(token)


def _name_of_duration(token):
    unit, step = np.datetime_data(token)
    count = int(token.astype(np.int64))  # NaT is a number of its own
    return f"%timedelta64[{unit}]:{count if np.isnat(token) else count * step}"


def _no_way_back(token):
    return TypeError(
        f"The token {shown(token)} is a {type(token).__name__}, which has no exact way "
        "back from a name in a text file. Turn the column into strings before fit."
    )


def _escaped(character):
    plain = not character.isspace() and character not in "%\ufeff"
    if plain and unicodedata.category(character) not in ("Cc", "Cs"):
        return character
    encoded = character.encode("utf-8", errors="surrogatepass")
    return "".join(f"%{byte:02X}" for byte in encoded)


def token_from_keyed_vectors_name(name):
    """Return the token that `to_keyed_vectors` has written under a name.

    It undoes `keyed_vectors_name`, types and all.

    Parameters
    ----------
    name : str
        A key of gensim's `KeyedVectors`.

    Returns
    -------
    token : object
        Equal to the token in `categories_` and of its kind: numbers come back as
        Python numbers, time stamps of pandas as `numpy.datetime64`.

    Raises
    ------
    ValueError
        If `keyed_vectors_name` gives this name to no token: an unknown type, a value
        that is none of its type, or one that it writes in another way ("%int:007").
    TypeError
        If the name is no string.

    See Also
    --------
    keyed_vectors_name : The way there.

    Examples
    --------
    >>> from skembed.export import token_from_keyed_vectors_name
    >>> token_from_keyed_vectors_name("New%20York")
    'New York'
    >>> token_from_keyed_vectors_name("%int:12")
    12
    """
    if not isinstance(name, str):
        raise TypeError(
            f"A name of keyed vectors is a string, got {shown(name)}, a "
            f"{type(name).__name__}."
        )
    token = _read(name)
    try:
        written = keyed_vectors_name(token)
    except TypeError:  # more digits than there are names for
        written = None
    if written != name:
        better = "" if written is None else f"; its token is written {shown(written)}"
        raise ValueError(f"The name {shown(name)} is given to no token{better}.")
    return token


def _read(name):
    """Return a token that may have this name, if any has."""
    typed = _TYPED.fullmatch(name)
    if typed is None:
        raw = unquote_to_bytes(name.encode("utf-8", errors="surrogatepass"))
        try:
            return raw.decode("utf-8", errors="surrogatepass")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"The name {shown(name)} is given to no token: after its percent "
                f"encoding it is no UTF-8 ({error.reason})."
            ) from None
    kind, unit, value = typed.groups()
    timed = kind in _TIMES
    if not timed and (kind not in _READERS or unit is not None):
        raise ValueError(
            f"The name {shown(name)} starts with an unknown type "
            f"{shown(name[1:].partition(':')[0])}; the known ones are "
            f"{sorted([*_READERS, *_TIMES])}, those of NumPy with their unit."
        )
    try:
        return _TIMES[kind](value, unit) if timed else _READERS[kind](value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ValueError(
            f"The name {shown(name)} is given to no token: {shown(value)} is no {kind}."
        ) from error


def _datetime64(value, unit):
    # NumPy would read a zone, too, and warn that it drops it.
    if unit is None or not _ISO_TIME.fullmatch(value):
        raise ValueError
    return np.datetime64(value, unit)


def _timedelta64(value, unit):
    if unit is None:
        raise ValueError
    return np.timedelta64(int(value), unit)


def _pandas_na(value):
    import pandas as pd

    return pd.NA


_READERS = {
    "str": str,
    "none": lambda value: None,
    "bool": lambda value: value == "True",
    "int": int,
    "float": float,
    "bytes": bytes.fromhex,
    "decimal": Decimal,
    "na": _pandas_na,
    "timedelta": lambda value: datetime.timedelta(microseconds=int(value)),
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
}

_TIMES = {"datetime64": _datetime64, "timedelta64": _timedelta64}
