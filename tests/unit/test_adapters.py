"""What an adapter says of itself travels with its runs."""

from __future__ import annotations

from pathlib import Path

from benchmark.adapters import keep, read
from benchmark.store import RunFolder


def test_manifest_and_log_are_kept_but_for_a_torn_line(tmp_path: Path) -> None:
    adapter, run = tmp_path / "adapter", RunFolder(tmp_path / "run")
    adapter.mkdir()
    run.path.mkdir()
    (adapter / "manifest.json").write_text('{"identity": {"rank": 8}, "complete": true}')
    (adapter / "log.jsonl").write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "lo')
    assert keep(run, f"hf/x/y+{adapter}")
    assert run.adapter() == {
        "manifest": {"identity": {"rank": 8}, "complete": True},
        "log": [{"step": 1, "loss": 2.5}],
    }


def test_a_model_without_an_adapter_of_ours_has_nothing_to_keep(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert not keep(run, "hf/google/gemma-2-2b-it")
    assert not keep(run, f"hf/x/y+{tmp_path}/nothing")
    (tmp_path / "manifest.json").write_text("not JSON")
    assert read(tmp_path) is None
    assert run.adapter() is None
