"""One line on the terminal that says how far a report is."""

from __future__ import annotations

import sys
import time

__all__ = ["Progress"]


class Progress:
    """A line that is written over and over, on the standard error stream.

    What takes no longer than a second says nothing.

    Parameters
    ----------
    is_on : bool
        Whether anything is written.
    """

    def __init__(self, is_on):
        self.is_on = is_on
        self.started = time.monotonic()
        self.last = self.started
        self.width = 0

    def say(self, text):
        """Write what is being done, at most five times a second."""
        now = time.monotonic()
        if not self.is_on or now - self.started < 1.0 or now - self.last < 0.2:
            return
        self.last = now
        line = f"report: {text}"
        sys.stderr.write("\r" + line.ljust(self.width))
        sys.stderr.flush()
        self.width = len(line)

    def end(self):
        """Wipe the line."""
        if self.width:
            sys.stderr.write("\r" + " " * self.width + "\r")
            sys.stderr.flush()
