"""Where values stand in a vocabulary, however the integers of both are stored."""

import numpy as np
import pytest

from skembed._data.lookup import Vocabulary

WHOLE = [np.int8, np.uint8, np.int32, np.uint64, np.int64]


@pytest.mark.parametrize("of_known", WHOLE)
@pytest.mark.parametrize("of_values", WHOLE)
@pytest.mark.parametrize("far", [False, True])
def test_integers_of_any_width_are_found(of_known, of_values, far):
    info = np.iinfo(of_known)
    known = [7, 3, 12, 4, *([info.max, info.min] if far else [])]
    if info.min < 0:
        known += [-3, -1]
    vocabulary = Vocabulary(np.array(known, of_known))
    limits = np.iinfo(of_values)
    values = np.array([3, 7, 7, 5, 0, 99, limits.min, limits.max, 12], of_values)
    wanted = [known.index(v) if v in known else -1 for v in values.tolist()]
    np.testing.assert_array_equal(vocabulary.codes(values), wanted)
    np.testing.assert_array_equal(vocabulary.positions(values), wanted)
    assert vocabulary.missing == -1


def test_integers_among_other_kinds_are_found():
    vocabulary = Vocabulary(np.array([4, 2.5, None, "4"], dtype=object))
    np.testing.assert_array_equal(vocabulary.codes(np.array([4, 2, 4])), [0, -1, 0])
    vocabulary = Vocabulary(np.array([8.0, 2.5, np.nan]))
    np.testing.assert_array_equal(vocabulary.codes(np.array([8, 2])), [0, -1])
    np.testing.assert_array_equal(vocabulary.codes(np.array([2.5, np.nan])), [1, 2])
    assert vocabulary.codes(np.array([], int)).shape == (0,)
