"""Names of tokens in text files: an exact way there and back, and no other."""

import datetime

import numpy as np
import pandas as pd
import pytest
from export_cases import AWKWARD

from skembed.export import keyed_vectors_name, token_from_keyed_vectors_name


@pytest.mark.parametrize("token", AWKWARD, ids=lambda t: ascii(t))
def test_name_has_an_exact_way_back(token):
    name = keyed_vectors_name(token)
    assert name and name == name.strip() and len(name.split()) == 1
    name.encode("utf-8")
    back = token_from_keyed_vectors_name(name)
    assert back == token
    assert type(back) is type(token)


@pytest.mark.parametrize(
    ("token", "back"),
    [
        (np.int64(4), 4),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.bool_(False), False),
        (np.str_("x y"), "x y"),
        (pd.Timestamp("2020-01-01 00:00:00.123456789"), None),
        (np.datetime64("2020-01-01", "D"), None),
        (np.timedelta64(5, "s"), None),
        (np.timedelta64(5, "25s"), np.timedelta64(125, "s")),
        (datetime.timedelta(days=-3, microseconds=7), None),
        (pd.Timedelta("1s"), np.timedelta64(1, "s")),
    ],
    ids=str,
)
def test_name_of_numpy_and_pandas_scalars(token, back):
    found = token_from_keyed_vectors_name(keyed_vectors_name(token))
    assert found == (token if back is None else back)


def test_names_of_missing_values():
    assert np.isnan(token_from_keyed_vectors_name(keyed_vectors_name(np.nan)))
    assert token_from_keyed_vectors_name(keyed_vectors_name(pd.NA)) is pd.NA
    assert np.isnat(token_from_keyed_vectors_name(keyed_vectors_name(pd.NaT)))
    assert np.isnat(
        token_from_keyed_vectors_name(keyed_vectors_name(np.timedelta64("NaT", "s")))
    )
    assert keyed_vectors_name(None) == "%none:"


def test_names_differ_and_plain_strings_are_their_own():
    assert len({keyed_vectors_name(t) for t in AWKWARD}) == len(AWKWARD)
    for token in ("red", "größe", "a/b", "x:y", "naïve_1-2"):
        assert keyed_vectors_name(token) == token


@pytest.mark.parametrize(
    "token",
    [
        (1, 2),
        1j,
        pd.Timestamp("2020-01-01 00:00:00.000000001", tz="UTC"),
        pytest.param(np.longdouble(1) / 3, id="long double"),
        pytest.param(10**5000, id="5000 digits"),
    ],
    ids=repr,
)
def test_tokens_without_an_exact_way_back_are_refused(token):
    if isinstance(token, np.longdouble) and float(token) == token:
        pytest.skip("a long double is a double here")
    with pytest.raises(TypeError, match="strings before fit"):
        keyed_vectors_name(token)


NEVER_WRITTEN = [
    "",
    "a b",
    "a\tb",
    "100%",
    "%41",
    "%2b",
    "a%2fb",
    "%FF",
    "\ud800",
    "%int:",
    "%int:007",
    "%int:1_000",
    "%int:+1",
    "%int: 1",
    "%int:1.0",
    "%int:\u0661",
    "%int:" + "9" * 5000,
    "%int[s]:3",
    "%bool:yes",
    "%bool:true",
    "%none:x",
    "%na:x",
    "%str:abc",
    "%str: ",
    "%float:1e0",
    "%float:1",
    "%float:Infinity",
    "%float:much",
    "%decimal:1E3",
    "%decimal:much",
    "%bytes:AB",
    "%bytes:a",
    "%bytes:zz",
    "%date:20200229",
    "%date:2020-02-30",
    "%date:2020-02-29T00:00:00",
    "%datetime:2020-02-29",
    "%datetime:2020-02-29T01:02:03Z",
    "%time:24:00",
    "%timedelta:1.5",
    "%datetime64:2020-01-01",
    "%datetime64[ns]:2020-01-01",
    "%datetime64[s]:2020-01-01T00:00:00Z",
    "%datetime64[s]:now",
    "%datetime64[fortnight]:2020-01-01",
    "%datetime64[25s]:2020-01-01T00:00:00",
    "%timedelta64[s]:NaT",
    "%timedelta64[s]:1.5",
    "%timedelta64[parsec]:1",
    "%timedelta64:1",
    "%complex:1j",
    "%Int:1",
    "%:1",
]


@pytest.mark.parametrize("name", NEVER_WRITTEN, ids=lambda n: ascii(n)[:30])
@pytest.mark.filterwarnings("error")
def test_names_that_were_never_written_are_refused(name):
    with pytest.raises(ValueError, match="is given to no token|unknown type"):
        token_from_keyed_vectors_name(name)


def test_refusals_of_names_say_what_is_wrong():
    with pytest.raises(ValueError, match="unknown type 'complex'; the known ones"):
        token_from_keyed_vectors_name("%complex:1j")
    with pytest.raises(ValueError, match="its token is written '%int:7'"):
        token_from_keyed_vectors_name("%int:007")
    with pytest.raises(ValueError, match="'2020-02-30' is no date"):
        token_from_keyed_vectors_name("%date:2020-02-30")
    for name in (None, 5, b"red"):
        with pytest.raises(TypeError, match="is a string, got"):
            token_from_keyed_vectors_name(name)
    with pytest.raises(ValueError) as error:
        token_from_keyed_vectors_name("%int:" + "x" * 10**6)
    assert len(str(error.value)) < 2_000


def test_whatever_has_a_way_back_has_that_name():
    rng = np.random.default_rng(0)
    alphabet = np.array([*"ab%0:[]%intsr", " ", "\n", "\x85", "\u2028", "ü", "\ud800"])
    n_read = 0
    for _ in range(20_000):
        name = "".join(rng.choice(alphabet, rng.integers(0, 9)))
        assert token_from_keyed_vectors_name(keyed_vectors_name(name)) == name
        try:
            token = token_from_keyed_vectors_name(name)
        except ValueError:
            continue
        assert keyed_vectors_name(token) == name
        n_read += 1
    assert n_read > 100
