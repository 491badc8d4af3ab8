"""Which columns the parameters name, and how their cells are read."""

import numpy as np

from .columns import read
from .hierarchy import Level, ParentMap
from .several import DELIMITER, OneToken, SeveralTokens
from .wording import shown

# The parameters that say more of columns of tokens than that they are such, and with
# the others all that say what the columns are.
MORE_OF_COLUMNS = (
    "shared_features",
    "hierarchy",
    "token_features",
    "varying_slopes",
    "varying_curves",
    "crosses",
)
OF_COLUMNS = (
    "categorical_features",
    "multi_valued_features",
    "combiner",
    *MORE_OF_COLUMNS,
)


def choose_multi_valued(X, wanted, combiner, names, is_categorical):
    """How the cells of every column are read, and which columns are categorical.

    Parameters
    ----------
    X : table or ndarray
    wanted : "auto", None, array-like of names, indices or bool, or dict
    combiner : {"mean", "sum"}
    names : ndarray of str or None
        Names of the columns, where they have any.
    is_categorical : ndarray of bool of shape (n_features,)

    Returns
    -------
    readers : list
        One for every column.
    is_categorical : ndarray of bool of shape (n_features,)
        With the columns that `wanted` names.
    """
    n, parameter, several = X.shape[1], "multi_valued_features", {}
    is_categorical = is_categorical.copy()
    if wanted is not None:
        for j, column in enumerate(read(X)):
            if is_categorical[j] and column.holds_lists:
                several[j] = SeveralTokens(None, combiner)
    if isinstance(wanted, dict):
        for key, delimiter in wanted.items():
            at = position(_plain(key), n, names, parameter)
            if delimiter is not None and not (isinstance(delimiter, str) and delimiter):
                raise ValueError(
                    f"{parameter} gives the column {key!r} the delimiter "
                    f"{shown(delimiter)}; it must be a text such as '|', or None for "
                    "cells that are lists."
                )
            several[at] = SeveralTokens(delimiter, combiner)
    elif not (wanted is None or isinstance(wanted, str)):
        for at in positions(wanted, n, names, parameter):
            several[at] = SeveralTokens(DELIMITER, combiner)
    is_categorical[list(several)] = True
    return [several.get(at, OneToken()) for at in range(n)], is_categorical


def choose_shared(wanted, n, names, is_categorical):
    """Which columns share a vocabulary, and which columns are categorical.

    Parameters
    ----------
    wanted : list of array-like of names, indices or bool, or None
    n : int
        Number of columns.
    names : ndarray of str or None
    is_categorical : ndarray of bool of shape (n_features,)

    Returns
    -------
    groups : list of list of int
        Positions in the table.
    is_categorical : ndarray of bool of shape (n_features,)
        With the columns that `wanted` names.
    """
    parameter, groups = "shared_features", []
    is_categorical = is_categorical.copy()
    for group in [] if wanted is None else wanted:
        if isinstance(group, str) or np.ndim(group) != 1:
            raise ValueError(
                f"{parameter} must be a list of groups of columns, such as [['home', "
                f"'away']]; got an entry {shown(group)}."
            )
        own = sorted(positions(group, n, names, parameter))
        twice = [at for at in own if any(at in other for other in groups)]
        if len(set(own)) < max(len(own), 2) or twice:
            raise ValueError(
                f"{parameter} must name two columns or more in a group, each of them "
                f"once; got {shown(wanted)}."
            )
        is_categorical[own] = True
        groups.append(own)
    return groups, is_categorical


def choose_categorical(X, wanted, names):
    """Mask of the categorical columns.

    Parameters
    ----------
    X : table or ndarray
    wanted : "auto", "all", None or array-like of names, indices or bool
        None stands for no categorical column.
    names : ndarray of str or None
        Names of the columns, where they have any.
    """
    n = X.shape[1]
    if wanted is None:
        return np.zeros(n, dtype=bool)
    if isinstance(wanted, str) and wanted == "all":
        return np.ones(n, dtype=bool)
    if isinstance(wanted, str) and wanted == "auto":
        return np.array([not c.is_float for c in read(X)], dtype=bool)
    mask = np.zeros(n, dtype=bool)
    mask[positions(wanted, n, names, "categorical_features")] = True
    return mask


