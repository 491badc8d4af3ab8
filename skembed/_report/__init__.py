"""Reports: one HTML page to look at the tokens. Bokeh is imported when they draw."""

from .report import TokenReport

__all__ = ["TokenReport"]
