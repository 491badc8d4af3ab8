"""The process that trains in the place of a Dask worker: started, watched, ended.

It is a fresh one for every fit: TensorFlow meets other processes once in the life of a
process only, and a worker that has trained would keep its memory. Job, codes of the
rows and result go through a pipe and files without a name, so nothing stays behind,
however either of the two ends.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from typing import NamedTuple

from .. import _settings as settings

_running = set()  # fits that have a process here

# Kills the process that it was started by once nobody holds the other end of their
# standard input.
_WATCH = """
import os, select, signal
trainer = os.getppid()
ends = select.poll()
ends.register(0, 0)
print(flush=True)
ends.poll()
if os.getppid() == trainer:
    os.kill(trainer, signal.SIGKILL)
"""


class Ended(NamedTuple):
    """How a process came to its end.

    Attributes
    ----------
    result : object
        What it has made; None where it has not.
    error : Exception or None
        Its own, as it has raised it.
    shown : str
        What there is to say of an end without a result.
    was_killed : bool
        Whether it has ended by a signal.
    has_met : bool
        Whether it could begin to wait for the others.
    """

    result: object = None
    error: Exception | None = None
    shown: str = ""
    was_killed: bool = False
    has_met: bool = True


class Unwanted(Exception):
    """Nobody waits for the result any more."""


def run(fit, job, spilled, config, is_wanted):
    """Train in a process of its own.

    Parameters
    ----------
    fit : str
        Name of the fit.
    job : tuple
        What `main` needs beside the rows.
    spilled : SpilledRows
    config : dict
        TF_CONFIG.
    is_wanted : callable
        Asked from time to time; where it says no, the process is ended.

    Returns
    -------
    ended : Ended
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        files = spilled.file.fileno(), out.fileno()
        path = os.pathsep.join(filter(None, sys.path))
        process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import main; main{files}"],
            stdin=subprocess.PIPE,
            stderr=error,
            pass_fds=files,
            env={**os.environ, "PYTHONPATH": path, "TF_CONFIG": json.dumps(config)},
        )
        _running.add(fit)
        try:
            try:
                pickle.dump((job, spilled.told), process.stdin, protocol=5)
                process.stdin.flush()
            except BrokenPipeError:
                pass  # It has ended, and that is told below.
            while process.poll() is None:
                time.sleep(settings.WATCH_SECONDS)
                if not is_wanted():
                    raise Unwanted(fit)
            return _ended(process.returncode, out, error)
        finally:
            process.kill()
            process.wait()
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
            _running.discard(fit)


def is_running(fit):
    """Whether a fit has a process here."""
    return fit in _running


def _ended(code, out, error):
    out.seek(0)
    if code == 0:
        return pickle.load(out)
    if code == -signal.SIGKILL:
        return Ended(shown="SIGKILL", was_killed=True)
    error.seek(0)
    said = error.read().decode(errors="replace").strip().splitlines()[-5:]
    return Ended(shown="\n".join([f"exit code {code}", *said]))


def main(file, out):
    """Train as the parent process has it, which writes the job to the standard input.

    Parameters
    ----------
    file, out : int
        Descriptors of the rows' codes and of the place for what has been made.
    """
    (estimator, known, counts, n_threads), told = pickle.load(sys.stdin.buffer)
    watcher = _ends_with_parent()
    from .._data.spill import SpilledRows
    from .._keras.group import Group
    from ..machines import trained

    has_met = False
    try:
        group = Group(n_threads)
        has_met = True
        if group.rank:
            estimator.verbose = 0
        with os.fdopen(file, "rb") as rows:
            spilled = SpilledRows.of_told(told, rows)
            start = estimator._start(known)
            with group.watching():
                trained(estimator, known, start, spilled, counts, group)
        # All have the same; one of them is enough.
        ended = Ended(None if group.rank else estimator)
    except Exception as error:
        from .._keras.group import ProcessLost

        own = None if isinstance(error, ProcessLost) else _alone(error)
        shown = traceback.format_exc(limit=-3)
        ended = Ended(error=own, shown=shown, has_met=has_met)
    with os.fdopen(out, "wb") as file:
        pickle.dump(ended, file, protocol=5)
    watcher.kill()
    watcher.wait()
    # TensorFlow would wait for the others, who may be gone.
    os._exit(0)


def _alone(error):
    """The error as it can be pickled; None where it cannot."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return None


def _ends_with_parent():
    """Have this process end when the other end of its standard input is gone.

    Another process sees to that: a thread of this one would not be heard, as TensorFlow
    holds Python's lock for as long as it waits for the others at its start.
    """
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _WATCH], stdout=subprocess.PIPE
    )
    watcher.stdout.read(1)  # It has begun to watch.
    return watcher