def positions(wanted, n, names, parameter):
    """Positions of the columns that a parameter names.

    Parameters
    ----------
    wanted : array-like of names, indices or bool
    n : int
        Number of columns.
    names : ndarray of str or None
        Their names, where they have any.
    parameter : str
        What messages call it.
    """
    wanted = _as_list(wanted)
    kinds = {type(key) for key in wanted}
    if len(kinds) > 1:
        raise ValueError(
            f"{parameter} must hold names, indices or a boolean mask, not a mixture of "
            f"them; got {shown(wanted)}."
        )
    if kinds == {bool}:
        if len(wanted) != n:
            raise ValueError(
                f"{parameter} set as a boolean mask must have shape ({n},), one entry "
                f"per column of X; got shape ({len(wanted)},)."
            )
        return np.flatnonzero(wanted).tolist()
    return [position(key, n, names, parameter) for key in wanted]


def _as_list(wanted):
    """Names, indices or truth values as Python has them, so that True is not 1."""
    if not isinstance(wanted, list | tuple):
        wanted = np.asarray(wanted, dtype=object).reshape(-1)
    return [_plain(key) for key in wanted]


def _plain(key):
    return key.item() if isinstance(key, np.generic) else key


def position(key, n, names, parameter):
    """Position of the column that an entry of a parameter names, 0 to n - 1."""
    if isinstance(key, str):
        if names is None:
            raise ValueError(
                f"{parameter} names the column {key!r}, but X has no column "
                "names. Use indices, a mask or 'all', or pass a data frame."
            )
        at = np.flatnonzero(np.asarray(names) == key)
        if len(at) == 0:
            raise ValueError(
                f"{parameter} names the column {key!r}, which X does not "
                f"have; its columns are {list(names)}."
            )
        return int(at[0])
    if not isinstance(key, int):
        words = (
            "'auto', 'all', None, or " if parameter == "categorical_features" else ""
        )
        raise ValueError(
            f"{parameter} must be {words}an array-like of column names, column indices "
            f"or a boolean mask; got an entry {key!r}."
        )
    if not -n <= key < n:
        raise ValueError(f"{parameter} has the index {key}, but X has {n} columns.")
    return key % n


def choose_hierarchy(wanted, n, names, is_categorical):
    """What the tokens of columns are within, and which columns are categorical.

    Parameters
    ----------
    wanted : dict or None
        From columns to their parents, the nearest first: columns, or mappings from
        tokens to parents.
    n : int
        Number of columns.
    names : ndarray of str or None
    is_categorical : ndarray of bool of shape (n_features,)

    Returns
    -------
    chains : dict of int to list
        From positions of columns to their parents, all the way up: positions, or pairs
        of a `ParentMap` and whether it leads from the tokens themselves.
    is_categorical : ndarray of bool of shape (n_features,)
        With the columns that `wanted` names.
    """
    is_categorical, direct = is_categorical.copy(), {}
    for key, parents in ({} if wanted is None else wanted).items():
        child = position(_plain(key), n, names, "hierarchy")
        name = child if names is None else names[child]
        direct[child] = [
            parent
            if isinstance(parent, tuple)
            else position(_plain(parent), n, names, "hierarchy")
            for parent in _parents(parents, name)
        ]
        columns = [parent for parent in direct[child] if isinstance(parent, int)]
        if not direct[child] or len({child, *columns}) <= len(columns):
            raise ValueError(
                f"hierarchy must give the column {name!r} at least one parent, none of "
                f"them twice or itself; got {shown(parents)}."
            )
        is_categorical[[child, *columns]] = True
    return {
        child: _to_the_top(child, direct, names) for child in direct
    }, is_categorical


