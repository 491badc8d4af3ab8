"""What is not known of numbers beyond the range that fit has seen.

There a prediction keeps the value of the last bin. The curve of a number is a random
walk over its range, and a walk that is not seen goes on: its variance grows in
proportion to the distance. The bins about the curve scatter there as they do inside.
Where more than the curve drifts along the number, such as effects of tokens, the walk
is as long as `drift` found it.
"""

from dataclasses import dataclass

import numpy as np

from .prior import Field

TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Beyond:
    """Range of each number, and the variance of the output beyond it.

    Attributes
    ----------
    low, high : ndarray of shape (n_numbers,)
        Ends of the range. Infinite for what has no bins, and for indicators.
    walk : ndarray of shape (2, n_numbers, n_outputs)
        Variance that the walk takes on over a distance of 1, below and above.
    bins : ndarray of shape (n_numbers, n_outputs)
        Variance of a bin about the curve.
    """

    low: np.ndarray
    high: np.ndarray
    walk: np.ndarray
    bins: np.ndarray

    @classmethod
    def of(cls, encoder, dense, drift=None):
        """Of an encoder, the dense weights, and how far outcomes drift.

        Vectors are of one output each; `drift` is of the shape of `walk`, or None.
        """
        places = encoder.number_places
        n = sum(map(len, places))
        n_outputs = dense["linear"].shape[1] if "linear" in dense else 1
        low, high = np.full(n, -np.inf), np.full(n, np.inf)
        walk, bins = np.zeros((n, n_outputs)), np.zeros((n, n_outputs))
        column = encoder.n_token_blocks
        for (j, *_), scale in zip(places, encoder.scales, strict=True):
            if not (encoder.with_bins and scale.is_binned):
                continue
            # Rounding of a number at the very end is no distance.
            length = scale.knots[-1] - scale.knots[0]
            low[j] = scale.knots[0] - TOLERANCE * length
            high[j] = scale.knots[-1] + TOLERANCE * length
            prior = dense["prior"][column].astype(np.float64)
            # The scale is that of cosines; the walk's steps have pi times as much.
            step = np.square(np.pi * np.exp(prior[:, Field.LOG_CURVE]))
            rough = np.exp(2.0 * prior[:, Field.LOG_SCALE])
            if n_outputs > 1:
                readout = np.square(dense["readout"].astype(np.float64))
                step, rough = step @ readout, rough @ readout
            walk[j], bins[j] = step / length, rough
            column += 1
        walk = np.stack([walk, walk])
        return cls(low, high, walk if drift is None else np.maximum(walk, drift), bins)

    def variance(self, numbers):
        """Variance of the outputs by what lies beyond, (n_rows, n_outputs)."""
        below = np.maximum(self.low - numbers, 0.0)
        above = np.maximum(numbers - self.high, 0.0)
        outside = (below > 0.0) | (above > 0.0)
        return below @ self.walk[0] + above @ self.walk[1] + outside @ self.bins
