"""A function over a stream of items, by threads that run ahead."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

from joblib import cpu_count

from .. import _settings as settings


def ahead(function, items):
    """Results of a function in the order of the items, a thread for each of some cores.

    No more items are taken than there are threads, so few of them are in memory.
    """
    n = min(cpu_count(), settings.PIECE_THREADS)
    waiting = deque()
    with ThreadPoolExecutor(n) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > n:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
