"""A function over a stream of items, by threads that run ahead."""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor


def ahead(function, items):
    """Results of a function in the order of the items, one thread for each core.

    No more items are taken than there are threads, so few of them are in memory.
    """
    n = os.cpu_count() or 1
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
