"""Tokens as messages and plots show them."""

import re

from .. import _settings as settings


def shown(token):
    """The token as Python prints it, cut where that is long.

    Parameters
    ----------
    token : object

    Returns
    -------
    text : str
        At most about `settings.SHOWN` characters.
    """
    try:
        printed = repr(token)
    except Exception:  # an integer of more than 4300 digits, somebody's own class
        printed = f"<{type(token).__name__} that cannot be printed>"
    if len(printed) <= settings.SHOWN:
        return printed
    half = settings.SHOWN // 2
    left_out = len(printed) - 2 * half
    return f"{printed[:half]}... {left_out} characters more ...{printed[-half:]}"


# Control characters, what ends a line, and lone surrogates.
_NOT_WRITTEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def one_line(text):
    """Text with what cannot be written in a line as in a Python string."""
    return _NOT_WRITTEN.sub(lambda c: c[0].encode("unicode_escape").decode(), text)


def label(text, longest=settings.LABEL):
    """Text as the name of a point, an axis or a colour: visible, short, on one line."""
    if not text.strip():
        return repr(text[:longest]) if text else "(empty)"
    half = longest // 2
    if len(text) > longest:
        text = f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half + 1 :]}"
    return one_line(text)


def several(tokens):
    """The first five tokens, and how many more there are."""
    more = f" and {len(tokens) - 5} more" if len(tokens) > 5 else ""
    return ", ".join(map(shown, tokens[:5])) + more
