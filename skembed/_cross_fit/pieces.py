"""What an encoder needs of rows that are read in pieces: means, and a sample."""

import numpy as np

from .. import _settings as settings
from .target_means import TokenSums


def outcomes_of_kind(rows):
    """Outcomes that tell of which kind all of them are: each one once, or some numbers.

    Parameters
    ----------
    rows : Labelled
    """
    found = None
    for _, y, _ in rows.parts(rows.outcomes):
        if y.ndim == 2 or y.dtype.kind == "f":
            return y
        found = np.unique(y if found is None else np.concatenate([found, y]))
    return found


def sums_and_sample(predictor, rows, with_sums):
    """Sums of outcomes by token, or None, and some of the rows.

    Parameters
    ----------
    predictor : BaseEmbedding
        Fitted on these rows.
    rows : Labelled
    with_sums : bool

    Returns
    -------
    sums : TokenSums or None
    sample : Observations
    """
    sizes, rng = predictor._fitted.code_sizes, np.random.default_rng(0)
    share = min(
        1.0, settings.AXES_SPARE * settings.AXES_ROWS / predictor._fitted.n_seen
    )
    sums, sample = None, None
    for found in predictor._observed_in_pieces(rows):
        if with_sums:
            sums = sums.more(found, sizes) if sums else TokenSums.of(found, sizes)
        at = np.flatnonzero(rng.random(len(found.weights)) < share)
        some = found.counted(at, found.weights[at])
        sample = some if sample is None else sample.more(some)
    return sums and sums.recentred(), sample
