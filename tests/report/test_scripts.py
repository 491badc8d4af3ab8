"""The report's own JavaScript: linted, and its logic run without a browser."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import skembed
from skembed._report.packing import packed

FOLDER = Path(skembed.__file__).parent / "_report" / "static"
ROOT = Path(skembed.__file__).parent.parent


def test_lint():
    linter = shutil.which("oxlint")
    config = ROOT / ".oxlintrc.json"
    if linter is None or not config.is_file():
        pytest.skip("oxlint or its settings are not here")
    done = subprocess.run(
        [linter, "--config", str(config), "--deny-warnings", str(FOLDER)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def run():
    """Evaluate an expression that uses `logic`, with Python's values as `args`."""
    engine = pytest.importorskip("py_mini_racer", reason="an engine of JavaScript")
    context = engine.MiniRacer()
    context.eval((FOLDER / "logic.js").read_text(encoding="utf-8") + ";0")

    def evaluate(expression, *args):
        call = f"JSON.stringify(((...args) => {expression})(...{json.dumps(args)}))"
        return json.loads(context.eval(call))

    return evaluate


def test_search_puts_the_best_first(run):
    names = ["New York", "york", "Yorkshire", "Old Yorkton", "Newyork", "Zürich"]
    counts = [1, 5, 7, 9, 11, 1]
    search = (
        "logic.search(args[0].map((n) => [logic.folded(n)]), args[1], args[2], args[3])"
    )

    def found(query, limit=10):
        return [names[i] for i in run(search, names, counts, query, limit)]

    assert found("york") == ["york", "Yorkshire", "Old Yorkton", "New York", "Newyork"]
    assert found("YORK", 2) == ["york", "Yorkshire"]
    assert found("zurich") == ["Zürich"]
    assert found("  ") == []
    assert found("(") == []


def test_csv_is_read_back_and_is_no_formula(run):
    import csv
    import io

    rows = [
        ["token", "n"],
        ['say "hi", you', 1.5],
        ["a\nb", -2],
        ["=1+1", 0],
        ["-3", 0],
    ]
    text = run("logic.csv(args[0])", rows)
    found = list(csv.reader(io.StringIO(text)))
    assert found[1] == ['say "hi", you', "1.5"]
    assert found[2] == ["a\nb", "-2"]
    assert found[3][0] == "'=1+1"
    assert found[4][0] == "-3"  # a number is no formula


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567.0, "1,234,567"),
        (-35.04, "−35"),
        (0.012345, "0.0123"),
        (99.96, "100"),
        (1e-9, "1.00e−9"),
        (2.5e12, "2.50e+12"),
        (None, "–"),
    ],
)
def test_numbers_are_readable(run, value, text):
    assert run("logic.number(args[0])", value) == text


def test_signs(run):
    assert run("[0, 1.5, -1.5].map((v) => logic.signed(v))") == ["0", "+1.5", "−1.5"]


def test_ellipses_are_those_of_the_covariance(run):
    covariance = np.array([[3.0, 1.2], [1.2, 0.8]])
    found = run("logic.ellipse(args[0], 0.5)", [3.0, 1.2, 0.8])
    variances, axes = np.linalg.eigh(covariance)
    full = 2 * np.sqrt(2 * np.log(2) * variances)
    assert [found["height"], found["width"]] == pytest.approx(full.tolist())
    direction = [np.cos(found["angle"]), np.sin(found["angle"])]
    assert abs(axes[:, 1] @ direction) == pytest.approx(1)


def test_thinning_keeps_both_ends(run):
    assert run("logic.thin(3, 7, 10)") == [3, 4, 5, 6]
    some = run("logic.thin(0, 50000, 100)")
    assert len(some) == len(set(some)) == 100
    assert (some[0], some[-1]) == (0, 49_999)


def test_tokens_are_chosen_and_ordered(run):
    assert run("[...logic.frequent([5, 1, 9, 5], 2)]") == [2, 0, 3]
    call = "[...logic.ordered([0, 1, 2], [3, NaN, 1], args[0])]"
    assert run(call, False) == [2, 0, 1]
    assert run(call, True) == [0, 2, 1]


def test_the_nearest_point_within_reach(run):
    call = "logic.nearest([0, 1, 2], [0, 0, 0], args[0], 0, 100, 100, 10)"
    assert run(call, 0.95) == 1
    assert run(call, 0.5) == -1


