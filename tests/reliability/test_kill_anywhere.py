"""Kill it anywhere: a run that is ended at a random moment of any stage goes on to what an undisturbed one gives.

The suite kills at 8 seeded moments, `make soak` at 40 (SQLGAUGE_KILLS). Each is drawn from the time that its stage
takes undisturbed, counted from the moment at which the stage is seen to begin.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from judge_server import Answer, Call, JudgeServer, scripted_label, verdict
from reliability.harness import BATCH, Mark, Place, asked_twice, content, difference, end_at, run_arguments

KILLS = int(os.environ.get("SQLGAUGE_KILLS", "8"))
STAGES = ("generate", "score", "judge", "report")
PACE = 0.12
#: Calls that may be under way at once, and so be paid for again.
CALLS = 8


@dataclass(frozen=True)
class World:
    """An undisturbed run, what it gave, how long each stage took in s, and how many calls its judge was paid for."""

    place: Place
    server: JudgeServer
    scored: Path
    seconds: dict[str, float]
    calls: list[int]

    def commands(self, place: Place, stage: str) -> list[object]:
        if stage == "report":
            return ["report", place.run.parent, "--out", place.root / "site"]
        asks = ("--judge", "openai/judge", "--judge-api-base", f"{self.server.url}/v1", "--yes")
        return run_arguments(PACE, *asks) if stage == "judge" else run_arguments(PACE)

    def prepared(self, root: Path, stage: str) -> Place:
        """Where a stage is about to begin: with what the stages before it gave."""
        place = Place(root)
        source = {"judge": self.scored, "report": self.place.run}.get(stage)
        if source is not None:
            shutil.copytree(source, place.run)
        return place

    def expected(self, stage: str) -> Path:
        return {"judge": self.place.run, "report": self.place.root / "site"}.get(stage, self.scored)


def paced(call: Call) -> Answer:
    """A judge that takes a while, and whose verdict depends on what it is asked alone."""
    return Answer(verdict(scripted_label(call.model, call.prompt)).text, delay=0.08)


def begun(place: Place, stage: str) -> Mark:
    """Whether a stage is seen to have begun."""
    generations = place.run / "generations.jsonl"
    return {
        "generate": lambda: (place.run / "manifest.json").exists(),
        "score": lambda: generations.exists() and generations.read_bytes().count(b"\n") == 24,
        "judge": lambda: (place.run / "verdicts.jsonl").exists(),
        "report": lambda: (place.root / "site").exists(),
    }[stage]


def whole(place: Place, stage: str) -> Path:
    return place.root / "site" if stage == "report" else place.run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("whole")
    with JudgeServer(paced) as server:
        made = World(Place(root / "whole"), server, root / "scored", {}, [])
        for stage in STAGES:
            if stage == "judge":
                shutil.copytree(made.place.run, made.scored)
            process, seen = made.place.start(*made.commands(made.place, stage)), 0.0
            mark = begun(made.place, stage)
            while process.poll() is None:
                seen = seen or (time.monotonic() if mark() else 0.0)
                time.sleep(0.002)
            made.seconds[stage] = time.monotonic() - seen
            shown, said = process.communicate()
            assert process.returncode == 0, shown + said
        made.calls.append(len(server.calls))
        yield made


@pytest.fixture(scope="module")
def kills() -> list[str]:
    """The stage of each trial in which the process was killed before it had ended."""
    return []


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_process_goes_on_to_the_same_end(world: World, kills: list[str], number: int, tmp_path: Path) -> None:
    stage = STAGES[number % len(STAGES)]
    draw = random.Random(number)
    for trial in range(6):  # a machine may be quicker than it was; then another moment, an earlier one
        place = world.prepared(tmp_path / f"trial {trial}", stage)
        moment = draw.random() * world.seconds[stage] * 0.6**trial
        before = len(world.server.calls)
        process = place.start(*world.commands(place, stage))
        alive, _ = end_at(process, begun(place, stage), moment, signal.SIGKILL)
        if alive:
            break
    assert alive, f"it was never caught in {stage}"
    kills.append(stage)
    place.finish(*world.commands(place, stage))
    found, expected = content(whole(place, stage)), content(world.expected(stage))
    assert difference(found, expected) == [], f"killed {moment:.3f} s into {stage}"
    if stage in ("generate", "score"):
        assert len(asked_twice(place.record)) <= (BATCH if stage == "generate" else 0)
    if stage == "judge":
        assert 0 <= len(world.server.calls) - before - world.calls[0] <= CALLS
    print(f"{stage}: killed after {moment:.3f} of {world.seconds[stage]:.3f} s, trial {trial + 1}")


def test_every_kill_came_in_time_and_every_stage_had_its_share(kills: list[str]) -> None:
    assert len(kills) == KILLS
    assert {kills.count(stage) for stage in STAGES} <= {KILLS // len(STAGES), -(-KILLS // len(STAGES))}
