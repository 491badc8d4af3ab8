"""The process that TensorFlow runs in: a forked copy of it can never use it again.

A child made by fork has none of TensorFlow's threads, and whatever waits for them waits
for ever. Predictions do not need TensorFlow and work there, too.
"""

import os

_forked = False
_watched = False


def check():
    """Raise in a child that was forked after TensorFlow had begun to work.

    Called before every use of TensorFlow. Such children come from ``multiprocessing``
    with the start method "fork", the default on Linux up to Python 3.13.
    """
    global _watched
    if _forked:
        raise RuntimeError(
            "This process was forked from one in which skembed had used TensorFlow "
            "already, whose threads do not exist here: it would wait for ever. Start "
            "processes with joblib's default backend 'loky', or with "
            "multiprocessing.get_context('spawn') or 'forkserver'; or fork before the "
            "first fit."
        )
    if not _watched:
        _watched = True
        os.register_at_fork(after_in_child=_mark)


def _mark():
    global _forked
    _forked = True


if not hasattr(os, "register_at_fork"):  # where there is no fork

    def check():
        """Nothing to check."""
