"""What contributors read is true: the map of files, and where constants come from."""

import ast
import importlib
import re
import runpy
from pathlib import Path

import pytest

import skembed

PACKAGE = Path(skembed.__file__).parent
ROOT = PACKAGE.parent
if not (ROOT / "docs" / "make_map.py").is_file():
    pytest.skip("The documentation is not here.", allow_module_level=True)

MAP = runpy.run_path(str(ROOT / "docs" / "make_map.py"))
FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("page", MAP["PAGES"])
def test_the_map_is_that_of_the_files(page):
    text, anew = MAP["written_anew"](page)
    assert text == anew, "run python docs/make_map.py"
    # It is made of these very files; here they are found without its help.
    missing = [file.name for file in FILES if f"`{file.name}`" not in text]
    assert set(missing) <= {"__init__.py"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_first_line_of_a_module_says_what_it_is(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text, "no docstring"
    first, _, rest = text.partition("\n")
    assert first.endswith(".")
    assert not rest or rest.startswith("\n"), "the first paragraph is one line"


def comments(path):
    """Blocks of comment lines, each as one text."""
    block = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("# "):
            block.append(line[2:])
        elif block:
            yield " ".join(block)
            block = []


def section_titles(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return {
        title
        for title, line in zip(lines, lines[1:], strict=False)
        if re.fullmatch(r"([-=~])\1+", line) and len(line) >= len(title) > 0
    }


FOUND = [
    title
    for comment in comments(PACKAGE / "_settings.py")
    for title in re.findall(r'Found: "([^"]*)"', comment)
]


def test_constants_name_experiments_that_are_there():
    titles = section_titles(ROOT / "docs" / "benchmarks" / "_defaults.rst")
    assert FOUND
    assert set(FOUND) <= titles
    # None is written in a way that would not be read here.
    settings = (PACKAGE / "_settings.py").read_text(encoding="utf-8")
    assert len(FOUND) == settings.count("Found: ")


def test_constants_name_scripts_that_are_there():
    text = " ".join(comments(PACKAGE / "_settings.py"))
    scripts = re.findall(r"Found with (\S+\.py)", text)
    assert scripts
    assert all((ROOT / script).is_file() for script in scripts)
    assert len(scripts) == text.count("Found with ")


OUTSIDE = [
    path
    for folder in ("benchmarks", "docs", "examples")
    for path in sorted((ROOT / folder).glob("*.py"))
]


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.name)
def test_scripts_beside_the_package_import_what_is_there(path):
    """Benchmarks do not run in the tests: a module that moved would break them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.partition(".")[0] == "skembed":
                    importlib.import_module(name.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.partition(".")[0] == "skembed":
                module = importlib.import_module(node.module)
                for name in node.names:
                    if not hasattr(module, name.name):  # a module that is not read yet
                        importlib.import_module(f"{node.module}.{name.name}")
