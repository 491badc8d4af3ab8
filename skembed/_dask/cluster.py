"""One fit on a Dask cluster: every step where its rows are, and what is known merged.

Dask moves what is known of the rows, never the rows. Each worker that has some of them
codes its own, and hands the codes to a process that trains together with those of the
other workers.
"""

import random
import socket
import time
import uuid
from contextlib import suppress
from urllib.parse import urlsplit

from sklearn.base import clone

from .. import _settings as settings
from .._data.labelled import LabelledParts
from .._data.survey import Survey
from ..machines import first_rows
from . import child


def fitted(estimator, parts, client):
    """The estimator, fitted on the parts where they are.

    Parameters
    ----------
    estimator : BaseEmbedding
        A plain one, not fitted.
    parts : list of Delayed
        Of tables, outcomes and weights.
    client : distributed.Client
    """
    whole, estimator = estimator, clone(estimator).set_params(verbose=0)
    from distributed import wait

    parts = client.compute(parts)
    looks = [client.submit(_look, estimator, part, pure=False) for part in parts]
    counts = client.gather([client.submit(_n_rows, look) for look in looks])
    look = _tree(client, _both_looks, looks, estimator)
    some = [i for i, n in enumerate(counts) if n]
    if not some:  # says what is wrong with no rows at all
        estimator._looked(look.result())
    seed = estimator._seed()
    head = client.submit(first, parts[some[0]], pure=False)
    surveys = [
        client.submit(_survey, estimator, parts[i], head, look, seed, i, pure=False)
        for i in some
    ]
    survey = _tree(client, _both_surveys, surveys)
    known = client.submit(_known, estimator, seed, head, look, survey, pure=False)
    wait(known)
    if known.status == "error":
        known.result()  # It says what is wrong, before training waits for others.
    del looks, surveys, survey, look, head
    shares = _shares(client, [parts[i] for i in some], [counts[i] for i in some])
    return _trained(client, whole, known, shares)


def _tree(client, both, futures, *first):
    """What is known by all, merged two by two."""
    while len(futures) > 1:
        pairs = [futures[i : i + 2] for i in range(0, len(futures), 2)]
        futures = [
            client.submit(both, *first, *pair, pure=False) if pair[1:] else pair[0]
            for pair in pairs
        ]
    return futures[0]


# Steps on the workers, before training.


def _look(estimator, part):
    return estimator._look(LabelledParts([part]))


def _n_rows(look):
    return look.n_rows


def _both_looks(estimator, a, b):
    return estimator._both_looks(a, b)


def first(part):
    """A few rows that show what columns there are."""
    return first_rows(LabelledParts([part]))


def _survey(estimator, part, head, look, seed, place):
    return estimator._survey(LabelledParts([part]), head, look, seed, (place,))


def _both_surveys(a, b):
    return Survey.more(a, b)


def _known(estimator, seed, head, look, survey):
    return estimator._known(seed, head, look, survey)


# Training.


def _shares(client, parts, counts):
    """Worker -> its parts and their number of rows; in the order of their first parts.

    A part that several workers have is for the one with the fewest rows so far.
    """
    shares = {}
    for part, n in zip(parts, counts, strict=True):
        holders = client.who_has([part])[part.key]
        if not holders:
            raise RuntimeError(
                "A part of X was lost on its way, with its worker: fit again."
            )
        worker = min(holders, key=lambda one: (shares.get(one, ([], 0))[1], one))
        own, before = shares.get(worker, ([], 0))
        shares[worker] = [*own, part], before + n
    return shares


def _trained(client, estimator, known, shares):
    from distributed import MultiLock

    fit = f"skembed-{uuid.uuid4().hex[:12]}"
    workers = list(shares)
    # A fit takes a thread of each of its workers at once: two that have some of them
    # each would wait for each other.
    with MultiLock(workers):
        for left in reversed(range(settings.MEETINGS)):
            futures = _started(client, fit, estimator, known, shares)
            try:
                return _watched(client, fit, futures)
            except NotMet as error:
                if not left:
                    raise RuntimeError(str(error)) from None
            finally:
                client.cancel(list(futures.values()), force=True)
                _wait_for_ends(client, fit, workers)


class NotMet(Exception):
    """A process could not begin: its port was taken in the meantime."""


def _started(client, fit, estimator, known, shares):
    """Worker -> what its process will have made."""
    ports = _free_ports(client, list(shares))
    addresses = [f"{_host(worker)}:{port}" for worker, port in ports.items()]
    futures = {}
    for rank, (worker, (parts, n_rows)) in enumerate(shares.items()):
        config = {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": rank},
        }
        key = f"{fit}-{rank}-{uuid.uuid4().hex[:6]}"
        futures[worker] = client.submit(
            *(_train, fit, key, estimator, parts, n_rows, known, config),
            key=key,
            workers=[worker],
            allow_other_workers=False,
            retries=0,
            pure=False,
        )
    return futures


