"""The drawings of a report as Bokeh figures, empty: the page fills in the tokens."""

from __future__ import annotations

import json
import re

from .. import _settings as settings

__all__ = ["bokeh_scripts", "caterpillar_item", "loss_item", "map_item", "need_bokeh"]


def need_bokeh():
    """Raise where Bokeh is not installed, before anything is computed."""
    try:
        import bokeh  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "TokenReport draws with Bokeh, which is not installed: install it with "
            "pip install 'skembed[report]' (or pip install bokeh)."
        ) from error


def bokeh_scripts():
    """Return the JavaScript of Bokeh that the figures need."""
    from bokeh.resources import Resources

    return Resources(mode="inline", components=["bokeh"]).js_raw


def _figure(name, drag=None, scroll=None, others=()):
    from bokeh.models import Range1d
    from bokeh.plotting import figure

    made = figure(
        name=name,
        tools=[tool for tool in (drag, scroll, *others) if tool is not None],
        toolbar_location=None,
        sizing_mode="stretch_both",
        min_height=120,
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
        lod_threshold=settings.REPORT_MOVES,
        lod_factor=settings.REPORT_THINNED,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
    )
    made.toolbar.active_drag = drag
    made.toolbar.active_scroll = scroll
    made.toolbar.active_tap = None
    made.axis.axis_line_color = None
    made.axis.minor_tick_line_color = None
    made.axis.major_tick_line_color = None
    made.axis.axis_label_text_font_style = "normal"
    made.axis.axis_label_text_font_size = "12px"
    made.axis.major_label_text_font_size = "11px"
    made.min_border = 6
    return made


def _source(name, *columns):
    from bokeh.models import ColumnDataSource

    return ColumnDataSource({column: [] for column in columns}, name=name)


def _item(figure):
    """Return a figure for the page, its parts numbered from 1 in the order they come.

    Bokeh numbers on through a process; so the same report is the same page.
    """
    from bokeh.embed import json_item

    text = json.dumps(json_item(figure))
    number = {}

    def renumbered(found):
        return f'"p{number.setdefault(found[0], len(number) + 1)}"'

    return json.loads(re.sub(r'"p\d+"', renumbered, text))


def _mapper(name):
    from bokeh.models import LinearColorMapper

    return LinearColorMapper(palette=["#888888"], low=0, high=1, name=name)


def map_item():
    """Return the map: ellipses, points, the unknown token, marks and labels."""
    from bokeh.models import LassoSelectTool, PanTool, WheelZoomTool

    pan, wheel = PanTool(name="pan"), WheelZoomTool(name="wheel")
    lasso = LassoSelectTool(name="lasso", continuous=False)
    drawn = _figure("map", drag=pan, scroll=wheel, others=[lasso])
    ellipses = _source("ellipses", "x", "y", "width", "height", "angle", "alpha")
    drawn.ellipse(
        "x",
        "y",
        width="width",
        height="height",
        angle="angle",
        source=ellipses,
        fill_alpha="alpha",
        line_alpha=0.8,
        line_width=1,
        name="ellipse-glyph",
    )
    prior = _source("prior", "x", "y", "width", "height", "angle")
    drawn.ellipse(
        "x",
        "y",
        width="width",
        height="height",
        angle="angle",
        source=prior,
        fill_color=None,
        line_dash="dashed",
        line_width=1.2,
        name="prior-glyph",
    )
    points = _source("points", "x", "y", "size", "value")
    color = {"field": "value", "transform": _mapper("colors")}
    lasso.renderers = [
        drawn.scatter(
            "x",
            "y",
            size="size",
            source=points,
            fill_color=color,
            fill_alpha=0.85,
            line_color="#00000055",
            line_width=0.5,
            name="points-glyph",
            nonselection_fill_alpha=0.12,
            nonselection_line_alpha=0.1,
            selection_fill_alpha=0.95,
        )
    ]
    unknown = _source("unknown", "x", "y")
    drawn.scatter(
        "x",
        "y",
        size=11,
        marker="x",
        line_width=2,
        source=unknown,
        name="unknown-glyph",
    )
    rings = _source("rings", "x", "y", "size", "width")
    drawn.scatter(
        "x",
        "y",
        size="size",
        source=rings,
        fill_color=None,
        line_width="width",
        name="rings-glyph",
    )
    labels = _source("labels", "x", "y", "text", "dx", "dy", "align")
    drawn.text(
        "x",
        "y",
        text="text",
        x_offset="dx",
        y_offset="dy",
        text_align="align",
        text_baseline="middle",
        text_font_size="12px",
        source=labels,
        text_font={"value": "system-ui, sans-serif"},
        background_fill_alpha=0.6,
        border_radius=3,
        padding=1,
        name="labels-glyph",
    )
    return _item(drawn)


def caterpillar_item():
    """Return the caterpillar plot: effects in order, with intervals and the prior."""
    from bokeh.models import (
        BoxAnnotation,
        BoxSelectTool,
        FixedTicker,
        PanTool,
        Span,
        WheelZoomTool,
    )

    pan = PanTool(name="pan", dimensions="width")
    wheel = WheelZoomTool(name="wheel", dimensions="width")
    # It brushes; what it marks is for the page to say.
    box = BoxSelectTool(name="box", dimensions="width", continuous=False, renderers=[])
    drawn = _figure("caterpillar", drag=box, scroll=wheel, others=[pan])
    drawn.xgrid.grid_line_color = None
    drawn.xaxis.ticker = FixedTicker(ticks=[], name="ranks")
    band = BoxAnnotation(
        bottom=0,
        top=0,
        name="prior-band",
        fill_alpha=0.35,
        hatch_pattern="/",
        hatch_alpha=0.16,
        hatch_scale=14,
        line_color=None,
        level="underlay",
    )
    line = Span(
        location=0,
        dimension="width",
        line_dash="dashed",
        line_width=1.2,
        name="prior-line",
    )
    zero = Span(location=0, dimension="width", line_width=1, name="zero-line")
    for annotation in (band, zero, line):
        drawn.add_layout(annotation)
    bars = _source("bars", "rank", "effect", "low", "high", "value", "alpha", "size")
    drawn.segment(
        x0="rank",
        x1="rank",
        y0="low",
        y1="high",
        source=bars,
        line_alpha="alpha",
        line_width=1.5,
        name="bars-glyph",
    )
    color = {"field": "value", "transform": _mapper("bar-colors")}
    drawn.scatter(
        "rank",
        "effect",
        size="size",
        source=bars,
        fill_color=color,
        fill_alpha="alpha",
        line_color=None,
        name="dots-glyph",
    )
    ring = _source("ring", "rank", "effect", "low", "high", "width")
    drawn.segment(
        x0="rank",
        x1="rank",
        y0="low",
        y1="high",
        source=ring,
        line_width=2.5,
        name="ring-bar-glyph",
    )
    drawn.scatter(
        "rank",
        "effect",
        size=12,
        source=ring,
        fill_color=None,
        line_width="width",
        name="ring-glyph",
    )
    return _item(drawn)


def loss_item():
    """Return the loss curve, and that of held-out rows."""
    drawn = _figure("loss")
    drawn.xaxis.axis_label = "epoch"
    drawn.yaxis.axis_label = "loss"
    drawn.xgrid.grid_line_color = None
    for name, dash in ("losses", "solid"), ("validation", "dashed"):
        source = _source(name, "epoch", "loss")
        drawn.line(
            "epoch",
            "loss",
            source=source,
            line_width=2,
            line_dash=dash,
            name=f"{name}-glyph",
        )
    return _item(drawn)
