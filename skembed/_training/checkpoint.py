"""Checkpoints: a training that was killed goes on from where it was kept last."""

import hashlib
import os
import pickle
import time
from contextlib import suppress
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from .._data.spill import blocks_of
from .._files import whole_file

# What a file holds; it grows by one with every change of that.
LAYOUT = 1


class Checkpoint:
    """Write the state of a fit to a file from time to time, and go on from it.

    Handed in among the `callbacks` of an estimator. A fit that was killed (``kill -9``,
    a power cut, a machine that was taken away) goes on when it is called again with the
    same rows and parameters, and ends with the same bits as one that was never killed.
    The rows are read and merged again; it is the epochs that are not trained again.
    The file is written beside its place and moved there, so it is whole at any moment.
    It is removed when the fit has ended well.

    Parameters
    ----------
    path : path-like
        The file: one for each fit.
    minutes : float or None, default=10
        Write after the first epoch that ends so many minutes after the last writing. 0
        writes after every epoch.
    epochs : int, default=None
        Write after so many epochs. With both, whichever comes first.

    Raises
    ------
    ValueError
        If neither `minutes` nor `epochs` is given, or one of them is no such number.

    Notes
    -----
    `fit` raises a ValueError if `random_state` is not an integer, as no two fits are
    the same then; if there are Keras callbacks beside the checkpoint, whose own state
    is not in it; and if the file is of other rows or parameters.

    The file is a pickle: like any pickle, load only one that you have written yourself.

    Examples
    --------
    >>> import tempfile
    >>> from skembed import Checkpoint, EmbeddingRegressor
    >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = Checkpoint(f"{folder}/fit.checkpoint", minutes=10)
    ...     model = EmbeddingRegressor(callbacks=[kept], random_state=0).fit(X, y)
    >>> model.predict([["blue"]]).round().tolist()
    [4.0]
    """

    def __init__(self, path, *, minutes=10, epochs=None):
        if minutes is None and epochs is None:
            raise ValueError("Checkpoint needs minutes or epochs; both are None.")
        if not (minutes is None or isinstance(minutes, Real) and minutes >= 0):
            raise ValueError(f"minutes must be 0 or more, or None; got {minutes!r}.")
        if not (epochs is None or isinstance(epochs, Integral) and epochs >= 1):
            raise ValueError(f"epochs must be 1 or more, or None; got {epochs!r}.")
        self.path = path
        self.minutes = minutes
        self.epochs = epochs

    def __repr__(self):
        times = f"minutes={self.minutes!r}, epochs={self.epochs!r}"
        return f"Checkpoint({os.fspath(self.path)!r}, {times})"


def split_callbacks(callbacks):
    """The checkpoints among the callbacks of an estimator, and all others.

    Returns
    -------
    checkpoints : list of Checkpoint
    others
        In the shape that they came in; None for none.
    """
    if isinstance(callbacks, Checkpoint):
        return [callbacks], None
    if isinstance(callbacks, dict):
        others = {k: v for k, v in callbacks.items() if not isinstance(v, Checkpoint)}
        callbacks = callbacks.values()
    elif isinstance(callbacks, list | tuple):
        others = [one for one in callbacks if not isinstance(one, Checkpoint)]
    else:
        return [], callbacks
    return [one for one in callbacks if isinstance(one, Checkpoint)], others or None


def remove_checkpoints(callbacks):
    """Remove the files of a fit that has ended."""
    for checkpoint in split_callbacks(callbacks)[0]:
        with suppress(FileNotFoundError):
            Path(checkpoint.path).unlink()


def kept_batch_size(callbacks):
    """Rows of a batch of the fit that has left a checkpoint; None without one."""
    for checkpoint in split_callbacks(callbacks)[0]:
        with suppress(OSError, ValueError):  # `Keeper.found` says what is wrong
            return _read(Path(checkpoint.path))[2].get("batch_size")
    return None


def _read(path):
    """What a checkpoint holds: layout, digests, and the state of the fit.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If it is no checkpoint.
    """
    try:
        with path.open("rb") as file:
            layout, digests_, content = pickle.load(file)
    except (pickle.UnpicklingError, EOFError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no checkpoint ({error}): remove it, or name another file."
        ) from error
    return layout, digests_, content


def keeper_of(estimator):
    """What keeps the state of a fit, as the parameters want it; or None.

    Raises
    ------
    ValueError
        If a fit with these parameters could not go on with the same bits.
    """
    checkpoints, others = split_callbacks(estimator.callbacks)
    if not checkpoints:
        return None
    if len(checkpoints) > 1:
        raise ValueError(f"callbacks hold {len(checkpoints)} checkpoints; one is kept.")
    if others is not None:
        raise ValueError(
            "callbacks hold a Checkpoint and Keras callbacks, whose own state cannot "
            "be kept: a fit could not go on as if nothing had been. Leave out one of "
            "them."
        )
    if not isinstance(estimator.random_state, Integral):
        raise ValueError(
            f"A Checkpoint needs an integer as random_state; with "
            f"{estimator.random_state!r} every fit is another."
        )
    name = type(estimator).__name__ if estimator.verbose else None
    return Keeper(checkpoints[0], name)


