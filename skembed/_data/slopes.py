"""Slopes and curves that vary by token: how a number acts, token by token.

A token adds to the output not only an effect but a multiple of a number: the growth of
a person's wage, the trend of a shop. Each such slope is a row of a block of its own,
with the number as its factor, and a prior whose scale is learned: where the tokens of a
column do not differ, the scale goes to 0. (Random slopes: Bates et al. 2015, "Fitting
linear mixed-effects models using lme4", section 2.2.)

A curve is a sum of such slopes, by waves of the number's rank in place of the number:
the cosines in which the steps of a random walk are independent, as those of
`_model.prior`, every wave with a scale of its own. (Factor-smooth interactions: Wood
2017, "Generalized Additive Models", section 7.7.4.)
"""

from dataclasses import dataclass

import numpy as np

from .. import _settings as settings
from .choice import positions
from .wording import shown

LINE = 0  # the wave of a slope: none
# Parameter -> waves of the numbers that it names.
VARYING = {
    "varying_slopes": (LINE,),
    "varying_curves": range(1, settings.VARYING_WAVES + 1),
}


@dataclass(frozen=True)
class Slope:
    """The slopes of a number or of a wave of it, one per token of a column.

    Attributes
    ----------
    column : int
        Position among the columns of tokens.
    number : int
        Position among the columns of numbers.
    wave : int
        Which wave of the number's rank: 1, 2, ...; `LINE` for the number itself.
    origin : float
        From where a line is counted, in standard deviations from the number's mean.
    """

    column: int
    number: int
    wave: int = LINE
    origin: float = 0.0

    @property
    def is_curve(self):
        """Whether it is of a curve, and not the slope of a line."""
        return self.wave != LINE

    def part(self, codes, factors, scale, values):
        """Codes and factors, (n_rows, n_slots) each, of the rows of a table.

        Parameters
        ----------
        codes, factors : ndarray of shape (n_rows, n_slots)
            Of the column's cells.
        scale : NumberScale
        values : ndarray of shape (n_rows,)
            Of the number. Where it is missing, no slope and no curve adds anything.
        """
        if self.is_curve:
            z = np.sqrt(2.0) * np.cos(np.pi * self.wave * scale.rank(values))
            z = z * (self.wave < len(scale.knots))  # Fewer values have fewer waves.
        else:
            most = settings.SLOPE_FARTHEST
            z = np.clip(scale.standardised(values), -most, most) - self.origin
        return codes, factors * np.nan_to_num(z, nan=0.0)[:, None]


def choose_slopes(wanted, n, names, is_categorical, parameter):
    """Which numbers act differently by token, and which columns are categorical.

    Parameters
    ----------
    wanted : dict or None
        From columns of tokens to columns of numbers, or "all" of them.
    n : int
        Number of columns.
    names : ndarray of str or None
    is_categorical : ndarray of bool of shape (n_features,)
    parameter : str
        What messages call it.

    Returns
    -------
    pairs : list of (int, int or None)
        Positions of a column of tokens and of one of numbers; None: of every one.
    is_categorical : ndarray of bool of shape (n_features,)
        With the columns of tokens that `wanted` names.
    """
    is_categorical, pairs = is_categorical.copy(), []
    for key, numbers in ({} if wanted is None else wanted).items():
        (at,) = positions([key], n, names, parameter)
        if isinstance(numbers, str) and numbers == "all":
            pairs.append((at, None))
            continue
        if isinstance(numbers, str) or np.ndim(numbers) == 0:
            numbers = [numbers]
        own = positions(numbers, n, names, parameter)
        if not own or len(set(own)) < len(own):
            name = at if names is None else names[at]
            raise ValueError(
                f"{parameter} must give the column {name!r} 'all' or one column of "
                f"numbers or more, each once; got {shown(numbers)}."
            )
        pairs += [(at, one) for one in own]
    is_categorical[[at for at, _ in pairs]] = True
    return pairs, is_categorical


def slopes_of(pairs, is_categorical, names, parameter, waves):
    """The `Slope` objects of every pair, by positions among tokens and numbers.

    Parameters
    ----------
    pairs : list of (int, int or None)
        As from `choose_slopes`.
    is_categorical : ndarray of bool of shape (n_features,)
        As all parameters together have it.
    names : ndarray of str or None
    parameter : str
    waves : iterable of int
    """
    numbers = np.flatnonzero(~is_categorical)
    place = np.cumsum(is_categorical) - 1
    place[numbers] = np.arange(len(numbers))
    slopes = []
    for at, one in pairs:
        if one is not None and is_categorical[one]:
            raise ValueError(
                f"{parameter} gives the column {_name(at, names)} the column "
                f"{_name(one, names)}, which is categorical; it must be of numbers. "
                "Give it as floats, or leave it out of categorical_features."
            )
        if one is None and not len(numbers):
            raise ValueError(
                f"{parameter} gives the column {_name(at, names)} all columns of "
                "numbers, and X has none."
            )
        own = numbers if one is None else [one]
        slopes += [Slope(*place[[at, j]].tolist(), w) for j in own for w in waves]
    return slopes


def _name(at, names):
    return repr(at if names is None else names[at])
