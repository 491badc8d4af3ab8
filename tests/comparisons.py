"""When two fits are the same."""

import numpy as np


def equal_fits(a, b):
    """Assert that two estimators have the same vectors and losses, bit for bit."""
    for one, other in zip(a.embeddings_, b.embeddings_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert a.loss_curve_ == b.loss_curve_