def test_ranges_hold_all_points(run):
    found = run("logic.ranges([0, 10], [0, 1], 200, 100, true)")
    assert found["x"][0] < 0 < 10 < found["x"][1]
    width, height = np.ptp(found["x"]), np.ptp(found["y"])
    assert width / 200 == pytest.approx(height / 100)
    alone = run("logic.ranges([3], [4], 200, 100, true)")
    assert alone["x"][0] < 3 < alone["x"][1]
    assert run("logic.ranges([], [], 200, 100, false)")["x"] == [-0.5, 0.5]


def test_labels_do_not_meet(run):
    rng = np.random.default_rng(0)
    boxes = [
        {"x": float(x), "y": float(y), "r": 4, "w": 60}
        for x, y in rng.uniform(0, 300, (80, 2))
    ]
    found = run("logic.placed(args[0], 300, 300, 50)", boxes)
    assert 5 < len(found) <= 50
    drawn = []
    for label in found:
        point = boxes[label["at"]]
        shift = {"left": 0, "right": -60, "center": -30}[label["align"]]
        left = point["x"] + shift + label["dx"] * (label["align"] != "center")
        middle = point["y"] + label["dy"]
        drawn.append((left, middle - 7, left + 60, middle + 7))
    for i, a in enumerate(drawn):
        assert min(a[:2]) >= 0 and max(a[2:]) <= 300
        for b in drawn[:i]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart


def test_bytes_are_read_as_they_were_packed(run):
    import base64
    import zlib

    arrays = {
        "x": np.arange(6, dtype=np.float32).reshape(3, 2),
        "y": np.array([7, 8], dtype=np.uint8),
    }
    facts = {"name": "plain"}
    raw = zlib.decompress(base64.b64decode(packed(facts, arrays)), 31)
    found = run(
        # The engine has no TextDecoder; the header here is ASCII.
        "(globalThis.TextDecoder = class { decode(b) {"
        " return String.fromCharCode(...b); } },"
        "((r) => [r.facts, [...logic.columnOf(r.arrays.x, 1)], [...r.arrays.y.values]])"
        "(logic.unpack(Uint8Array.from(args[0]).buffer)))",
        list(raw),
    )
    assert found == [facts, [1, 3, 5], [7, 8]]


@pytest.mark.parametrize(
    ("theme", "behind"), [("light", "#ffffff"), ("dark", "#191f28")]
)
def test_colours_can_be_seen_and_told_apart(run, theme, behind):
    """Contrast of 3, as WCAG asks of graphics; also without hues."""
    stops = run("logic.STOPS[args[0]]", theme)
    contrast = "args[0].map((c) => logic.contrast(c, args[1]))"
    for name in ("diverging", "sequential", "categories"):
        colours = stops[name]
        if name != "categories":
            colours = run("logic.mixed(args[0], 33)", colours)
        assert min(run(contrast, colours, behind)) >= 3, name
    assert run(contrast, [stops["other"]], behind)[0] >= 3
    # Sequential colours differ in lightness alone; diverging ones rise to both ends.
    light = run(contrast, stops["sequential"], behind)
    assert light == sorted(light)
    ends = run(contrast, stops["diverging"], behind)
    assert ends[0] > ends[1] > ends[2] < ends[3] < ends[4]


def test_colours_of_values(run):
    scale = run("logic.colouring([-2, 0, 8], 'diverging', 'light')")
    assert scale["low"] == -scale["high"] == -8
    assert len(scale["palette"]) == 64
    same = run("logic.colouring([3, 3], 'sequential', 'dark')")
    assert same["low"] < 3 < same["high"]
    codes = run(
        "((s) => [s.palette.length, [...s.values]])(logic.colouring("
        "[0, 1, -1, 30], 'category', 'light', [...Array(31)].map(String)))"
    )
    assert codes == [9, [0, 1, 8, 8]]


def test_areas_grow_with_counts(run):
    sizes = run("[...logic.diameters([1, 50, 100], [0, 1, 2])]")
    assert sizes == sorted(sizes)
    areas = np.square(sizes)
    assert areas[1] == pytest.approx((areas[0] + areas[2]) / 2, rel=0.02)


def test_steps_of_the_slider(run):
    assert run("logic.steps(25)") == [0, 1, 2, 3, 5, 7, 10, 20]


def test_bins_count_all_values(run):
    found = run("logic.bins([0, 1, 1, 2, 10], 5)")
    assert sum(found["heights"]) == 5
    assert found["heights"][-1] == 1
    assert run("logic.bins([4, 4], 3)")["heights"][0] == 2
