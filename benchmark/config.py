"""RunConfig: everything a run is told, from defaults, a YAML file and flags, validated once and together.

Promises: all problems are reported at once; an unknown key gets a did-you-mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from benchmark.errors import UsageError, did_you_mean
from benchmark.metrics.base import DEFAULT_METRICS, REGISTRY
from benchmark.models.base import Decoding, ModelOptions
from benchmark.prompts import SCHEMAS
from benchmark.rendering import ROWS
from benchmark.shots import WAYS
from benchmark.sqlengine.results import POLICIES
from benchmark.terms import Terms

#: Named ways to evaluate, as defaults that a file and flags may still change.
PROTOCOLS: dict[str, dict[str, Any]] = {
    "default": {},
    # The seed notebook's: 30 rows, sampled answers one at a time, its prompt; its clean-up is the metric `exact`. The
    # notebook drew its rows without a seed, so ours are other rows, but the same ones each time.
    "seed": {
        "sample": 30,
        "seed": 2024,
        "temperature": 0.7,
        "top_p": 0.95,
        "top_k": 50,
        "max_new_tokens": 1000,
        "prompt": "seed",
        "schema": "full",
        "batch_size": 1,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """One run of one model over one split."""

    model: str
    dataset: str
    map: tuple[str, ...] = ()
    protocol: str = "default"
    out: str = "runs"
    name: str | None = None
    split: str = "test"
    limit: int | None = None
    sample: int | None = None
    seed: int = 0
    where: tuple[str, ...] = ()
    metrics: tuple[str, ...] = DEFAULT_METRICS
    policy: str = "default"
    search_databases: int = Terms().databases
    search_seconds: float = Terms().seconds
    prompt: str = "zero_shot"
    schema: str = "ddl"
    schema_rows: int = ROWS
    schema_tokens: int | None = None
    shots: int = 0
    shots_from: str | None = None
    shots_by: str = "fixed"
    n: int = 1
    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    dtype: str = "auto"
    load_in_4bit: bool = False
    load_in_8bit: bool = False
    merge_adapter: bool = False
    batch_size: int | None = None
    api_base: str | None = None
    concurrency: int = 8
    workers: int | None = None
    trust_remote_code: bool = False
    publish: str | None = None

    @property
    def decoding(self) -> Decoding:
        return Decoding(
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            seed=self.seed if self.temperature > 0 else 0,  # greedy decoding does not depend on a seed
        )

    @property
    def terms(self) -> Terms:
        return Terms(policy=self.policy, databases=self.search_databases, seconds=self.search_seconds)

    @property
    def model_options(self) -> ModelOptions:
        return ModelOptions(
            dtype=self.dtype,
            load_in_4bit=self.load_in_4bit,
            load_in_8bit=self.load_in_8bit,
            merge_adapter=self.merge_adapter,
            batch_size=self.batch_size,
            api_base=self.api_base,
            concurrency=self.concurrency,
            trust_remote_code=self.trust_remote_code,
        )


def make_config(flags: Mapping[str, Any], file: Path | None = None) -> RunConfig:
    """A RunConfig from a protocol, a YAML file and flags; later ones win. Raises UsageError with every problem."""
    values = {**(_read_yaml(file) if file else {}), **flags}
    values = {**PROTOCOLS.get(str(values.get("protocol")), {}), **values}
    known = {field.name for field in fields(RunConfig)}
    problems = [f"unknown key '{key}': {did_you_mean(key, known)}" for key in values if key not in known]
    problems += [f"'{key}' is missing" for key in ("model", "dataset") if not values.get(key)]
    config = None
    for key, value in values.items():
        if key in known:
            problems += _type_problem(key, value)
    if not problems:
        config = msgspec.convert(values, RunConfig)
        problems += _value_problems(config)
    if problems or config is None:
        raise UsageError(
            "the configuration has problems:\n  " + "\n  ".join(problems) if len(problems) > 1 else problems[0],
            "See 'sqlgauge run --help'.",
        )
    return config


def _type_problem(key: str, value: Any) -> list[str]:
    probe = {"model": "m", "dataset": "d", key: value}
    try:
        msgspec.convert(probe, RunConfig)
    except msgspec.ValidationError as error:
        return [f"'{key}': {error}"]
    except UnicodeEncodeError:
        return [f"'{key}' is no text: {value!r}"]
    return []


def _value_problems(config: RunConfig) -> list[str]:
    problems = [
        f"unknown metric '{name}': {did_you_mean(name, REGISTRY)}" for name in config.metrics if name not in REGISTRY
    ]
    if config.protocol not in PROTOCOLS:
        problems.append(f"unknown protocol '{config.protocol}': {did_you_mean(config.protocol, PROTOCOLS)}")
    if config.policy not in POLICIES:
        problems.append(f"unknown policy '{config.policy}': {did_you_mean(config.policy, POLICIES)}")
    if config.schema not in SCHEMAS:
        problems.append(f"unknown schema rendering '{config.schema}': {did_you_mean(config.schema, SCHEMAS)}")
    if config.shots_by not in WAYS:
        problems.append(f"unknown way to choose shots '{config.shots_by}': {did_you_mean(config.shots_by, WAYS)}")
    if config.shots < 0:
        problems.append(f"'shots' must not be negative, not {config.shots}")
    positive = {"limit": config.limit, "sample": config.sample, "batch_size": config.batch_size}
    positive |= {"schema_rows": config.schema_rows, "schema_tokens": config.schema_tokens}
    positive |= {
        "max_new_tokens": config.max_new_tokens,
        "n": config.n,
        "concurrency": config.concurrency,
        "workers": config.workers,
    }
    problems += [
        f"'{key}' must be at least 1, not {value}" for key, value in positive.items() if value is not None and value < 1
    ]
    problems += config.terms.problems()
    if config.name is not None and (config.name in ("", ".", "..") or set(config.name) & set("/\\\0")):
        problems.append(f"'name' is that of one folder, not a path: {config.name!r}")
    if config.load_in_4bit and config.load_in_8bit:
        problems.append("'load_in_4bit' and 'load_in_8bit' are one or the other")
    if config.n > 1 and config.temperature == 0:
        problems.append("'n' answers an item are all alike when greedy: give a 'temperature' above 0")
    if config.temperature < 0:
        problems.append(f"'temperature' must not be negative, not {config.temperature}")
    if not 0 < config.top_p <= 1:
        problems.append(f"'top_p' must lie in (0, 1], not {config.top_p}")
    return problems


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        loaded = msgspec.yaml.decode(file.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise UsageError(f"no such configuration file: {file}", "Give a YAML file, or use flags.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}", "A configuration is a YAML mapping of the flags' names.") from None
    return loaded
