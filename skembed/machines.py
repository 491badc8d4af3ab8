"""One fit in several processes, on one machine or many: under any launcher.

Every process has rows of its own and is told by the environment variable TF_CONFIG
which processes there are; see :ref:`machines`. Under Dask, `skembed.dask` starts them.
"""

import os
from functools import reduce

from ._data import frames
from ._data.labelled import Labelled
from ._data.shards import ShardedRows
from ._data.survey import Survey

__all__ = ["fit_together"]


def fit_together(estimator, X, y, sample_weight=None, *, n_threads=None):
    r"""Fit an estimator in several processes, each of which has rows of its own.

    Every process calls it with an estimator of the same parameters, as the first thing
    that it does with TensorFlow, and has the same fitted estimator at the end. Which
    processes there are is said by the environment variable ``TF_CONFIG``, as for all
    programs that TensorFlow distributes; :ref:`machines` shows it for some launchers.

    Parameters
    ----------
    estimator : EmbeddingRegressor or EmbeddingClassifier
        It is fitted in place.
    X : source or data frame
        The rows of this process: whatever `fit` takes as a source, such as paths of
        Parquet files, or one data frame. All processes need the same columns.
    y : str or list of str
        Name of the column of the outcome, or names.
    sample_weight : str, default=None
        Name of the column of the weights.
    n_threads : int, default=None
        Threads that training takes in this process; None: one for each core.

    Returns
    -------
    estimator : object
        The same estimator, fitted.

    Raises
    ------
    RuntimeError
        If TF_CONFIG is not set, the rows of a process cannot be read, or a process is
        lost; the message names it.
    ValueError
        If a parameter asks for what needs all rows in one place.

    Examples
    --------
    One process is the least; several differ in ``index`` and in their rows.

    >>> import json, os, subprocess, sys
    >>> code = '''
    ... import pandas as pd
    ... from skembed import EmbeddingRegressor
    ... from skembed.machines import fit_together
    ... rows = pd.DataFrame({"colour": ["red", "blue"] * 30, "price": [1.0, 4.0] * 30})
    ... model = EmbeddingRegressor(random_state=0)
    ... model = fit_together(model, rows, "price", n_threads=1)
    ... print(model.predict(pd.DataFrame({"colour": ["blue"]})).round().tolist())
    ... '''
    >>> cluster = {"worker": ["localhost:23456"]}
    >>> config = {"cluster": cluster, "task": {"type": "worker", "index": 0}}
    >>> environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
    >>> command = [sys.executable, "-c", code]
    >>> subprocess.check_output(command, env=environment, text=True)
    '[4.0]\n'
    """
    from ._keras.group import Group

    if "TF_CONFIG" not in os.environ:
        raise RuntimeError(
            "TF_CONFIG is not set: it says which processes fit together, such as "
            '{"cluster": {"worker": ["host1:23456", "host2:23456"]}, "task": {"type": '
            '"worker", "index": 0}}, with another index in each of them.'
        )
    estimator._validate_params()
    rows = Labelled.of([X] if frames.is_frame(X) else X, y, sample_weight)
    group = Group.here(n_threads)
    verbose = estimator.verbose
    try:
        estimator.verbose = 0 if group.rank else verbose
        with group.watching():
            return _fitted(estimator, rows, group)
    finally:
        estimator.verbose = verbose


def _fitted(estimator, rows, group):
    """The steps of a fit on rows of several processes."""
    look = _of_all(group, lambda: estimator._look(rows))
    own = look[group.rank].n_rows
    look = reduce(estimator._both_looks, look)
    seed, head = _of_all(group, lambda: (estimator._seed(), first_rows(rows)))[0]
    survey = _of_all(
        group, lambda: estimator._survey(rows, head, look, seed, (group.rank,))
    )
    known = estimator._known(seed, head, look, reduce(Survey.more, survey))
    start = estimator._start(known)
    with estimator._spilled(rows, own, known, start) as (spilled, counts):
        return trained(estimator, known, start, spilled, counts, group)


def _of_all(group, step):
    """What a step gives in every process; an error in one is raised in all."""
    try:
        own = step(), None
    except Exception as error:
        own = None, error
    found = group.gathered(own)
    for rank, (_, error) in enumerate(found):
        if error is not None:
            raise RuntimeError(
                f"Process {rank} of {group.n} could not go on with its rows: {error!r}"
            ) from error
    return [value for value, _ in found]


def first_rows(rows):
    """A few rows that show what columns there are."""
    table, y, weights = next(rows.parts())
    n = 1000
    return frames.part(table, 0, n), y[:n], None if weights is None else weights[:n]


def trained(estimator, known, start, spilled, counts, group):
    """The estimator, trained on the shards of all processes.

    Parameters
    ----------
    estimator : BaseEmbedding
    known, start
        See `_pieces.InPieces`; the same in all processes.
    spilled : SpilledRows
        The rows of this process.
    counts : ndarray of shape (n_table_rows,)
        Of the tokens of all processes, and of the bins of this one.
    group : Group
    """
    n_tokens = sum(index.n_codes for index in known.encoder.tokens)
    told = spilled.n_rows, spilled.total, spilled.n_given, counts[n_tokens:]
    *told, of_bins = zip(*group.gathered(told), strict=True)
    counts[n_tokens:] = sum(of_bins)
    told = list(zip(*told, strict=True))
    # As it was for as many processes as there were before one was lost.
    kept_batch = group.kept_batch_size(estimator)
    rows = ShardedRows({group.rank: spilled}, told, group.least, kept_batch)
    estimator._fit_spilled(known, start, rows, counts, others=group)
    group.wait_for_all()  # Some may still have to hear from this process.
    return estimator
