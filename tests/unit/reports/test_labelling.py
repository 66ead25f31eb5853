"""The labelling page and its server: nothing hostile runs, nothing gives the verdict away, no label gets lost."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UsageError
from benchmark.labels import read_labels
from benchmark.store import RunFolder
from benchmark.types import Example, Failure, Generation, RunManifest, Score
from reports.label_server import HOST, MOST_BYTES, Labels, LabelServer, serve_sheet
from reports.labelling import Sheet, make_sheet, render_sheet, write_sheet

HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> {{ 7*7 }}"
SCHEMA = "CREATE TABLE item (id INT, name TEXT); INSERT INTO item VALUES (1, 'pen'), (2, NULL), (3, '<b>cup</b>');"
ANSWERS = {
    "right": ("SELECT id, name FROM item", "SELECT id, name FROM item ORDER BY 1"),
    "wrong": ("SELECT id FROM item", "SELECT count(*) FROM item"),
    "broken": ("SELECT id FROM item", "SELECT colour FROM item"),
    "prose": ("SELECT id FROM item", HOSTILE),
    "write": ("DELETE FROM item", "DELETE FROM item WHERE id = 1"),
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    examples = [
        Example(
            id=key,
            question=f"{HOSTILE} {key}?",
            schema_sql=SCHEMA,
            golds=(gold,),
            dialect="sqlite",
            group="g",
            task="write" if key == "write" else "read",
            evidence="a hint",
        )
        for key, (gold, _) in ANSWERS.items()
    ]
    failed = Generation(example_id="failed", text="", finish_reason="error", error=Failure(type="T", message="m"))
    texts = [Generation(example_id=key, text=text, finish_reason="stop") for key, (_, text) in ANSWERS.items()]
    with run.writing():
        run.write_manifest(RunManifest(run_id=f"r {HOSTILE}", identity={"dataset": {"name": HOSTILE}}, provenance={}))
        run.write_examples([*examples, replace(examples[0], id="failed")])
        run.append_generations([*texts, failed])
        evidence = {"tell": "tale"}
        run.replace_scores([Score(example_id="right", metric="execution", value=1.0, status="ok", evidence=evidence)])
    return run


@pytest.fixture
def sheet(run: RunFolder) -> Sheet:
    return make_sheet(run, 60, seed=0, workers=1)


def data(page: str) -> dict[str, Any]:
    """What is embedded in a page."""
    (found,) = re.findall(r'<script type="application/json" id="sheet">(.*?)</script>', page, re.DOTALL)
    return dict(json.loads(found))


def test_the_sample_is_drawn_from_the_answers_and_starts_alike(run: RunFolder, sheet: Sheet) -> None:
    ids = [item.example_id for item in sheet.items]
    assert sorted(ids) == sorted(ANSWERS), "the failed one is no answer"
    assert sheet.population == len(ANSWERS)
    assert [item.example_id for item in make_sheet(run, 2, seed=0, workers=1).items] == ids[:2]
    assert any([item.example_id for item in make_sheet(run, 60, seed, workers=1).items] != ids for seed in range(1, 4))


def test_both_results_are_shown_right_or_wrong(sheet: Sheet) -> None:
    items = {item.example_id: item for item in sheet.items}
    rows = (("1", "pen"), ("2", None), ("3", "<b>cup</b>"))
    for side in (items["right"].gold_result, items["right"].result):
        assert side is not None
        assert (side.rows, side.first_rows, side.problem) == (3, rows, "")
    assert items["wrong"].result is not None
    assert items["wrong"].result.first_rows == (("3",),)
    assert items["broken"].result is not None
    assert "no such column: colour" in items["broken"].result.problem
    assert items["prose"].prediction is None
    assert items["prose"].result is None
    assert items["write"].gold_result is None


def test_nothing_gives_the_verdict_away(run: RunFolder, sheet: Sheet) -> None:
    page = render_sheet(sheet)
    assert "tale" not in page
    assert not {"value", "status", "score", "agrees"} & data(page)["items"][0].keys()
    assert data(page)["items"][0].keys() == data(page)["items"][1].keys()


def test_hostile_text_stays_data_and_the_policy_allows_our_two_texts_alone(sheet: Sheet) -> None:
    page = render_sheet(sheet)
    assert page.count("<script") == 2
    assert "<img" not in page
    assert "alert(1)</script>" not in page
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.replace("&#39;", "'").startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    for tag, kind in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        expected = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} &#39;sha256-{expected}&#39;" in policy
    assert "http" not in re.sub(r"http-equiv", "", page), "no other host"
    assert data(page)["items"][0]["question"].startswith(HOSTILE)


def test_the_script_never_makes_markup_of_text() -> None:
    script = Path(write_sheet.__code__.co_filename).with_name("templates") / "label.js"
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function\(", script.read_text())


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_keys_label_the_page_keeps_and_downloads(sheet: Sheet, tmp_path: Path) -> None:
    write_sheet(sheet, tmp_path / "page.html")
    ids = [item.example_id for item in sheet.items]
    found = press(tmp_path / "page.html", "13x2")
    for shown, place in zip(found["shown"], (0, 1, 2, 2, 3), strict=True):
        assert f"{HOSTILE} {ids[place]}?" in shown
    (body,) = found["files"]
    (tmp_path / "labels.jsonl").write_text(body)
    labels = read_labels(tmp_path / "labels.jsonl")
    assert [(one.example_id, one.label, one.note) for one in labels] == [
        (ids[0], "correct", "note 1"), (ids[1], "unsure", "note 3"), (ids[2], "incorrect", "note 2")
    ]  # fmt: skip
    assert {one.run_id for one in labels} == {sheet.run_id}
    assert found["count"] == "item 4 of 5, 3 labelled", "it opens at the first item without a label"
    assert found["sent"] == []


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_a_served_page_sends_each_label(sheet: Sheet, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(render_sheet(sheet, "/labels"))
    found = press(tmp_path / "page.html", "2")
    ((url, body),) = found["sent"]
    assert url == "/labels"
    assert json.loads(body) | {"run_id": ""} == {
        "run_id": "", "example_id": sheet.items[0].example_id, "sample": 0, "label": "incorrect", "note": "note 2",
        "labeller": None, "schema_version": 1,
    }  # fmt: skip


def press(page: Path, keys: str) -> dict[str, Any]:
    """Open the page in the stand-in of a browser and press keys."""
    script = Path(__file__).with_name("label_page.mjs")
    done = subprocess.run(["node", script, page, keys], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_foreign_file_is_left_alone(sheet: Sheet, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    with pytest.raises(UsageError, match="left as it is"):
        write_sheet(sheet, page)
    page.unlink()
    write_sheet(sheet, page)
    write_sheet(sheet, page)


def test_a_run_without_answers_says_so(run: RunFolder) -> None:
    (run.path / "generations.jsonl").unlink()
    with pytest.raises(UsageError, match="no answers to label"):
        make_sheet(run, 5, seed=0)


@pytest.fixture
def server(sheet: Sheet, tmp_path: Path) -> Iterator[LabelServer]:
    (tmp_path / "labels.jsonl").write_text("")
    with LabelServer(sheet, Labels(sheet, tmp_path / "labels.jsonl")) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def ask(server: LabelServer, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, server.server_port, timeout=5)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def label_of(sheet: Sheet, place: int, **changes: Any) -> bytes:
    item = sheet.items[place]
    line = {"run_id": sheet.run_id, "example_id": item.example_id, "sample": 0, "label": "correct", **changes}
    return json.dumps(line).encode()


def test_a_label_is_on_the_disk_when_the_answer_comes(server: LabelServer, sheet: Sheet, tmp_path: Path) -> None:
    assert ask(server, "GET", "/")[0] == 200
    assert ask(server, "POST", "/labels", label_of(sheet, 0), Content_Type="application/json") == (200, b'{"left":4}')
    assert [one.example_id for one in read_labels(tmp_path / "labels.jsonl")] == [sheet.items[0].example_id]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Length": str(MOST_BYTES + 1)}, 413),
        ({"Content_Length": "-1"}, 413),
    ],
)
def test_other_sites_cannot_send_labels(
    server: LabelServer, sheet: Sheet, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    found = ask(server, "POST", "/labels", label_of(sheet, 0), **{"Content_Type": "application/json", **headers})
    assert found[0] == status
    assert read_labels(tmp_path / "labels.jsonl") == []


@pytest.mark.parametrize(
    "changes", [{"label": "maybe"}, {"example_id": "failed"}, {"run_id": "other"}, {"sample": 3}, {"schema_version": 2}]
)
def test_a_label_that_is_none_is_refused(
    server: LabelServer, sheet: Sheet, tmp_path: Path, changes: dict[str, Any]
) -> None:
    body = label_of(sheet, 0, **changes)
    assert ask(server, "POST", "/labels", body, Content_Type="application/json")[0] == 400
    assert read_labels(tmp_path / "labels.jsonl") == []


def test_the_page_is_all_that_can_be_read(server: LabelServer) -> None:
    assert ask(server, "GET", "/labels.jsonl")[0] == 404
    assert ask(server, "GET", "/../manifest.json")[0] == 404
    assert ask(server, "GET", "/", Host="evil.example")[0] == 404
    assert ask(server, "PUT", "/labels")[0] == 501


def test_it_stops_when_all_is_labelled_and_resumes_before(run: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_bytes(label_of(make_sheet(run, 2, 0, path, 1), 0))  # as an editor left it: the last line has no end
    sheet = make_sheet(run, 2, 0, path, 1)
    assert len(sheet.labels) == 1

    def answer(url: str) -> None:
        port = int(url.rsplit(":", 1)[1].strip("/"))
        threading.Thread(target=post, args=(port, label_of(sheet, 1)), daemon=True).start()

    serve_sheet(sheet, path, 0, answer)  # returns
    assert len(read_labels(path)) == 2
    serve_sheet(make_sheet(run, 2, 0, path, 1), path, 0, lambda url: pytest.fail("nothing is left to label"))


def post(port: int, body: bytes) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    connection.request("POST", "/labels", body, {"Content-Type": "application/json"})
    connection.getresponse().read()
    connection.close()


def test_a_port_that_is_taken_is_a_clear_message(server: LabelServer, sheet: Sheet, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot serve"):
        serve_sheet(sheet, tmp_path / "other.jsonl", server.server_port, lambda url: None)
