"""The page: markup around facts, with all that it needs inside."""

from __future__ import annotations

import html
from importlib.resources import files

from .figures import bokeh_scripts, caterpillar_item, loss_item, map_item
from .packing import as_json, packed

__all__ = ["in_frame", "page"]


# In the order in which they need each other.
_SCRIPTS = (
    *("logic.js", "dom.js", "theme.js", "drawing.js"),
    *("card.js", "list.js", "search.js", "marks.js", "legend.js", "caterpillar.js"),
    *("column.js", "fit.js", "report.js"),
)


def _part(name):
    return files("skembed").joinpath("_report", "static", name).read_text("utf-8")


def page(title, fit, columns):
    """Return the whole page as a string.

    Parameters
    ----------
    title : str
        The title, of any characters.
    fit : dict
        From `fit_facts`.
    columns : list of (facts, arrays)
        From `describe`.
    """
    outline = {
        "title": title,
        "fit": fit,
        "columns": [
            {
                "name": facts["name"],
                "shown": len(arrays["count"]),
                "total": facts["total"],
            }
            for facts, arrays in columns
        ],
        "figures": {
            "map": map_item(),
            "caterpillar": caterpillar_item(),
            "loss": loss_item(),
        },
    }
    data = [
        f'<script type="text/plain" id="column-{k}">{packed(*column)}</script>'
        for k, column in enumerate(columns)
    ]
    parts = {
        "TITLE": html.escape(title.encode("utf-8", "replace").decode()),
        "STYLE": _part("report.css"),
        "OUTLINE": as_json(outline),
        "DATA": "\n".join(data),
        "BOKEH": "\n".join(f"<script>{script}</script>" for script in bokeh_scripts()),
        "SCRIPTS": "\n".join(f"<script>\n{_part(name)}</script>" for name in _SCRIPTS),
    }
    # Each place once and from left to right: what is put in is not read again.
    out, rest = [], _part("page.html")
    for name, content in parts.items():
        head, mark, rest = rest.partition(f"<!--{name}-->")
        if not mark:
            raise RuntimeError(f"page.html has no place for {name} in this order.")
        out += [head, content]
    return "".join([*out, rest])


def in_frame(whole, title, height):
    """Return a frame with the page in it, for a notebook or another page.

    Styles and scripts in a frame meet nothing of the page around it.
    """
    return (
        f'<iframe title="{html.escape(title)}" srcdoc="{html.escape(whole)}" '
        f'style="width:100%;height:{height}px;border:0;border-radius:10px" '
        'loading="lazy" allow="clipboard-write"></iframe>'
    )
