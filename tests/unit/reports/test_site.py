"""What `report` writes: the same bytes twice, a check that fails, foreign folders untouched, files for the Hub."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import duckdb
import pytest
import yaml
from huggingface_hub import ModelCard, eval_result_entries_to_yaml, parse_eval_result_entries
from huggingface_hub.repocard_data import eval_results_to_model_index, model_index_to_eval_results

from benchmark.errors import CheckFailed, UsageError
from reports.badge import render_badge
from reports.exports import flat_tables, render_parquet
from reports.figures import NO_DATA
from reports.hub import Published, by_model, render_card, render_eval_results
from reports.names import file_names
from reports.site import check_site, site_files, write_site
from reports.slices import cell_of
from reports.tables import build_board

HOSTILE = "</title><script>alert(1)</script>\n---\n- 'x': \"{{ y }}\" | # =1 \u202e../../etc"


@pytest.fixture
def board(make_run, score_list, verdict_list):
    good = score_list("execution", 1.0, 1.0, 0.0, 1.0) + score_list("exact", 1.0, 0.0, 0.0, 1.0)
    spider = {"name": "spider/dev", "fingerprint": "sha256:dd"}
    return build_board(
        [
            make_run("hf/good", good, judged=verdict_list("j", "correct")),
            make_run("hf/bad", score_list("execution", 0.0, 0.0, 0.0, "timeout")),
            make_run("hf/good", good, dataset=spider),
        ]
    )


@pytest.fixture
def hostile(make_run, score_list):
    about = {"licence": HOSTILE, "note": HOSTILE}
    found = score_list("execution", 1.0, 0.0) + score_list(HOSTILE, 1.0)
    return build_board([make_run(HOSTILE, found, dataset={"name": HOSTILE, "fingerprint": HOSTILE}, about=about)])


def test_the_site_is_the_same_bytes_twice_and_holds_nothing_else(board, tmp_path):
    first, second = write_site(board, tmp_path / "a"), write_site(board, tmp_path / "b")
    names = [path.relative_to(tmp_path / "a").as_posix() for path in first]
    flat = ("leaderboard", "runs", "pairs", "chance", "disagreement", "errors")
    assert set(names) == {
        *("index.html", "style.css", "leaderboard.md", "leaderboard.json", "files.txt"),
        *("site.js", "sql.js", "leaderboard.js", "items.js", "item.js", "compare.js"),
        *(f"{name}.{kind}" for name in flat for kind in ("csv", "parquet")),
        *(f"hub/{model}/{file}" for model in ("hf-good", "hf-bad") for file in ("README.md", "eval_results.yaml")),
        *(f"badges/run-{number}.svg" for number in range(3)),
        *(f"shop-test-9f447b1b/{file}" for file in ("run-run-0.html", "run-run-1.html", "data/board.js")),
        *(f"spider-dev-2afc32eb/{file}" for file in ("run-run-2.html", "data/board.js")),
    }
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert sorted(path for path in (tmp_path / "a").rglob("*") if path.is_file()) == sorted(first)


def test_our_own_site_is_replaced(board, tmp_path):
    write_site(build_board([]), tmp_path)
    write_site(board, tmp_path)
    assert "hf/<wbr>good" in (tmp_path / "index.html").read_text()


@pytest.fixture
def runs(make_run, score_list):
    values = ((1.0, 1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))
    return [make_run(f"hf/m{n}", score_list("execution", *found)) for n, found in enumerate(values)]


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_runs_give_the_same_bytes_of_items_too(runs, tmp_path):
    write_site(build_board(runs), tmp_path / "a", runs=runs)
    write_site(build_board(runs[::-1]), tmp_path / "b", runs=runs[::-1])
    write_site(build_board(runs), tmp_path / "b", runs=runs)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert check_site(build_board(runs), tmp_path / "a", runs=runs)


def test_a_second_writing_removes_what_is_no_longer_of_the_site(runs, tmp_path):
    site = tmp_path / "site"
    write_site(build_board(runs), site, runs=runs)
    (site / "CNAME").write_text("example.org")
    before = contents(site)
    write_site(build_board(runs[:1]), site, runs=runs[:1])
    after = contents(site)
    gone = before.keys() - after.keys()
    assert {name.rpartition("/")[2] for name in gone} >= {
        "compare.html",
        "run-run-1.html",
        "answer-2-0.js",
        "run-2.svg",
    }
    assert "CNAME" in after
    assert (site / "files.txt").read_text().split() == sorted(after.keys() - {"CNAME", "files.txt"})
    write_site(build_board([]), site)
    assert not [path for path in site.iterdir() if path.is_dir()]
    assert (site / "CNAME").read_text() == "example.org"


def test_a_hostile_list_of_files_deletes_nothing_outside(runs, tmp_path):
    site, outside = tmp_path / "site", tmp_path / "outside"
    write_site(build_board(runs), site, runs=runs)
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (tmp_path / "kept").write_text("kept")
    (site / "link").symlink_to(outside)
    (site / "linked").symlink_to(outside / "kept")
    lines = [
        "../kept",
        "./../kept",
        "x/../../kept",
        str(tmp_path / "kept"),
        "link/kept",
        "linked",
        "..",
        ".",
        "",
        "/",
        "a\0b",
        "~",
    ]
    (site / "files.txt").write_text("\n".join(lines))
    write_site(build_board(runs), site, runs=runs)
    assert (tmp_path / "kept").read_text() == (outside / "kept").read_text() == "kept"
    assert (site / "linked").is_symlink()
    (site / "files.txt").write_bytes(b"\xff\xfe../kept")
    write_site(build_board(runs), site, runs=runs)
    assert (tmp_path / "kept").exists()


def test_a_check_knows_items(runs, tmp_path):
    write_site(build_board(runs), tmp_path, runs=runs)
    (shard,) = tmp_path.glob("*/data/answer-1-0.js")
    shard.write_bytes(shard.read_bytes().replace(b"select 1", b"select 2"))
    with pytest.raises(CheckFailed, match=r"data/answer-1-0\.js: differs"):
        check_site(build_board(runs), tmp_path, runs=runs)


def test_a_check_names_what_is_missing_or_differs_and_writes_nothing(board, tmp_path):
    with pytest.raises(CheckFailed, match=r"index\.html: missing"):
        check_site(board, tmp_path / "site")
    assert not (tmp_path / "site").exists()
    write_site(board, tmp_path)
    assert len(check_site(board, tmp_path)) == len(dict(site_files(board))) + 1
    (tmp_path / "runs.csv").write_text("changed")
    (tmp_path / "badges" / "run-1.svg").unlink()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(CheckFailed) as error:
        check_site(board, tmp_path)
    assert str(error.value).splitlines()[1:] == ["  runs.csv: differs", "  badges/run-1.svg: missing"]
    assert error.value.exit_code == 4
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_check_takes_parquet_by_its_rows(board, tmp_path):
    write_site(board, tmp_path)
    path = tmp_path / "runs.parquet"
    other = tmp_path / "other.parquet"
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"COPY (FROM '{path}') TO '{other}' (FORMAT parquet, COMPRESSION zstd)")
        connection.execute(
            f"COPY (SELECT * REPLACE (n + 1 AS n) FROM '{path}') TO '{tmp_path / 'new'}' (FORMAT parquet)"
        )
    assert other.read_bytes() != path.read_bytes()
    path.write_bytes(other.read_bytes())
    check_site(board, tmp_path)
    for wrong in ((tmp_path / "new").read_bytes(), b"no parquet"):
        path.write_bytes(wrong)
        with pytest.raises(CheckFailed, match=r"runs\.parquet: differs"):
            check_site(board, tmp_path)


def test_a_foreign_page_is_left_alone(board, tmp_path):
    page = tmp_path / "index.html"
    page.write_text('<p>Mine. &lt;meta name="generator" content="sqlgauge"&gt;</p>')
    before = page.read_bytes()
    with pytest.raises(UsageError, match="was not written by sqlgauge") as error:
        write_site(board, tmp_path)
    assert error.value.hint
    assert page.read_bytes() == before
    assert [path.name for path in tmp_path.glob("*") if path.is_file()] == ["index.html"]


@pytest.mark.parametrize("name", ["style.css", "leaderboard.json", "hub/hf-good/README.md"])
def test_a_foreign_file_without_a_page_is_left_alone(board, tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=re.escape(name)):
        write_site(board, tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_a_file_in_place_of_the_folder_is_refused(board, tmp_path):
    (tmp_path / "site").write_text("mine")
    with pytest.raises(UsageError, match="not a folder"):
        write_site(board, tmp_path / "site")


def test_hostile_names_stay_inside_the_folder(hostile, tmp_path):
    for path in write_site(hostile, tmp_path / "site"):
        assert path.resolve().is_relative_to(tmp_path / "site")
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "site"}


def test_names_that_would_be_the_same_file_are_told_apart():
    names = file_names(["a/b", "a-b", "c"])
    assert len(set(names.values())) == 3
    assert names["c"] == "c"
    assert names["a/b"].startswith("a-b-")


def test_parquet_holds_the_rows_with_null_for_what_is_not_known(board, tmp_path):
    flat = {flat.name: flat for flat in flat_tables(board)}["runs"]
    path = tmp_path / "runs.parquet"
    path.write_bytes(render_parquet(flat))
    with duckdb.connect(":memory:") as connection:
        query = "SELECT model, value, n, mean_seconds, rank_best, complete FROM read_parquet(?) ORDER BY 1, 3"
        rows = connection.execute(query, [str(path)]).fetchall()
    assert rows[0] == ("hf/bad", 0.0, 4, None, 1, True)
    assert [row[1] for row in rows] == [0.0, 0.75, 0.75]


def test_an_empty_board_has_empty_tables(tmp_path):
    write_site(build_board([]), tmp_path)
    with duckdb.connect(":memory:") as connection:
        counted = connection.execute("SELECT COUNT(*) FROM read_parquet(?)", [str(tmp_path / "pairs.parquet")])
        assert counted.fetchone() == (0,)


def test_the_card_is_read_by_the_hubs_own_parser(board, hostile):
    for given in (board, hostile):
        for model, rows in by_model(given).items():
            card = ModelCard(render_card(model, rows, Published(source_url="https://example.org/board")))
            index = yaml.safe_load(card.content.split("---\n")[1])["model-index"]
            name, results = model_index_to_eval_results(index)
            assert eval_results_to_model_index(name, results)[0]["name"] == name
            assert len(card.data.eval_results) == sum(len(row.cells) for _, row in rows)
            assert {result.source_url for result in results} == {"https://example.org/board"}
    found = model_index_to_eval_results(yaml.safe_load(render_card_front(board, "hf/good"))["model-index"])[1]
    execution = {result.dataset_type: result for result in found if result.metric_type == "execution_accuracy"}
    assert execution["xlangai/spider"].metric_value == 75.0
    assert execution["xlangai/spider"].task_type == "text-generation"
    assert execution["shop"].metric_args["interval_95"] == [30.06, 95.44]


def render_card_front(board, model):
    return render_card(model, by_model(board)[model], Published()).split("---\n")[1]


def test_eval_results_name_hub_datasets_only(board, hostile):
    rows = by_model(board)["hf/good"]
    text = render_eval_results(rows, Published())
    (entry,) = parse_eval_result_entries(yaml.safe_load(text))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("xlangai/spider", "default", 75.0)
    assert "policy default, 95% interval 30.1 to 95.4, 4 items" in entry.notes
    assert "# Left out, because they have no dataset id on the Hub: shop/test." in text
    named = render_eval_results(rows, Published(datasets={"shop/test": "me/shop"}, source_url="https://example.org"))
    entries = parse_eval_result_entries(yaml.safe_load(named))
    assert {entry.dataset_id for entry in entries} == {"me/shop", "xlangai/spider"}
    assert eval_result_entries_to_yaml(entries) == yaml.safe_load(named)
    (foreign,) = by_model(hostile).values()
    assert yaml.safe_load(render_eval_results(foreign, Published())) == []


def test_a_local_file_is_not_taken_for_the_hubs_dataset():
    assert Published().hub_id("gretel/test@30:seed=1") == "gretelai/synthetic_text_to_sql"
    assert Published().hub_id("gretel:mine.jsonl/test") is None


def test_a_badge_is_escaped_and_says_its_interval():
    badge = render_badge('shop <b> & "co"', cell_of(3.0, 4, 0))
    root = ElementTree.fromstring(badge)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == 'shop <b> & "co": 75.0%, 95% interval 30.1 to 95.4, n 4'
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ['shop <b> & "co"', "75.0%"]
    assert "no figure" in render_badge("x", NO_DATA)
    assert "nan" not in render_badge("x", NO_DATA)


def test_the_verb_writes_and_checks(make_run, score_list, cli, tmp_path):
    make_run("m", score_list("execution", 1.0))
    cli("report", tmp_path / "runs", "--out", "site", "--hub-dataset", "shop/test=me/shop")
    assert "me/shop" in (tmp_path / "site" / "hub" / "m" / "README.md").read_text()
    cli("report", tmp_path / "runs", "--out", "site", "--hub-dataset", "shop/test=me/shop", "--check")
    done = cli("report", tmp_path / "runs", "--out", "site", "--check", check=4)
    assert "hub/m/README.md: differs" in done.stderr
    assert "--hub-dataset wants" in cli("report", tmp_path / "runs", "--hub-dataset", "x", check=2).stderr
