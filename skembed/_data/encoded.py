"""Rows as the network reads them: codes, numbers, and how vectors are blended."""

from typing import NamedTuple

import numpy as np

from .blend import Blend


class Encoded(NamedTuple):
    """A table as the network reads it.

    Attributes
    ----------
    codes : ndarray of int32 of shape (n_rows, n_slots)
        Codes of the tokens, followed by those of the bins of the numbers.
    numbers : ndarray of float64 of shape (n_rows, n_numbers)
    blend : Blend or None
        How vectors are blended of several rows of the table; None where each column of
        codes is one.
    """

    codes: np.ndarray
    numbers: np.ndarray
    blend: Blend | None = None

    def rows(self, at):
        """The rows at these positions."""
        blend = self.blend and self.blend.rows(at)
        return Encoded(self.codes[at], self.numbers[at], blend)

    def of_block(self, block):
        """Codes of one block of the table, and their factors or None for ones."""
        if self.blend is None:
            return self.codes[:, block : block + 1], None
        at = self.blend.slots.of_block(block)
        return self.codes[:, at], self.blend.factors[:, at]
