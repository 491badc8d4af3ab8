"""The engine room: the only place that imports tensorflow, keras and scikeras."""

from .collector import paused

with paused():
    import tensorflow  # noqa: F401
