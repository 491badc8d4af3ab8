"""Python's cyclic garbage collector, and when it only costs time."""

import gc
from contextlib import contextmanager


@contextmanager
def paused():
    """Collect nothing in here.

    Importing TensorFlow and tracing make a million objects that stay: looking through
    them again and again takes a sixth of the first fit of a process.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()
