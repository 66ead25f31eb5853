"""What a test split can show: the figures are the statistics', the words are true, and bad input is one message."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.stats.power import items_needed, minimum_detectable_difference
from reports import power as report
from sqlgauge import verbs


def test_a_number_of_items_gives_its_difference() -> None:
    found = verbs.power(n=240)
    assert found.asked is not None
    assert found.asked.difference == minimum_detectable_difference(240, 0.30)
    assert [line.n for line in found.table] == [30, 100, 240, 500, 1000, 5851]
    assert all(line.difference == minimum_detectable_difference(line.n, 0.30) for line in found.table)
    text = report.as_text(found)
    assert "240 items cannot separate less than 9.9 points." in text
    assert "30 items (the seed project's number) cannot separate less than 26.9 points." in text
    assert "30.0% of the items (assumed)" in text


def test_a_difference_gives_its_number_of_items() -> None:
    found = verbs.power(difference=0.03, discordance=0.2)
    assert found.needed == items_needed(0.03, 0.2)
    assert "A difference of 3.0 points needs 1742 items." in report.as_text(found)


def test_what_nothing_can_show_is_said_and_is_null() -> None:
    found = verbs.power(n=30, discordance=0.1)
    assert found.asked is not None
    assert math.isnan(found.asked.difference)
    assert "30 items cannot separate such models" in report.as_text(found)
    assert json.loads(report.as_json(found))["asked"] == {"n": 30, "difference": None}


def test_more_power_and_clusters_need_more() -> None:
    plain = verbs.power(difference=0.05).needed
    clustered = verbs.power(difference=0.05, cluster_size=20, icc=0.1)
    assert plain is not None
    assert clustered.needed is not None
    assert clustered.setting.effect == pytest.approx(2.9)
    assert clustered.needed / plain == pytest.approx(2.9, rel=0.01)
    assert "design effect 2.9" in report.as_text(clustered)
    stricter = verbs.power(difference=0.05, power=0.9).needed
    assert stricter is not None
    assert stricter > plain


def test_the_discordance_of_two_runs(make_run, score_list) -> None:
    a = make_run("a", score_list("execution", 1.0, 0.0, 1.0, 0.0))
    b = make_run("b", score_list("execution", 1.0, 1.0, 0.0, 0.0))
    found = verbs.power(runs=(a.path, b.path))
    assert found.setting.discordance == 0.5
    assert found.setting.interval is not None
    assert found.setting.interval.low < 0.5 < found.setting.interval.high
    assert "2 of 4 items of a and b; 95% " in report.as_text(found)
    with pytest.raises(UsageError, match="agree on all 4 items"):
        verbs.power(runs=(a.path, a.path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 2.0}, "alpha must lie between 0 and 1"),
        ({"power": math.nan}, "power must lie between 0 and 1"),
        ({"discordance": 0.0}, "discordance must lie in"),
        ({"difference": 0.2, "discordance": 0.1}, "the difference must lie in"),
        ({"icc": 0.1}, "belong together"),
        ({"cluster_size": 5, "icc": 2.0}, "icc must lie in"),
    ],
)
def test_bad_rates_are_a_message(options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        verbs.power(**options)  # type: ignore[arg-type]


def test_runs_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        verbs.power(runs=(tmp_path, tmp_path))
