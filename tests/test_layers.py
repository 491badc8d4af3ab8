"""Who may import whom: one line per room, held by reading every import there is."""

import ast
from pathlib import Path

import pytest

import skembed

ROOT = Path(skembed.__file__).parent
ENGINE = {"tensorflow", "keras", "scikeras"}
OPTIONAL = {
    *("pandas", "polars", "pyarrow", "gensim", "pynndescent", "rich", "bokeh"),
    *("onnx", "onnxruntime", "skl2onnx", "skops", "safetensors", "duckdb", "mlflow"),
    *("dask", "distributed"),
}

# Room -> the rooms that it may import. A folder is a room; so is a file beside them.
# Every room may read _settings (constants) and _sklearn (what is private there).
MAY_IMPORT = {
    "_settings": set(),
    "_sklearn": set(),
    "_files": set(),
    "_data": set(),
    "_model": {"_data"},
    "_training": {"_model", "_data", "_files"},
    "_keras": {"_training", "_model", "_data"},
    "_versions": {"__init__"},
    "_attributes": {"_keras", "_model"},
    "_pieces": {"_training", "_model", "_data"},
    "_base": {
        *("_versions", "_attributes", "_pieces"),
        *("_keras", "_training", "_model", "_data"),
    },
    "_regressor": {"_base", "_pieces", "_keras", "_training", "_model", "_data"},
    "_classifier": {"_base", "_pieces", "_training", "_model", "_data"},
    "machines": {"_keras", "_data"},
    "_dask": {"machines", "_keras", "_data"},
    "dask": {"_dask", "_regressor", "_classifier"},
    "_predictors": {"_base", "_regressor", "_classifier"},
    "_cross_fit": {
        *("_predictors", "_regressor", "_classifier", "_base"),
        *("_keras", "_training", "_model", "_data"),
    },
    "_encoder": {"_versions", "_cross_fit", "_pieces", "_model", "_data"},
    "_space": {"_model", "_data"},
    "_similarity": {"_versions", "_predictors", "_space", "_data"},
    "_plot": {"_space", "_data"},
    "_report": {"_plot", "_space", "_files", "_data", "__init__"},
    "export": {
        *("_encoder", "_classifier", "_regressor", "_versions", "__init__"),
        *("_space", "_files", "_model", "_data"),
    },
    "datasets": set(),
    "demo": {"_report", "_plot", "_similarity", "_regressor", "datasets", "_files"},
    "__init__": set(),
}
EVERYBODY = {"_settings", "_sklearn"}


def room_of(path):
    return path.relative_to(ROOT).with_suffix("").parts[0]


FILES = [
    pytest.param(path, id=str(path.relative_to(ROOT)))
    for path in sorted(ROOT.rglob("*.py"))
]


def imports(path, at_import_only=False):
    """Dotted names of all that a file imports, names out of modules included."""
    package = ["skembed", *path.relative_to(ROOT).parent.parts]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _module_level(tree) if at_import_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _module_level(tree):
    """All nodes but those inside of functions, which run only when called."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)


def rooms(path, **kwargs):
    """Rooms of this package that a file imports.

    ``from skembed import X`` leads to the room that `X` lives in.
    """
    found = set()
    for name in imports(path, **kwargs):
        head, _, rest = name.partition(".")
        if head == "skembed":
            first = rest.partition(".")[0]
            if first in MAY_IMPORT:
                found.add(first)
            else:
                found.add(skembed._HOMES.get(first) or "__init__")
    return found


def foreign(path, **kwargs):
    return {name.split(".")[0] for name in imports(path, **kwargs)} - {"skembed"}


def test_every_room_has_its_line():
    assert {room_of(param.values[0]) for param in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES)
def test_imports_go_down_only(path):
    room = room_of(path)
    assert rooms(path) - {room} <= MAY_IMPORT[room] | EVERYBODY


def test_no_circles_between_rooms():
    order = list(MAY_IMPORT)
    for room, allowed in MAY_IMPORT.items():
        below = order[: order.index(room)]
        assert allowed - {"__init__"} <= set(below), room


@pytest.mark.parametrize("path", FILES)
def test_no_circles_inside_of_a_room(path):
    reached, waiting = set(), [path]
    while waiting:
        for name in imports(waiting.pop()):
            file = ROOT.joinpath(*name.split(".")[1:])
            for other in (file.with_suffix(".py"), file.parent.with_suffix(".py")):
                if other.is_file() and other not in reached:
                    reached.add(other)
                    waiting.append(other)
    assert path not in reached


@pytest.mark.parametrize("path", FILES)
def test_only_the_engine_room_imports_the_engine(path):
    allowed = set()
    if room_of(path) == "_keras":
        allowed = ENGINE if path.stem == "bridge" else {"tensorflow", "keras"}
    assert foreign(path) & ENGINE <= allowed


@pytest.mark.parametrize("path", FILES)
def test_nothing_heavy_is_imported_at_import(path):
    if room_of(path) == "_keras":
        return
    heavy = OPTIONAL | ENGINE | {"matplotlib"}
    assert not foreign(path, at_import_only=True) & heavy
    assert "_keras" not in rooms(path, at_import_only=True)


@pytest.mark.parametrize("path", FILES)
def test_only_displays_draw(path):
    if room_of(path) != "_plot":
        assert "matplotlib" not in foreign(path)


PRIVATE_OF_SKLEARN = ("sklearn.utils._", "sklearn.base._", "sklearn.utils.validation._")


@pytest.mark.parametrize("path", FILES)
def test_private_names_of_scikit_learn_stand_in_one_place(path):
    if room_of(path) != "_sklearn":
        assert not [n for n in imports(path) if n.startswith(PRIVATE_OF_SKLEARN)]
