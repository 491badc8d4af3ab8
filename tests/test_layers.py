"""Who may import whom: the rules of the rooms, held by reading the source."""

import ast
from pathlib import Path

import pytest

import skembed

ROOT = Path(skembed.__file__).parent
ENGINE = {"tensorflow", "keras", "scikeras"}
OPTIONAL = {"pandas", "polars", "pyarrow", "gensim", "pynndescent", "rich"}
ALWAYS = {"numpy", "scipy", "sklearn"}


def imports(path, at_import_only):
    """Dotted names of all modules that a file imports, its own package resolved."""
    package = ["skembed", *path.relative_to(ROOT).parent.parts]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _module_level(tree) if at_import_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from package import module` means the module, not the package.
            names = [f"{module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else module for name in names)


def _module_level(tree):
    """All nodes but those inside of functions, which run only when called."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += ast.iter_child_nodes(node)


def name_of(path):
    parts = ["skembed", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def room(module):
    """The module of the package that a dotted name lies in, or None."""
    while module and module not in MODULES:
        module = module.rpartition(".")[0]
    return module or None


def own(name, at_import_only=False):
    found = {room(module) for module in imports(MODULES[name], at_import_only)}
    return found - {None, "skembed", name}


def foreign(name, at_import_only=False):
    found = {m.split(".")[0] for m in imports(MODULES[name], at_import_only)}
    return found - {"skembed"}


def in_engine(name):
    return name.startswith("skembed._keras")


def in_plot(name):
    return name.startswith("skembed._plot")


@pytest.mark.parametrize("name", MODULES)
def test_only_the_engine_room_imports_the_engine(name):
    found = foreign(name) & ENGINE
    allowed = set()
    if in_engine(name):
        allowed = {"tensorflow", "keras"}
        if name == "skembed._keras.bridge":
            allowed = ENGINE
    assert found <= allowed


@pytest.mark.parametrize("name", [n for n in MODULES if not in_engine(n)])
def test_nothing_heavy_is_imported_at_import(name):
    assert not foreign(name, at_import_only=True) & (OPTIONAL | ENGINE | {"matplotlib"})
    assert not {m for m in own(name, at_import_only=True) if in_engine(m)}


@pytest.mark.parametrize("name", [n for n in MODULES if not in_plot(n)])
def test_only_displays_draw(name):
    assert "matplotlib" not in foreign(name)
    assert not {module for module in own(name) if in_plot(module)}


PLAIN = {  # rooms that know nothing of estimators, and whom they may ask
    "_columns": set(),
    "_rows": set(),
    "_numbers": set(),
    "_network": set(),
    "_likelihoods": set(),
    "_schedule": set(),
    "_hooks": set(),
    "_tokens": {"_columns"},
    "_features": {"_columns", "_tokens", "_numbers"},
    "_inference": {"_network"},
}


@pytest.mark.parametrize("name", PLAIN)
def test_the_lower_rooms_import_only_what_lies_below(name):
    allowed = {f"skembed.{module}" for module in PLAIN[name]}
    assert own(f"skembed.{name}") <= allowed


@pytest.mark.parametrize("name", [n for n in MODULES if in_engine(n)])
def test_the_engine_knows_no_estimator(name):
    plain = {f"skembed.{module}" for module in PLAIN}
    assert {m for m in own(name) if not in_engine(m)} <= plain


ESTIMATORS = {"skembed._base", "skembed._regressor", "skembed._classifier"}


def test_the_base_knows_no_subclass():
    assert not own("skembed._base") & (ESTIMATORS - {"skembed._base"})
    assert not own("skembed._regressor") & {"skembed._classifier"}


@pytest.mark.parametrize("name", [n for n in MODULES if n.endswith("_similarity")])
def test_similarity_reads_public_attributes_only(name):
    reached, waiting = set(), [name]
    while waiting:
        for module in own(waiting.pop()) - reached:
            reached.add(module)
            waiting.append(module)
    assert not {module for module in reached if in_engine(module)}
    if not in_plot(name):
        assert not reached & ESTIMATORS


def test_no_circles():
    edges = {name: own(name) for name in MODULES}
    done = set()

    def visit(name, path):
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            for module in sorted(edges[name]):
                visit(module, [*path, name])
            done.add(name)

    for name in MODULES:
        visit(name, [])
    assert done == set(MODULES)
