"""What a verb prints when it is done: one block a run, or JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from benchmark.health import excluded
from benchmark.runner import Plan
from benchmark.samples import SampleFigures, sample_figures, sampled
from benchmark.stats import wilson
from benchmark.stats.clustered import Estimate
from benchmark.store import RunFolder
from benchmark.types import Score

#: What is counted beside the value of `equivalence`.
_VERDICTS = ("equivalent", "undecided", "different", "refuted by search")
#: The metric whose mean over the items that tell something is the headline.
_HEADLINE = "execution"


def summarise(folder: RunFolder) -> dict[str, Any]:
    """A run's figures: each metric's mean, n and Wilson interval, and the statuses of what failed.

    `headline` is execution without the items that tell nothing, which `left_out` counts by their status; None where
    there is no such score.
    """
    health = folder.health()
    vacuous, telling = excluded(health), list[float]()
    values: dict[str, list[float]] = {}
    failures: dict[str, Counter[str]] = {}
    decided: Counter[str] = Counter()
    for score in folder.iter_scores():
        of_metric = values.setdefault(score.metric, [])
        if score.value is not None:
            of_metric.append(score.value)
            if score.metric == _HEADLINE and score.example_id not in vacuous:
                telling.append(score.value)
        if score.status != "ok":
            failures.setdefault(score.metric, Counter())[score.status] += 1
        if score.metric == "equivalence":
            decided.update(_decided(score))
    metrics = {name: _figure(found, failures.get(name, {})) for name, found in values.items()}
    if decided:
        metrics["equivalence"]["verdicts"] = {name: decided[name] for name in _VERDICTS}
    for name, labels in _labels(folder).items():
        given = [label for label in labels if label is not None]
        errors = {"error": len(labels) - len(given)} if len(given) < len(labels) else {}
        metrics[f"judge: {name}"] = _figure([float(label == "correct") for label in given], errors)
    manifest, samples = folder.manifest(), samples_of(folder)
    left_out = Counter(health[key].status for key in vacuous)
    headline = {"metric": _HEADLINE, **_figure(telling, {}), "left_out": dict(left_out)} if telling else None
    return {
        "run": str(folder.path),
        "complete": manifest.complete,
        "counts": dict(manifest.counts),
        "headline": headline,
        "metrics": metrics,
        "samples": None if samples is None else _samples(samples),
    }


def samples_of(folder: RunFolder) -> SampleFigures | None:
    """What several samples an item say, on the items that tell something; None with one sample."""
    vacuous = excluded(folder.health())
    groups = {example.id: example.group for example in folder.iter_examples() if example.id not in vacuous}
    return sample_figures(sampled(folder.iter_scores()), groups)


def _samples(found: SampleFigures) -> dict[str, Any]:
    def figure(one: Estimate) -> dict[str, Any]:
        return {"value": one.value, "interval": None if math.isnan(one.low) else [one.low, one.high]}

    return {
        "samples": found.samples,
        "pass_at": {str(k): figure(one) for k, one in found.pass_at.items()},
        "majority": figure(found.majority),
        "spread": found.spread.chance,
    }


def _decided(score: Score) -> list[str]:
    """What is to be counted of a prediction that runs: its verdict, and whether only a search found it out."""
    verdict, found = score.evidence.get("verdict"), score.evidence.get("counterexample")
    by_search = isinstance(found, Mapping) and found.get("database") == "generated"
    return [str(verdict)] * (verdict is not None) + ["refuted by search"] * by_search


def _figure(values: Sequence[float], failures: Mapping[str, int]) -> dict[str, Any]:
    total, n = math.fsum(values), len(values)
    low, high = wilson(total, n)
    return {
        "value": total / n if n else None,
        "n": n,
        "interval": [low, high] if n else None,
        "failures": dict(failures),
    }


def print_runs(folders: Iterable[RunFolder], *, as_json: bool) -> None:
    """Print the summaries of runs."""
    summaries = [summarise(folder) for folder in folders]
    if as_json:
        click.echo(json.dumps(summaries, indent=2))
        return
    for summary in summaries:
        click.echo("\n".join(run_lines(summary)))


def run_lines(summary: Mapping[str, Any]) -> list[str]:
    """A run's summary as lines."""
    lines = [summary["run"], *("  " + _line(name, figure) for name, figure in summary["metrics"].items())]
    headline = summary["headline"]
    if headline is not None and headline["left_out"]:
        counts = ", ".join(f"{count} {status}" for status, count in headline["left_out"].items())
        lines.insert(
            1, f"  {_line('headline', headline)}  {headline['metric']} without items that tell nothing: {counts}"
        )
    if summary["samples"] is not None:
        lines.append(f"  {_sampled(summary['samples'])}")
    if not summary["complete"]:
        lines.append("  incomplete: failed generations are left out; run the same command again to retry them")
    return lines


def _sampled(found: Mapping[str, Any]) -> str:
    """pass@k, the majority's accuracy and the spread, in a line."""
    shown = [(f"pass@{k}", one) for k, one in found["pass_at"].items()] + [("majority by result", found["majority"])]
    parts = [f"{name} {100 * one['value']:.1f}%{_ends(one['interval'])}" for name, one in shown]
    spread = f"one sample's accuracy spreads by {100 * found['spread']:.1f} points"
    return f"{found['samples']} samples: {', '.join(parts)}; {spread}"


def _ends(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def print_plan(plan: Plan) -> None:
    """What a run would do, with its first prompt."""
    prompt = plan.prompts[0]
    tokens = plan.model.count_tokens(prompt)
    click.echo(f"run     {plan.folder.path}")
    click.echo(f"items   {len(plan.prompts)} of {plan.dataset.name} ({plan.dataset.fingerprint[:23]}...)")
    click.echo(f"tokens  {'known to the provider only' if tokens is None else tokens} in the first prompt:\n")
    for message in prompt.messages:
        click.echo(f"[{message.role}]\n{message.content}")


def _labels(folder: RunFolder) -> dict[str, list[str | None]]:
    labels: dict[str, list[str | None]] = {}
    for verdict in folder.verdicts():
        labels.setdefault(verdict.judge, []).append(verdict.label)
    return labels


def _line(name: str, figure: dict[str, Any]) -> str:
    failures = ", ".join(f"{count} {status}" for status, count in figure["failures"].items())
    if figure["value"] is None:
        return f"{name:<12} no value (n 0)  {failures}"
    low, high = figure["interval"]
    text = f"{name:<12} {figure['value']:7.2%}  (95% {low:.1%} to {high:.1%}, n {figure['n']})"
    verdicts = ", ".join(f"{count} {word}" for word, count in figure.get("verdicts", {}).items())
    return "  ".join(part for part in (text, verdicts, failures) if part)