def _parents(wanted, name):
    """Parents as a list: keys of columns, and mappings with what they lead from."""
    if hasattr(wanted, "columns") and hasattr(wanted, "index"):  # by token
        maps = [wanted[column] for column in wanted.columns]
        return [(ParentMap.of(one, name), True) for one in maps]
    if not isinstance(wanted, list | tuple | np.ndarray):
        wanted = [wanted]
    return [
        (ParentMap.of(one, name), False) if hasattr(one, "items") else one
        for one in wanted
    ]


def _to_the_top(child, direct, names):
    """The parents of a column, and those of the last of them, and so on."""
    chain = list(direct[child])
    while isinstance(chain[-1], int) and chain[-1] in direct:
        more = direct[chain[-1]]
        if child in more or set(chain) & {one for one in more if isinstance(one, int)}:
            name = child if names is None else names[child]
            raise ValueError(f"hierarchy has the column {name!r} within itself.")
        chain += more
    return chain


def choose_described(wanted, n, names, is_categorical):
    """Which columns have features of tokens, and which columns are categorical.

    Parameters
    ----------
    wanted : dict or None
        From columns to data frames with one row per token.
    n : int
        Number of columns.
    names : ndarray of str or None
    is_categorical : ndarray of bool of shape (n_features,)

    Returns
    -------
    frames : dict of int to pairs of name and data frame
    is_categorical : ndarray of bool of shape (n_features,)
        With the columns that `wanted` names.
    """
    is_categorical, frames = is_categorical.copy(), {}
    for key, frame in ({} if wanted is None else wanted).items():
        at = position(_plain(key), n, names, "token_features")
        frames[at] = at if names is None else names[at], frame
    is_categorical[list(frames)] = True
    return frames, is_categorical


def refuse_both(frames, chains, readers, groups, slopes, crosses, names):
    """Raise if a column is of two kinds that cannot be of one column."""
    within = [
        one
        for child, chain in chains.items()
        for one in (child, *chain)
        if isinstance(one, int)
    ]
    kinds = {
        "multi_valued_features": [
            at for at, one in enumerate(readers) if isinstance(one, SeveralTokens)
        ],
        "shared_features": [at for group in groups for at in group],
        "hierarchy": within,
        "token_features": list(frames),
        **{name: [at for at, _ in pairs] for name, pairs in slopes.items()},
        "crosses": [] if isinstance(crosses, str) else sum(crosses, ()),
    }
    for kind, other in _APART:
        for at in kinds[kind]:
            if at in kinds[other]:
                name = at if names is None else names[at]
                raise ValueError(
                    f"The column {name!r} is in {kind} and in {other}; it can be in "
                    "one of them only."
                )


_APART = (
    ("hierarchy", "shared_features"),
    ("hierarchy", "multi_valued_features"),
    ("token_features", "hierarchy"),
    ("token_features", "shared_features"),
    ("token_features", "multi_valued_features"),
    ("varying_slopes", "multi_valued_features"),
    ("varying_curves", "multi_valued_features"),
    ("crosses", "multi_valued_features"),
)


def levels_of(chains, place):
    """The `Level` objects of chains of parents.

    Parameters
    ----------
    chains : dict
        As from `choose_hierarchy`.
    place : ndarray of int of shape (n_features,)
        Of each column among the columns of tokens.
    """
    levels, inner = [], {}
    inside = {p for chain in chains.values() for p in chain if isinstance(p, int)}
    for child, chain in chains.items():
        if child in inside:  # its parents are in the chain that it is in
            continue
        start = len(levels)
        for i, parent in enumerate(chain):
            own = {"child": int(place[child])}
            if isinstance(parent, int):
                own["column"] = int(place[parent])
                inner.setdefault(parent, (start + i, start + len(chain)))
            else:
                own["mapping"], of_token = parent
                own["below"] = None if of_token or i == 0 else start + i - 1
            levels.append(Level(**own))
    for column, (at, end) in inner.items():
        for i in range(at + 1, end):  # what its own tokens are within
            above = levels[i].column
            same = i if above is None else None
            levels.append(Level(int(place[column]), column=above, same=same))
    return levels
