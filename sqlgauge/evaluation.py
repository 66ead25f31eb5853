"""A benchmark from Python, and of checkpoints while a model trains.

    import sqlgauge
    found = sqlgauge.evaluate("hf/google/gemma-2-2b-it", "builtin", sample=50)
    print(found.accuracy, found.interval)

Promises: a run folder like the command line's, resumed when it is there; a model that lives in this process is scored
as it is, its random state and its training mode untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.store import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a benchmark found. `accuracy` is the headline in [0, 1], `interval` its 95% ends; None without any value.

    `metrics` maps each metric to its mean; `folder` holds everything behind the figures.
    """

    folder: RunFolder
    accuracy: float | None
    interval: tuple[float, float] | None
    n: int
    metrics: Mapping[str, float | None]


def evaluate(model: str | tuple[Any, Any], dataset: str, **options: Any) -> Evaluation:
    """Benchmark a model over a dataset.

    `model` is a spec string, or (a transformers model, its tokenizer) of this process; `options` are those of
    `sqlgauge.run`, such as sample=100, seed=1, metrics=("execution",), out="runs", name="mine". The same weights over
    the same items are found again. Raises benchmark.errors.SqlgaugeError and its kind.
    """
    if isinstance(model, str):
        from sqlgauge.verbs import run

        return _evaluation(run(model=model, dataset=dataset, **options))
    return _evaluation(_run_live(*model, dataset=dataset, **options))


def _run_live(model: Any, tokenizer: Any, *, dataset: str, **options: Any) -> RunFolder:
    from benchmark.config import make_config
    from benchmark.models.live import LiveModel
    from benchmark.runner import execute, plan
    from sqlgauge.verbs.common import silent

    name = str(options.get("name") or type(model).__name__)
    config = make_config({"model": f"live/{name}", "dataset": dataset, **options})
    return execute(plan(config, LiveModel(name, model, tokenizer, config.model_options)), silent)


def _evaluation(folder: RunFolder) -> Evaluation:
    from sqlgauge.summary import summarise

    summary = summarise(folder)
    headline = summary["headline"] or next(iter(summary["metrics"].values()), None)
    ends = headline["interval"] if headline else None
    return Evaluation(
        folder=folder,
        accuracy=headline["value"] if headline else None,
        interval=None if ends is None else (ends[0], ends[1]),
        n=headline["n"] if headline else 0,
        metrics={name: figure["value"] for name, figure in summary["metrics"].items()},
    )


def benchmark_callback(dataset: str, *, out: str | Path = "runs/checkpoints", every: int = 1, **options: Any) -> Any:
    """A transformers TrainerCallback that benchmarks the model at each `every`-th evaluation, and logs its accuracy.

        trainer.add_callback(sqlgauge.benchmark_callback("builtin", sample=40))

    The trainer's log gets `sqlgauge_accuracy`, and the run folders stand in `out`, a checkpoint each, to be reported
    and compared like any others.
    """
    from transformers import TrainerCallback

    class Benchmark(TrainerCallback):  # type: ignore[misc]
        seen = 0

        def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            self.seen += 1
            if self.seen % every or not state.is_world_process_zero:
                return
            tokenizer = given.get("processing_class") or given.get("tokenizer")
            name = f"step-{state.global_step}"
            found = evaluate((given["model"], tokenizer), dataset, out=str(out), name=name, **options)
            state.log_history.append({"step": state.global_step, "sqlgauge_accuracy": found.accuracy})

    return Benchmark()
