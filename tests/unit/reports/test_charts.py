"""Charts: the same bytes, shapes and texts only, the front and the choice of scale."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from benchmark.types import Generation, Timing
from reports import charts
from reports.charts import Point, curve, front, inline, points_of, scatter, short, tradeoffs
from reports.tables import build_board

HOSTILE = "</text><script>alert(1)</script><image href='https://example.org/x'/>"
ATTACK = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">
<script>alert(1)</script><style>*{background:url(https://example.org)}</style><image xlink:href="https://example.org"/>
<foreignObject><b>x</b></foreignObject><a xlink:href="javascript:alert(1)"><text>in a link</text></a>
<path d="M0 0" onload="alert(1)" style="fill:red" fill="url(https://example.org/a)" stroke="var(--ink)"/>
<text x="1" fill="red;}" font-family="a&quot;b">&lt;b&gt; &amp; "c"</text><use href="#x"/>
<g id="main" class="x"><rect width="1"/></g>
</svg>"""


def points(*given: tuple[float, float]) -> list[Point]:
    return [Point(f"m{n}", takes, value, value - 0.1, value + 0.1) for n, (takes, value) in enumerate(given)]


def test_only_plain_shapes_and_texts_pass():
    svg = inline(ATTACK, 'a "title" & <b>')
    root = ElementTree.fromstring(str(svg))
    assert root.attrib == {"viewBox": "0 0 9 9", "role": "img", "aria-label": 'a "title" & <b>'}
    assert [(element.tag, element.attrib) for element in root.iter()][1:] == [
        ("path", {"d": "M0 0", "stroke": "var(--ink)"}),
        ("text", {"x": "1"}),
        ("g", {}),
        ("rect", {"width": "1"}),
    ]
    assert root.find("text").text == '<b> & "c"'


def test_entities_in_a_drawing_are_refused():
    bomb = '<!DOCTYPE s [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"><text>&a;</text></svg>'
    with pytest.raises(ValueError, match=r"EntitiesForbidden|Entities"):
        inline(bomb, "x")


def test_hostile_names_are_texts_and_colours_come_from_the_page():
    made = [replace(point, model=name) for point, name in zip(points((1, 0.5), (2, 0.7)), (HOSTILE, "b"), strict=True)]
    svg = str(scatter(made, HOSTILE, HOSTILE))
    root = ElementTree.fromstring(svg)
    assert {element.tag for element in root.iter()} <= {"svg", "g", "path", "line", "rect", "text", "tspan", "title"}
    assert root.attrib["aria-label"] == f"{HOSTILE} against {HOSTILE}, 2 models"
    texts = [element.text for element in root.iter("text")]
    assert short(HOSTILE) in texts
    assert "example.org" not in "".join(
        value for element in root.iter() for value in element.attrib.values() if element is not root
    )
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg))
    assert colours <= {"none", "transparent", "var(--ink)", "var(--muted)", "var(--rule)", "var(--fill)"}


def test_the_same_figures_give_the_same_bytes():
    made = points((1, 0.5), (3, 0.7))
    first = scatter(made, "USD", "execution")
    charts._svg.cache_clear()
    assert scatter(made, "USD", "execution") == first
    charts._svg.cache_clear()
    steps = [(1, 2.0), (2, 1.5)]
    assert curve(steps, [(2, 1.7)], "Loss") == curve(steps, [(2, 1.7)], "Loss")
    assert "held out" in curve(steps, [(2, 1.7)], "Loss")
    assert "held out" not in curve(steps, [], "Loss")


def test_the_pareto_front():
    assert [p.takes for p in front(points((1, 0.2), (2, 0.2), (3, 0.5), (4, 0.4), (5, 0.6)))] == [1, 3, 5]
    assert front([]) == []


def test_runs_without_both_figures_are_no_points(make_run, score_list):
    run = make_run("m", score_list("execution", 1.0))
    rows = build_board([run]).tables[0].rows
    assert points_of(rows, lambda row: math.nan) == points_of(rows, lambda row: 0.0) == []
    assert [point.model for point in points_of(rows, lambda row: 2.0)] == ["m"]
    assert tradeoffs(build_board([run]).tables[0]) == []


def test_cost_and_time_get_a_chart_where_two_runs_say_them(make_run, score_list):
    runs = [make_run(name, score_list("execution", *values)) for name, values in (("a", (1.0, 0.0)), ("b", (1.0, 1.0)))]
    for number, run in enumerate(runs, 1):
        taken = {"cost_usd": number / 50, "timing": Timing(seconds=number)}
        run.append_generations(
            Generation(example_id=f"e{i}", text="select 1", finish_reason="stop", **taken) for i in range(4)
        )
    found = tradeoffs(build_board(runs).tables[0])
    assert [chart.caption for chart in found] == [
        "Accuracy with its 95% interval against cost. On the Pareto front (none better for less): a, b.",
        "Accuracy with its 95% interval against time. On the Pareto front (none better for less): a, b.",
    ]
    assert all(ElementTree.fromstring(str(chart.svg)).attrib["role"] == "img" for chart in found)


@pytest.mark.parametrize(
    ("model", "label"),
    [("hf/org/name", "name"), ("org/", "org"), ("/", "/"), ("x" * 40, "x" * 27 + "…")],
)
def test_labels_are_short(model, label):
    assert short(model) == label


def test_labels_keep_apart_where_there_is_room():
    close = points((1, 0.5), (1.02, 0.5), (1.04, 0.5), (4, 0.9))
    texts = [
        one
        for one in ElementTree.fromstring(str(scatter(close, "s", "m"))).iter("text")
        if (one.text or "").startswith("m")
    ]
    labels = [one for one in texts if one.text in {f"m{n}" for n in range(4)}]
    assert len({(one.attrib["transform"], one.attrib.get("text-anchor")) for one in labels}) == len(labels) == 4


@pytest.mark.parametrize(
    "values", [[1.0, 1.0], [0.001, 0.0099], [0.001, 0.011], [1e-9, 1e9], [3, 30.5], [0.3, 0.31], [1e-300, 1.0]]
)
def test_an_axis_has_room_and_ticks(values):
    axis = charts.axis_of(values)
    assert axis.low < min(values)
    assert axis.high > max(values)
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    assert all(0 < axis.share(value) < 1 for value in values)
    assert 2 <= len(axis.ticks) <= 10
