"""Arrays and facts as one block of bytes in a page, and back in the tests."""

from __future__ import annotations

import base64
import json
import re
import zlib

import numpy as np

__all__ = ["as_json", "packed", "unpacked"]


def as_json(value):
    """Write JSON that can stand in a script of a page: no way to end it.

    Text stays as it is, but for what ends a script, a line in JavaScript or is half
    of a character.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda c: f"\\u{ord(c[0]):04x}", text)


_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def packed(facts, arrays):
    """Pack facts and arrays, compressed and in base 64.

    The bytes are: the length of the header (4 bytes), the header (JSON), then the
    arrays, each from a multiple of 8 on, all little-endian.

    Parameters
    ----------
    facts : dict
        What JSON can hold.
    arrays : dict of ndarray
        float32, int32, or uint8.
    """
    places, blocks, at = {}, [], 0
    for name, array in arrays.items():
        array = np.ascontiguousarray(array)
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        raw = little.tobytes()
        kind = array.dtype.name
        places[name] = {"kind": kind, "shape": list(array.shape), "at": at}
        padding = -len(raw) % 8
        blocks += [raw, bytes(padding)]
        at += len(raw) + padding
    header = as_json({"facts": facts, "arrays": places}).encode()
    header += b" " * (-(len(header) + 4) % 8)
    content = b"".join([len(header).to_bytes(4, "little"), header, *blocks])
    compress = zlib.compressobj(6, zlib.DEFLATED, 31)  # 31: with the header of gzip
    whole = compress.compress(content) + compress.flush()
    return base64.b64encode(whole).decode("ascii")


def unpacked(text):
    """Return the facts and the arrays that `packed` has packed."""
    content = zlib.decompress(base64.b64decode(text), 31)
    end = 4 + int.from_bytes(content[:4], "little")
    header = json.loads(content[4:end])
    arrays = {}
    for name, place in header["arrays"].items():
        kind = np.dtype(place["kind"]).newbyteorder("<")
        n = int(np.prod(place["shape"]))
        start = end + place["at"]
        array = np.frombuffer(content, kind, n, start).reshape(place["shape"])
        arrays[name] = array
    return header["facts"], arrays