class Keeper:
    """Keeps the state of one fit.

    Parameters
    ----------
    checkpoint : Checkpoint
    name : str or None
        Of the estimator, where it says what it does.
    """

    def __init__(self, checkpoint, name=None):
        self.name = name
        self.path = Path(checkpoint.path)
        self.minutes, self.epochs = checkpoint.minutes, checkpoint.epochs
        self._began, self._n = time.monotonic(), 0
        self._digests = None

    def found(self, fitted, phases, rng):
        """What was kept of this fit, a dict; None where there is no file.

        Raises
        ------
        ValueError
            If the file is that of another fit, or none at all.
        OSError
            If no file can be there.
        """
        # Better now than after the first hour.
        if self.path.is_dir() or not self.path.absolute().parent.is_dir():
            raise OSError(
                f"The checkpoint {self.path} cannot be written: it must be a file in a "
                "folder that is there."
            )
        self._digests = digests(fitted, phases, rng)
        try:
            layout, digests_, content = _read(self.path)
        except FileNotFoundError:
            return None
        different = [n for n, own in self._digests.items() if digests_.get(n) != own]
        if layout != LAYOUT:
            different = [*different, "version of skembed"]
        if different:
            raise ValueError(
                f"{self.path} is the checkpoint of another fit; what differs: "
                f"{', '.join(different)}. Fit with the same rows, parameters and "
                "random_state to go on from it, or remove the file to begin anew."
            )
        if self.name is not None:
            n = len(content["losses"])
            print(f"[{self.name}] goes on after epoch {n}, as kept in {self.path}")
        return content

    def is_due(self):
        """Whether an epoch that has just ended is to be kept."""
        self._n += 1
        if self.epochs is not None and self._n >= self.epochs:
            return True
        since = time.monotonic() - self._began
        return self.minutes is not None and since >= 60.0 * self.minutes

    def keep(self, content):
        """Write what is to be kept, a dict."""
        with whole_file(self.path) as file:
            pickle.dump((LAYOUT, self._digests, content), file, protocol=5)
        self._began, self._n = time.monotonic(), 0


class SharedKeeper:
    """Keeps the state of a fit of several processes: the first one reads and writes.

    Parameters
    ----------
    keeper : Keeper
    others : Group
        The processes.
    """

    def __init__(self, keeper, others):
        self.keeper, self.others = keeper, others
        if others.rank:
            keeper.name = None

    def found(self, *fit):
        """What was kept of this fit, as `Keeper.found` has it."""
        found = None
        if not self.others.rank:
            try:
                found = self.keeper.found(*fit)
            except (OSError, ValueError) as error:
                found = error
        found = self.others.gathered(found)[0]
        if isinstance(found, Exception):
            raise found
        return found

    def is_due(self):
        """Whether an epoch that has just ended is to be kept."""
        return self.others.gathered(self.keeper.is_due())[0]

    def keep(self, content):
        """Write what is to be kept, a dict, with the orders of all shards."""
        noise, order = content["batches"]
        for other in self.others.gathered(order):
            order |= other
        if not self.others.rank:
            self.keeper.keep({**content, "batches": (noise, order)})


def digests(fitted, phases, rng):
    """What tells one fit from another, by what it is: hashes as text."""
    start = [*vars(fitted.weights.table).values(), *fitted.weights.dense.values()]
    random = repr(rng.bit_generator.state)
    rows, parameters = hashlib.blake2b(), hashlib.blake2b()
    for problem in {id(phase.problem.rows): phase.problem for phase in phases}.values():
        for part in _parts(problem.rows):
            rows.update(np.ascontiguousarray(part).data)
        rows.update(repr(problem.sizes).encode())
    for phase in phases:
        options = phase.options
        rate = None if callable(options.learning_rate) else options.learning_rate
        said = options.rule, rate, options.batch_size, options.epochs, options.tol
        said += options.schedule, options.patience, fitted.likelihood
        said += (options.most_rows,)
        said += phase.snapshot, phase.always, phase.problem.frozen
        said += phase.problem.architecture.hidden, fitted.weights.dense.keys()
        parameters.update(repr(said).encode())
    whole = hashlib.blake2b(random.encode())
    for part in start:
        whole.update(np.ascontiguousarray(part).data)
    found = {"rows": rows, "parameters": parameters, "random_state": whole}
    return {name: own.hexdigest() for name, own in found.items()}


def _parts(rows):
    """Arrays that hold all of the rows, piece by piece."""
    if hasattr(rows, "shards"):  # Which rows are where may be otherwise next time.
        yield np.array([rows.n_given, rows.width])
        return
    if not hasattr(rows, "block"):
        factors = [] if rows.blend is None else [rows.blend.factors]
        yield from (*rows[:4], *factors)
        return
    for block in blocks_of(rows):
        yield from block
