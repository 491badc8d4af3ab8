"""Names for tokens of any kind in text files, with an exact way back."""

from __future__ import annotations

import datetime
import re
import unicodedata
from decimal import Decimal
from urllib.parse import unquote_to_bytes

import numpy as np

__all__ = ["keyed_vectors_name", "token_from_keyed_vectors_name"]

_TYPED = re.compile(r"%([a-z][a-z0-9_]*)(?:\[(\w+)\])?:(.*)", re.DOTALL)


def keyed_vectors_name(token):
    r"""Return the name that `to_keyed_vectors` writes for a token.

    Files of word2vec end a name at the first space, and they know strings only; so
    white space is escaped, and what is no string carries its type.

    Parameters
    ----------
    token : object
        A string, bytes, bool, integer, float, decimal, date, time stamp or duration,
        or None, nan, NaT or pandas.NA.

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
        If there is no exact way back from a name for tokens of this type.

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
        return f"%int:{int(token)}"
    if isinstance(token, float | np.floating):
        return f"%float:{float(token)!r}"
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
        return f"%timedelta64[{np.datetime_data(token)[0]}]:{token.astype(np.int64)}"
    if isinstance(token, datetime.datetime):
        return f"%datetime:{token.isoformat()}"
    if isinstance(token, datetime.date):
        return f"%date:{token.isoformat()}"
    if isinstance(token, datetime.time):
        return f"%time:{token.isoformat()}"
    raise TypeError(
        f"The token {token!r} is a {type(token).__name__}, which has no exact way back "
        "from a name in a text file. Turn the column into strings before fit."
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
        If `keyed_vectors_name` gives this name to no token.

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
    typed = _TYPED.fullmatch(name)
    if typed is None:
        return unquote_to_bytes(name.encode("utf-8", errors="surrogatepass")).decode(
            "utf-8", errors="surrogatepass"
        )
    kind, unit, value = typed.groups()
    if kind in ("datetime64", "timedelta64"):
        count = value if kind == "datetime64" or value == "NaT" else int(value)
        return getattr(np, kind)(count, unit)
    if kind not in _READERS:
        raise ValueError(
            f"The name {name!r} starts with an unknown type {kind!r}; the known ones "
            f"are {sorted([*_READERS, 'datetime64', 'timedelta64'])}."
        )
    return _READERS[kind](value)


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
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
}
