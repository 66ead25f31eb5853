"""The verbs as Python functions: what the command line calls, and what a script may call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.equivalence import PairVerdict
    from benchmark.runner import Plan
    from benchmark.store import RunFolder
    from benchmark.terms import Terms
    from benchmark.verify import Verification
    from finetune.preview import Preview
    from reports.answers import Exported
    from reports.comparison import Comparison
    from reports.labelling import Sheet
    from reports.power import Power

Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """The progress callback that shows nothing."""


def run(
    *,
    model: str,
    dataset: str,
    judges: Sequence[str] = (),
    rubric: str = "seed",
    judge_api_base: str | None = None,
    config_file: Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> RunFolder:
    """Benchmark a model over a split and, if asked, have judges look at it. Again means: go on where it stopped.

    `options` are the fields of `benchmark.config.RunConfig`. Raises benchmark.errors.SqlgaugeError and its kind.
    """
    from benchmark.config import make_config
    from benchmark.runner import execute, plan

    panel = _panel(judges, rubric, judge_api_base)  # a missing key is said before any work starts
    folder = execute(plan(make_config({"model": model, "dataset": dataset, **options}, config_file)), progress)
    if panel is not None:
        panel.judge(folder, progress)
    return folder


def make_plan(*, config_file: Path | None = None, **options: Any) -> Plan:
    """A run that is checked and not started: its first prompt, its identity, its folder."""
    from benchmark.config import make_config
    from benchmark.runner import plan

    return plan(make_config(options, config_file))


def score(
    paths: Iterable[Path],
    *,
    metrics: Sequence[str] | None = None,
    policy: str = "default",
    search_databases: int | None = None,
    search_seconds: float | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> list[RunFolder]:
    """Score stored generations anew; needs no GPU and no key. Runs on the same examples are scored together."""
    from benchmark.metrics import DEFAULT_METRICS
    from benchmark.scoring import rescore
    from benchmark.store import find_runs

    terms = _terms(policy, search_databases, search_seconds)
    folders = find_runs(paths)
    rescore(folders, tuple(metrics or DEFAULT_METRICS), terms, progress, workers)
    return folders


def judge(
    paths: Iterable[Path],
    *,
    judges: Sequence[str],
    rubric: str = "seed",
    api_base: str | None = None,
    progress: Progress = silent,
) -> int:
    """Ask judges about runs; verdicts that are there are kept. The number of calls that failed."""
    from benchmark.store import find_runs

    folders = find_runs(paths)
    panel = _panel(judges, rubric, api_base)
    return sum(panel.judge(folder, progress) for folder in folders) if panel else 0


def report(
    paths: Iterable[Path],
    *,
    out: Path,
    check: bool = False,
    hub_datasets: Mapping[str, str] | None = None,
    source_url: str | None = None,
) -> list[Path]:
    """Write the leaderboard of some runs as a site; with `check` only compare it, and raise CheckFailed. The files."""
    from benchmark.store import find_runs
    from reports.hub import Published
    from reports.site import check_site, write_site
    from reports.tables import build_board

    published = Published(datasets=hub_datasets or {}, source_url=source_url)
    return (check_site if check else write_site)(build_board(find_runs(paths)), Path(out), published)


def compare(
    run_a: Path, run_b: Path, *, metric: str = "execution", by: str = "complexity", out: Path | None = None
) -> Comparison:
    """The paired comparison of two runs on the same items; `out` (.html or .md) gets it as a page."""
    from benchmark.store import RunFolder
    from reports.comparison import compare_runs
    from reports.comparison_text import write_comparison

    found = compare_runs(RunFolder(Path(run_a)), RunFolder(Path(run_b)), metric, by)
    if out is not None:
        write_comparison(found, Path(out))
    return found


def check_no_worse(found: Comparison, margin: float) -> None:
    """Raise CheckFailed unless B is shown to be no worse than A by more than `margin` (a proportion), one-sided 95%."""
    from benchmark.errors import CheckFailed
    from benchmark.stats.paired import non_inferior

    if not non_inferior(found.one_sided, margin):
        raise CheckFailed(
            f"B is not shown to be no worse than A by more than {100 * margin:g} points: the one-sided 95% bound of "
            f"B - A is {100 * found.one_sided.low:+.1f} points on {found.n} items",
            "More items narrow it; 'sqlgauge compare' shows which items B lost.",
        )


def finetune(
    recipe: str,
    overrides: Sequence[str] = (),
    *,
    out: Path = Path("adapters"),
    name: str | None = None,
    progress: Progress = silent,
) -> Path:
    """Train an adapter by a recipe (a name or a YAML file) with 'part.key=value' overrides. Its folder."""
    from finetune import load_recipe, train_adapter

    return train_adapter(load_recipe(recipe, overrides), out, name, progress)


def preview(recipe: str, overrides: Sequence[str] = ()) -> Preview:
    """What `finetune` would do, without loading weights."""
    from finetune import load_recipe
    from finetune.preview import preview as look

    return look(load_recipe(recipe, overrides))


def merge(adapter: Path, *, out: Path, dtype: str = "bfloat16", base: str | None = None) -> Path:
    """Write an adapter and its base as one model folder."""
    from finetune.merge import merge_adapter

    return merge_adapter(Path(adapter), Path(out), dtype, base)


def verify(
    paths: Iterable[Path],
    *,
    databases: Path | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> list[Verification]:
    """Whether each run's published scores follow from its generations; nothing is written into the folders."""
    from benchmark.store import find_runs
    from benchmark.verify import verify_run

    return [verify_run(run, progress, databases, workers) for run in find_runs(paths)]