def _host(worker):
    host = urlsplit(worker).hostname
    if worker.startswith("inproc") or host is None:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _free_ports(client, workers):
    """A port for each worker's process, none of them twice on a machine."""
    ports, hosts = {}, {}
    for worker in workers:
        hosts.setdefault(_host(worker), []).append(worker)
    for own in hosts.values():
        found = client.run(free_ports, len(own), workers=own[:1])[own[0]]
        ports |= zip(own, found, strict=True)
    return {worker: ports[worker] for worker in workers}


def free_ports(n):
    """Ports of this machine that nobody listens on."""
    found = []
    # Below those that systems take for connections of their own at any moment.
    for port in random.SystemRandom().sample(range(*settings.PORTS), 1000):
        if len(found) == n:
            break
        with socket.socket() as one, suppress(OSError):
            one.bind(("", port))
            found.append(port)
    return found


def _train(fit, key, estimator, parts, n_rows, known, config):
    """Code the parts of this worker, and train on them together with the others."""
    from distributed import get_worker

    worker, start = get_worker(), estimator._start(known)

    def is_wanted():
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "executing"

    rows = LabelledParts(parts)
    with estimator._spilled(rows, n_rows, known, start) as (spilled, counts):
        job = estimator, known, counts, worker.state.nthreads
        return child.run(fit, job, spilled, config, is_wanted)


def _watched(client, fit, futures):
    """The result of the first process, once all have ended well.

    Raises
    ------
    RuntimeError
        Naming the worker by which the fit has come to its end.
    NotMet
        If the processes could not begin.
    """
    ended, gone, failed_at = {}, [], None
    while len(ended) < len(futures):
        time.sleep(settings.WATCH_SECONDS)
        for worker, future in futures.items():
            if worker not in ended and future.done():
                ended[worker] = _end_of(future)
        there = client.nthreads()
        # Rows that went with their worker cancel what was to be made of them.
        gone = [
            worker
            for worker, future in futures.items()
            if worker not in there and (worker not in ended or future.cancelled())
        ]
        failed = [one for one in ended.values() if one.result is None and one.shown]
        if failed or gone:
            now = time.monotonic()
            failed_at = now if failed_at is None else failed_at
            # One by which the others failed may still be on its way here.
            if now - failed_at > settings.GRACE_SECONDS or gone:
                break
            if any(one.was_killed or not one.has_met for one in failed):
                break
    if gone or any(one.shown for one in ended.values()):
        _raise(fit, ended, gone)
    return next(one.result for one in ended.values() if one.result is not None)


def _end_of(future):
    if future.status == "finished":
        return future.result()
    error = future.exception() if future.status == "error" else None
    return child.Ended(error=error, shown=f"{future.status}: {error!r}")


def _raise(fit, ended, gone):
    """Raise what has ended a fit: that by which others failed, too, comes first."""
    if gone:
        raise RuntimeError(
            f"The worker {gone[0]} was lost in the middle of the fit {fit}: it was "
            f"killed, or its machine or its network failed. {_ON}"
        )
    for worker, one in ended.items():
        if one.was_killed:
            raise RuntimeError(
                f"The process of the worker {worker} was killed in the middle of the "
                f"fit {fit} ({one.shown}), perhaps for want of memory. {_ON}"
            )
    for worker, one in ended.items():
        if not one.has_met:
            raise NotMet(
                f"The process of the worker {worker} could not begin to wait for the "
                f"others of the fit {fit}: {one.shown}"
            )
    for one in ended.values():
        if one.error is not None:
            raise one.error
    worker, one = next((w, one) for w, one in ended.items() if one.shown)
    raise RuntimeError(
        f"The process of the worker {worker} failed in the fit {fit}: {one.shown}. "
        f"{_ON}"
    )


_ON = (
    "All other processes of the fit have been ended. With a Checkpoint among the "
    "callbacks, calling fit again goes on from it."
)


def _wait_for_ends(client, fit, workers):
    """Wait until no worker has a process of the fit."""
    deadline = time.monotonic() + settings.GRACE_SECONDS
    while time.monotonic() < deadline:
        there = [worker for worker in workers if worker in client.nthreads()]
        found = client.run(child.is_running, fit, workers=there, on_error="ignore")
        if not there or not any(found.values()):
            return
        time.sleep(settings.WATCH_SECONDS)
