"""Tokens as messages show them."""

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
    except ValueError:  # Python prints no integer of more than 4300 digits
        printed = f"{type(token).__name__} too long to print"
    if len(printed) <= settings.SHOWN:
        return printed
    half = settings.SHOWN // 2
    left_out = len(printed) - 2 * half
    return f"{printed[:half]}... {left_out} characters more ...{printed[-half:]}"


def several(tokens):
    """The first five tokens, and how many more there are."""
    more = f" and {len(tokens) - 5} more" if len(tokens) > 5 else ""
    return ", ".join(map(shown, tokens[:5])) + more
