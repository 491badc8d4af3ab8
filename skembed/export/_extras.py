"""Packages that an export needs, and the extras that bring them."""

from importlib.util import find_spec


def needs(package, extra):
    """Raise if a package is not installed, and say which extra brings it."""
    if find_spec(package) is None:
        raise ImportError(
            f"This needs {package}, which is not installed: "
            f"pip install 'skembed[{extra}]'."
        )
