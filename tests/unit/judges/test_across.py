"""Judges over several runs: pooled rates whose intervals know repeated questions, differing runs, own families."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from benchmark.stats import wilson
from benchmark.stats.clustered import clustered_mean
from benchmark.types import VerdictLabel
from judges.across import JudgedRun, across, homogeneity
from judges.families import family_of
from judges.figures import share

JUDGE = "openai/gpt-4o"
Rows = list[tuple[VerdictLabel, VerdictLabel | None]]


def run(name: str, rows: Rows, model: str = "acme/x", groups: int = 1, judge: str = JUDGE, first: int = 0) -> JudgedRun:
    """A run whose item i has the truth and the verdict of row i."""
    items = [(f"e{first + n}", 0) for n in range(len(rows))]
    return JudgedRun(
        run_id=name,
        model=model,
        dataset="sha256:1",
        digest=f"digest of {name}",
        said={judge: {item: verdict for item, (_, verdict) in zip(items, rows, strict=True)}},
        truth={item: truth for item, (truth, _) in zip(items, rows, strict=True)},
        groups={item[0]: f"db{n % groups}" for n, item in enumerate(items)},
    )


def rows(right: tuple[int, int], wrong: tuple[int, int]) -> Rows:
    """Right answers (called correct, not), then wrong answers (called incorrect, correct)."""
    cells: list[tuple[int, VerdictLabel, VerdictLabel]] = [
        (right[0], "correct", "correct"), (right[1], "correct", "unsure"),
        (wrong[0], "incorrect", "incorrect"), (wrong[1], "incorrect", "correct"),
    ]  # fmt: skip
    return [(truth, verdict) for count, truth, verdict in cells for _ in range(count)]


def test_pooled_rates_are_those_of_all_items() -> None:
    runs = [run("a", rows((45, 5), (18, 2))), run("b", rows((27, 3), (36, 4)), first=100)]
    (found,) = across(runs, "labels.jsonl").pooled
    assert (found.judge, found.runs, found.right, found.wrong) == (JUDGE, 2, 80, 60)
    assert (found.sensitivity.value, found.specificity.value) == (72 / 80, 54 / 60)
    assert found.sensitivity.low == pytest.approx(wilson(72, 80).low, abs=0.01), "no item repeats: nearly Wilson's"
    assert found.warnings == ()


def test_the_same_questions_in_more_runs_do_not_make_the_rates_surer() -> None:
    """Four runs that say the same of the same questions know as much as one."""
    one = rows((40, 10), (20, 10))
    lone = share([1] * 40 + [0] * 10, list(range(50)))
    four = across([run(name, one) for name in "abcd"], "engine").pooled[0]
    apart = across([run(name, one, first=100 * n) for n, name in enumerate("abcd")], "engine").pooled[0]
    assert four.right == apart.right == 200
    width = [(one.high or 0) - (one.low or 0) for one in (lone, four.sensitivity, apart.sensitivity)]
    assert width[1] == pytest.approx(width[0], rel=0.02)
    assert width[1] > 1.9 * width[2]


def test_databases_are_the_clusters_where_there_are_several() -> None:
    a, b = (run(name, rows((30, 10), (20, 0)), groups=4) for name in "ab")
    found = across([a, b], "engine").pooled[0].sensitivity
    hits = [1] * 30 + [0] * 10
    error = clustered_mean(hits * 2, [n % 4 for n in range(40)] * 2).standard_error
    assert found.value == 0.75
    assert (found.high or 0) - (found.low or 0) > 3 * error


def test_one_run_is_not_pooled() -> None:
    assert across([run("a", rows((9, 1), (9, 1)))], "engine").pooled == ()
    unlabelled = run("b", [])
    assert across([run("a", rows((9, 1), (9, 1))), unlabelled], "engine").pooled == ()


def test_runs_that_differ_are_said() -> None:
    lenient, stern = rows((48, 2), (20, 20)), rows((48, 2), (39, 1))
    (found,) = across([run("kind", lenient), run("hard", stern, first=100)], "engine").pooled
    assert found.p_specificity is not None
    assert found.p_specificity < 0.001
    assert found.p_sensitivity == pytest.approx(1.0, abs=0.01)
    (warning,) = found.warnings
    assert "its specificity differs between runs, from 50.0% (kind) to 97.5% (hard)" in warning
    assert "use each run's own" in warning


def test_few_labels_cannot_show_a_difference() -> None:
    (found,) = across([run("a", rows((5, 0), (2, 1))), run("b", rows((5, 1), (3, 0)), first=50)], "engine").pooled
    assert "too few to see whether its error rates differ" in found.warnings[0]


@pytest.mark.parametrize("table", [[(48, 2), (20, 20)], [(9, 1), (7, 3)], [(30, 5), (28, 8), (20, 12)]])
def test_homogeneity_is_fishers(table: list[tuple[int, int]]) -> None:
    found = homogeneity([[1] * hits + [0] * misses for hits, misses in table])
    assert found is not None
    if len(table) == 2:  # same conditioning; another order of the tables where margins differ
        assert found == pytest.approx(fisher_exact(table).pvalue, abs=0.02)
    else:
        assert found == pytest.approx(chi2_contingency(table, correction=False).pvalue, abs=0.02)


def test_homogeneity_keeps_its_level() -> None:
    rng = np.random.default_rng(3)
    drawn = [rng.random((2, 60)) < 0.9 for _ in range(400)]
    found = [homogeneity([list(map(int, one)) for one in pair], draws=500) for pair in drawn]
    assert sum(p is not None and p < 0.05 for p in found) / 400 <= 0.07


def test_nothing_to_compare_has_no_p_value() -> None:
    assert homogeneity([[1, 1, 0]]) is None
    assert homogeneity([[0, 0], [0]]) is None
    assert homogeneity([[1, 0], []]) is None


def own(*runs: JudgedRun) -> str:
    (found,) = across(runs, "engine").own_family
    return found.sentence


def test_self_preference_in_figures_and_words() -> None:
    home = run("gpt", rows((10, 0), (20, 20)), "azure/gpt-4o-mini")
    away = run("qwen", rows((10, 0), (38, 2)), "hf/Qwen/Qwen2.5-7B")
    (found,) = across([home, away], "engine").own_family
    assert (found.own_runs, found.other_runs, found.unknown_runs) == (("gpt",), ("qwen",), ())
    assert (found.found.own.value, found.found.others.value) == (0.5, 0.05)
    assert found.found.difference.value == pytest.approx(0.45)
    assert found.found.difference.low is not None
    assert found.found.difference.low > 0.2
    assert found.sentence.startswith(
        f"{JUDGE} (openai) lets 50.0% of 40 wrong answers of its own family pass, and 5.0%"
    )
    assert "+45.0 points, 95% interval +" in found.sentence
    assert "more lenient with its own family, or that one's errors are harder to see" in found.sentence
    swapped = own(run("gpt", rows((1, 0), (38, 2)), "openai/gpt-4o"), run("q", rows((1, 0), (20, 20)), "hf/Qwen/Q"))
    assert "stricter with its own family" in swapped
    alike = own(run("gpt", rows((1, 0), (30, 10)), "openai/gpt-4o"), run("q", rows((1, 0), (30, 10)), "hf/Qwen/Q"))
    assert "do not show that it favours either" in alike


def test_self_preference_that_cannot_be_told_says_why() -> None:
    home = run("gpt", rows((10, 0), (8, 2)), "openai/gpt-4o")
    assert "no other family's run is among those given" in own(home)
    perfect = run("qwen", rows((10, 0), (0, 0)), "hf/Qwen/Q")
    assert "no wrong answer of other families has a verdict" in own(home, perfect)
    flawless = run("gpt", rows((10, 0), (0, 0)), "openai/gpt-4o")
    assert "no wrong answer of its own family has a verdict" in own(flawless, run("q", home_rows(), "hf/Qwen/Q"))
    single = run("q", rows((0, 0), (1, 0)), "hf/Qwen/Q")
    assert "how sure that is cannot be told" in own(home, single)


def home_rows() -> Rows:
    return rows((5, 0), (5, 0))


def test_runs_of_unknown_makers_are_left_out_and_named() -> None:
    home = run("gpt", rows((1, 0), (8, 2)), "openai/gpt-4o")
    away = run("q", rows((1, 0), (9, 1)), "hf/Qwen/Q")
    told = own(home, away, run("somebody", rows((1, 0), (0, 30)), "file/predictions.jsonl"))
    assert "10.0% of 10 of others" in told
    assert "Left out, for nobody knows who made their models: somebody." in told


def test_a_judge_whose_family_did_not_answer_is_not_asked_about_it() -> None:
    runs = [run("q", rows((5, 0), (5, 5)), "hf/Qwen/Q"), run("g", rows((5, 0), (5, 5)), "gemini/gemini-2.5-pro")]
    assert across(runs, "engine").own_family == ()


@pytest.mark.parametrize(
    ("spec", "maker"),
    [
        ("openai/gpt-4o", "openai"), ("azure/o3-mini", "openai"), ("openrouter/openai/gpt-5", "openai"),
        ("anthropic/claude-sonnet-4-5", "anthropic"), ("bedrock/anthropic.claude-3-haiku", "anthropic"),
        ("gemini/gemini-2.5-flash", "google"), ("hf/google/gemma-2-2b-it@abc+runs/gpt-adapter", "google"),
        ("vertex_ai/gemini-2.0", "google"), ("ollama/llama3.2", "meta"), ("groq/llama-3.3-70b", "meta"),
        ("together_ai/meta-llama/Llama-3", "meta"), ("vllm/Qwen/Qwen2.5", "qwen"), ("openai/qwen2.5", "qwen"),
        ("builtin/smollm2-135m", "huggingface"), ("hf/defog/sqlcoder-7b-2", "defog"), ("mistral/codestral", "mistral"),
        ("deepseek/deepseek-chat", "deepseek"), ("hf/deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "deepseek"),
        ("openai/judge", "openai"), ("ollama/mystery", None), ("file/gpt-4.jsonl", None), ("gold", None),
        ("fault/null", None), ("hf/../weights", None),
    ],
)  # fmt: skip
def test_families(spec: str, maker: str | None) -> None:
    assert family_of(spec) == maker