def check_verified(found: Sequence[Verification]) -> None:
    """Raise CheckFailed unless every run follows."""
    from benchmark.errors import CheckFailed

    failed = [one.run for one in found if not one.follows]
    if failed:
        raise CheckFailed(
            f"the scores of {len(failed)} of {len(found)} runs are not shown to follow: {', '.join(failed)}",
            "The findings above say why; 'sqlgauge score RUN' writes the scores that follow.",
        )


def equiv(
    gold: str,
    prediction: str,
    *,
    dialect: str = "sqlite",
    schema: Path | None = None,
    schema_sql: str | None = None,
    policy: str = "default",
    databases: int | None = None,
    seconds: float | None = None,
    seed: int | None = None,
) -> PairVerdict:
    """Whether a prediction is equivalent to a gold under a schema: a script, or a file that holds one or a database.

    `databases` and `seconds` bound the search for a counterexample; 0 databases switch it off.
    """
    from benchmark.equivalence import decide_pairs
    from benchmark.pairs import Pair, check_dialect, schema_of_file
    from benchmark.sqlengine.pool import Pool

    terms = _terms(policy, databases, seconds, seed)
    check_dialect(dialect)
    script, db = (schema_sql or "", None) if schema is None else schema_of_file(Path(schema), dialect)
    pair = Pair(id="1", dialect=dialect, schema_sql=script, golds=(gold,), pred=prediction, db=db)
    with Pool(1) as pool:
        (found,) = decide_pairs([pair], terms, pool)
    return found


def equiv_batch(
    pairs: Path,
    *,
    out: Path,
    policy: str = "default",
    databases: int | None = None,
    seconds: float | None = None,
    seed: int | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> dict[str, int]:
    """Write a verdict for each pair of a file of JSON lines, in its order. How many there are of each verdict."""
    from benchmark.equivalence import decide_file

    return decide_file(Path(pairs), Path(out), _terms(policy, databases, seconds, seed), progress, workers)


def check_equivalent(counts: Mapping[str, int]) -> None:
    """Raise CheckFailed unless every verdict is 'equivalent'."""
    from benchmark.errors import CheckFailed

    others = {verdict: count for verdict, count in counts.items() if verdict != "equivalent"}
    if others:
        shown = ", ".join(f"{count} {verdict}" for verdict, count in others.items())
        raise CheckFailed(f"not proved equivalent: {shown}", "Only 'equivalent' is a proof; 'undecided' is none.")


def label(
    run: Path, *, n: int, seed: int = 0, out: Path = Path("labels.jsonl"), page: Path | None = None
) -> tuple[Sheet, Path]:
    """Write a page to label n of a run's answers by hand; labels that `out` holds are on it. The sheet and the page."""
    from benchmark.store import RunFolder
    from reports.labelling import make_sheet, write_sheet

    sheet = make_sheet(RunFolder(Path(run)), n, seed, Path(out))
    place = page or Path(f"label-{Path(run).resolve().name}.html")
    write_sheet(sheet, place)
    return sheet, place


def label_on_server(
    run: Path,
    *,
    n: int,
    seed: int = 0,
    out: Path = Path("labels.jsonl"),
    port: int = 0,
    announce: Callable[[str], None],
) -> Sheet:
    """Serve that page on this machine until all is labelled; each label is appended to `out`."""
    from benchmark.store import RunFolder
    from reports.label_server import serve_sheet
    from reports.labelling import make_sheet

    sheet = make_sheet(RunFolder(Path(run)), n, seed, Path(out))
    serve_sheet(sheet, Path(out), port, announce)
    return sheet


def power(
    *,
    n: int | None = None,
    difference: float | None = None,
    discordance: float | None = None,
    runs: tuple[Path, Path] | None = None,
    metric: str = "execution",
    power: float = 0.8,
    alpha: float = 0.05,
    cluster_size: int | None = None,
    icc: float | None = None,
) -> Power:
    """The smallest difference that n items find, or the items that a difference needs; shares are proportions."""
    from reports.power import assume, plan

    found = compare(*runs, metric=metric) if runs else None
    setting = assume(discordance, found, power=power, alpha=alpha, cluster_size=cluster_size, icc=icc)
    return plan(setting, n, difference)


def export(paths: Iterable[Path], *, out: Path, to: str | None = None) -> Exported:
    """Write runs as one table, a row an answer."""
    from benchmark.store import find_runs
    from reports.answers import export as write

    return write(find_runs(paths), Path(out), to)


def _panel(judges: Sequence[str], rubric: str, api_base: str | None) -> Any:
    if not judges:
        return None
    from judges.panel import Panel

    return Panel(judges, rubric, api_base)


def _terms(policy: str, databases: int | None, seconds: float | None, seed: int | None = None) -> Terms:
    """Terms with their defaults for what is None. Raises UnknownName, UsageError."""
    from benchmark.errors import UnknownName, UsageError
    from benchmark.sqlengine.results import POLICIES
    from benchmark.terms import Terms

    if policy not in POLICIES:
        raise UnknownName("policy", policy, POLICIES)
    usual = Terms()
    terms = Terms(
        policy=policy,
        databases=usual.databases if databases is None else databases,
        seconds=usual.seconds if seconds is None else seconds,
        seed=usual.seed if seed is None else seed,
    )
    if terms.problems():
        raise UsageError(". ".join(terms.problems()), "Databases 0 switch the search off.")
    return terms
