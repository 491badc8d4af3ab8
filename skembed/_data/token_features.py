"""What is known of tokens besides: numbers and tokens of their own.

The prior mean of a token's vector is a linear map of its features, learned with all
else: the vector is that of the map and a deviation of its own. So a token that was
never seen, but has features, is what they say, with the spread of tokens about it.
"""

from dataclasses import dataclass

import numpy as np

from .. import _settings as settings
from .cells import as_objects, sort_order, text
from .columns import Column, as_tokens, read
from .frames import is_frame
from .lookup import Vocabulary
from .numbers import NumberScale


@dataclass(frozen=True, eq=False)
class TokenFeatures:
    """Features of the tokens of a column, as factors of rows of the table.

    Attributes
    ----------
    column : int
        Position among the columns of tokens.
    tokens : Vocabulary
        Those whose features are known.
    factors : ndarray of float64 of shape (n_tokens + 1, n_features)
        What the map's rows are multiplied by, token by token; 0 for all others, last.
    names : list of str
        Of the features.
    """

    column: int
    tokens: Vocabulary
    factors: np.ndarray
    names: list

    @property
    def size(self):
        """Number of rows of the block: the map's, and one that nothing uses."""
        return len(self.names) + 1

    def of_tokens(self, tokens):
        """Factors of tokens, (n, n_features)."""
        return self.factors[self.tokens.codes(tokens)]

    def part(self, column):
        """Codes and factors, (n_rows, n_features) each, of a column's cells."""
        codes, uniques = column.factorize()
        at = np.append(self.tokens.positions(uniques), -1)[codes]
        factors = self.factors[at]
        return np.broadcast_to(np.arange(factors.shape[1]), factors.shape), factors


def token_features(column, frame, name):
    """The `TokenFeatures` of a data frame with one row per token.

    Numbers are standardised over the tokens, a missing one is the mean. Where there are
    few of them, each has waves of its rank beside it, as the curves of columns have
    (see `_model.prior`): what it says need not be a line. Every distinct token of
    another column is a feature that a token has or has not. A token with features of
    the usual size has a map of the prior's variance, whatever their number.

    Parameters
    ----------
    column : int
    frame : data frame, or dict of its columns
        The tokens are its index in pandas, its first column elsewhere.
    name : object
        Of the column, for messages.
    """
    if isinstance(frame, dict):
        columns = [Column(key, as_tokens(one), False) for key, one in frame.items()]
    elif is_frame(frame):
        columns = read(frame)
    else:
        raise TypeError(
            f"token_features of the column {name!r} must be a data frame with one row "
            f"per token, or a dict of its columns; got a {type(frame).__name__}."
        )
    lengths = {len(column.factorize()[0]) for column in columns}
    if len(lengths) != 1:
        raise ValueError(
            f"token_features of the column {name!r} has columns of {sorted(lengths)} "
            "rows; all must have one row per token."
        )
    if hasattr(frame, "index"):
        tokens = frame.index.to_numpy()
    else:
        first, *columns = columns
        codes, distinct = first.factorize()
        tokens = np.append(distinct.astype(object), None)[codes]
    vocabulary = Vocabulary(tokens)
    if len(np.unique(vocabulary.codes(tokens))) < len(tokens):
        raise ValueError(
            f"token_features of the column {name!r} has several rows for one token."
        )
    blocks, names = [np.zeros((len(tokens), 0))], []
    numbers = [_number(one) for one in columns if one.is_number]
    # Of two values a line says all. A wave is one more vector in each row of the data.
    n_curved = sum(len(scale.knots) > 0 for _, scale in numbers)
    n_waves = settings.WAVES_OF_FEATURES // max(1, n_curved)
    for one in columns:
        if one.is_number:
            found, labels = _numbers(one.name, *numbers.pop(0), n_waves)
        else:
            found, labels = _one_hot(one)
        blocks.append(found)
        names += labels
    factors = np.concatenate(blocks, axis=1)
    if not names:
        raise ValueError(f"token_features of the column {name!r} has no features.")
    # Sorted, sums are the same whatever the order of the tokens.
    sizes = np.sort(np.square(factors).sum(axis=1))
    scale = np.sqrt(max(sizes.mean(), 1e-12))
    blank = np.zeros((1, len(names)))
    return TokenFeatures(
        column, vocabulary, np.append(factors / scale, blank, 0), names
    )


def _number(column):
    """Values of a column of numbers, and their scale over the tokens."""
    values = column.floats()
    return values, NumberScale(values, np.ones(len(values)))


def _numbers(name, values, scale, n_waves):
    """Values standardised, and waves of their rank beside them."""
    found, names, rank = [scale.standardised(values)], [str(name)], scale.rank(values)
    for wave in range(1, min(n_waves + 1, len(scale.knots))):
        found.append(np.sqrt(2.0) / wave * np.cos(np.pi * wave * rank))
        names.append(f"{name}_wave_{wave}")
    return np.nan_to_num(found, nan=0.0).T, names


def _one_hot(column):
    codes, distinct = column.factorize()
    # Categories that no token has are not features.
    seen = np.unique(codes[codes >= 0])
    codes = np.where(codes < 0, len(seen), np.searchsorted(seen, codes))
    distinct = distinct[seen]
    order = sort_order(distinct)
    distinct, place = distinct[order], np.append(np.argsort(order), -1)
    found = np.zeros((len(codes), len(distinct) + 1))
    found[np.arange(len(codes)), place[codes]] = 1.0  # missing ones in the last
    names = [f"{column.name}_{text(token)}" for token in as_objects(distinct)]
    return found[:, :-1], names
