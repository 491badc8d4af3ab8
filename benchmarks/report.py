"""What the printed tables have in common: a first line, rows, files."""

import datetime
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def versions(packages):
    """Return {package: version} of the installed ones among `packages`."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def header(packages):
    """Return the line that says when, with what and on how many cores."""
    used = {"Python": platform.python_version(), **versions(packages)}
    listed = ", ".join(f"{name} {number}" for name, number in used.items())
    return f"{datetime.date.today().isoformat()}; {os.cpu_count()} cores; {listed}"


def repeated(run, seeds, **cell):
    """Return the means of what ``run(*cell, seed)`` finds, and every run with its cell.

    Parameters
    ----------
    run : callable
        Takes the values of `cell` and a seed; returns a dict of numbers.
    seeds : list of int
        One run each.
    **cell
        What the runs have in common, by name.

    Returns
    -------
    mean : dict
        Means over the seeds.
    results : list of dict
        For the json.
    """
    runs = [run(*cell.values(), seed) for seed in seeds]
    mean = {key: sum(r[key] for r in runs) / len(runs) for key in runs[0]}
    named = [{str(key): value for key, value in r.items()} for r in runs]
    seeded = zip(seeds, named, strict=True)
    return mean, [{**cell, "seed": seed, **found} for seed, found in seeded]


def render(headings, rows, style="md"):
    """Return a table as Markdown or reStructuredText.

    Parameters
    ----------
    headings : list of str
        One per column.
    rows : list of list of str
        The cells.
    style : {"md", "rst"}, default="md"
        The markup.
    """
    lines = [headings, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(headings))]

    def cells(line):
        return [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]

    if style == "rst":
        rule = "  ".join("=" * width for width in widths)
        body = ["  ".join(cells(line)).rstrip() for line in lines]
        return "\n".join([rule, body[0], rule, *body[1:], rule])
    body = ["| " + " | ".join(cells(line)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([body[0], rule, *body[1:]])


def write(out, first_line, parts, results):
    """Print the parts of a report; with `out`, write them and a json beside.

    Parameters
    ----------
    out : str or None
        A name that ends in ``.md`` or ``.rst``.
    first_line : str
        From :func:`header`.
    parts : list of (str, list, list)
        Title, headings and rows of each table.
    results : list of dict
        The figures behind the tables.
    """
    style = "rst" if out and Path(out).suffix == ".rst" else "md"
    blocks = [first_line]
    for title, headings, rows in parts:
        blocks += [title, render(headings, rows, style)]
    text = "\n\n".join(blocks) + "\n"
    print(text)
    if out:
        Path(out).write_text(text, encoding="utf-8")
        record = {"header": first_line, "results": results}
        Path(out).with_suffix(".json").write_text(
            json.dumps(record, indent=1), encoding="utf-8"
        )
