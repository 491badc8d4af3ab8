"""The map of files in CONTRIBUTING.md and docs/contributing.rst.

``python docs/make_map.py`` writes it anew, from the first lines of the modules'
docstrings; with ``--check`` it only says whether it is up to date. Folders stand in the
order of the way of the data; within a folder, a file stands behind those it imports.
Needs the standard library only.
"""

import ast
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "skembed"
FOLDERS = ("_data", "_model", "_training", "_keras")  # before the estimators
LATER_FOLDERS = ("_cross_fit", "_space", "_plot", "_report")  # behind them
BESIDE = (
    "__init__",
    "_files",
    "_settings",
    "_sklearn",
)  # private, but no estimators' files
START = "_base.py"
BEGIN, END = "map: made by docs/make_map.py", "end of the map"


def summary(path):
    """First paragraph of a module's docstring, which has to be one line."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = text.partition("\n\n")[0]
    if not paragraph.endswith(".") or "\n" in paragraph:
        name = path.relative_to(ROOT).as_posix()
        raise SystemExit(f"{name}: the docstring must begin with one line and a dot.")
    return paragraph


def imported(path):
    """Files of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            steps = node.module.split(".") if node.module else []
            base = path.parents[node.level - 1].joinpath(*steps)
            yield from (base / f"{alias.name}.py" for alias in node.names)
            yield base.with_suffix(".py")


@cache
def depth(path):
    """How many files the longest chain of imports down from a file has."""
    below = {file for file in imported(path) if file.is_file() and file != path}
    return 1 + max(map(depth, below), default=0)


def groups():
    """Yield the title, the folder and the rows (file, what it is) of every table."""
    top = [file for file in PACKAGE.glob("*.py")]
    doors = [f for f in top if f.stem.startswith("_") and f.stem not in BESIDE]
    rest = [file for file in top if file not in doors]
    folders = [folder.name for folder in PACKAGE.iterdir() if any(folder.glob("*.py"))]
    unplaced = sorted(set(folders) - {*FOLDERS, *LATER_FOLDERS})
    for name in FOLDERS:
        yield of_folder(name)
    yield "The estimators", "skembed/", rows(doors)
    for name in (*LATER_FOLDERS, *unplaced):
        yield of_folder(name)
    yield "Beside them", "skembed/", rows(rest)


def of_folder(name):
    files = (PACKAGE / name).glob("*.py")
    title = summary(PACKAGE / name / "__init__.py").removesuffix(".")
    return title, f"skembed/{name}/", rows(f for f in files if f.stem != "__init__")


def rows(files):
    for file in sorted(files, key=lambda f: (f.name != START, depth(f), f.name)):
        text = summary(file).removesuffix(".")
        yield file.name, ("**Start here.** " if file.name == START else "") + text


def markdown():
    for title, folder, lines in groups():
        yield f"\n**`{folder}`**: {title}\n\n| file | what it is |\n|---|---|"
        for name, text in lines:
            text = text.replace("|", r"\|")
            yield f"| `{name}` | {text} |"


def restructured():
    for title, folder, lines in groups():
        yield f"\n``{folder}``: {title}\n\n.. list-table::\n   :widths: 25 75\n"
        for name, text in lines:
            yield f"   * - ``{name}``\n     - {text}"


PAGES = {
    "CONTRIBUTING.md": (markdown, "<!-- {} -->"),
    "docs/contributing.rst": (restructured, ".. {}"),
}


def written_anew(page):
    """The page as it stands, and with the map as it should be."""
    make, comment = PAGES[page]
    text = (ROOT / page).read_text(encoding="utf-8")
    begin, end = (comment.format(mark) for mark in (BEGIN, END))
    head, found_begin, rest = text.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not (found_begin and found_end):
        raise SystemExit(f"{page}: the lines '{begin}' and '{end}' must be there.")
    return text, "\n".join([head + begin, *make(), "", end + tail])


def main(arguments):
    stale = []
    for page in PAGES:
        text, anew = written_anew(page)
        if text != anew:
            stale.append(page)
            if "--check" not in arguments:
                (ROOT / page).write_text(anew, encoding="utf-8", newline="\n")
    if stale and "--check" in arguments:
        raise SystemExit(f"Out of date: {', '.join(stale)}. Run {Path(__file__).name}.")


if __name__ == "__main__":
    main(sys.argv[1:])
