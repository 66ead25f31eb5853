"""The records that travel from stage to stage, one frozen dataclass each.

Promises: every record is immutable, typed and serialises to one JSON line (`benchmark.store`).
Does not: hold behaviour. Whatever computes one record from another lives in the stage's own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA_VERSION = 1

Task = Literal["read", "write"]
FinishReason = Literal["stop", "length", "filtered", "error"]
ExtractionStatus = Literal["ok", "empty", "truncated", "refused", "multiple", "no_sql"]
ScoreStatus = Literal[
    "ok",
    "empty",
    "truncated",
    "refused",
    "multiple",
    "no_sql",
    "invalid",
    "timeout",
    "limit",
    "error",
    "gold_error",
]
VerdictLabel = Literal["correct", "incorrect", "unsure"]
Role = Literal["system", "user", "assistant"]

#: Statuses whose value is null: the failure is ours or the dataset's, never the model's.
NO_VALUE: frozenset[str] = frozenset({"error", "gold_error"})

#: How the name of a metric begins whose values came with imported predictions.
EXTERNAL = "external:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One item of a test split: a question about a database, and the gold queries that answer it."""

    id: str
    question: str
    schema_sql: str
    golds: tuple[str, ...]
    dialect: str
    group: str
    task: Task = "read"
    db: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a chat."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a model is asked: `messages` for chat models; a completion model gets their contents joined.

    `text` is set by templates that write the turn markers by hand: a local model reads it as it is.
    """

    example_id: str
    messages: tuple[Message, ...]
    template: str
    template_hash: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a back-end or a judge gave no answer."""

    type: str
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Wall-clock time; the only block in which two equal runs may differ."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Wall-clock time behind a score: what the prediction took, and the gold."""

    seconds: float
    gold_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A model's raw answer to one prompt. `text` is what the model said, untouched."""

    example_id: str
    text: str
    finish_reason: FinishReason
    sample: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    error: Failure | None = None
    timing: Timing | None = None
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """The SQL found in a generation, and how it was found."""

    example_id: str
    sql: str | None
    status: ExtractionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One metric's value for one example, in [0, 1], or null where `status` is in `NO_VALUE`."""

    example_id: str
    metric: str
    value: float | None
    status: ScoreStatus
    sample: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    timing: Measured | None = None
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One judge's opinion of one prediction; `label` is null when the call or its parsing failed.

    `repeat` counts the times that the same is asked (from 0), `swapped` says that gold and prediction had traded
    places, `dropped` names the wanted parameters that the provider does not take, `key` is the tagged hash of all that
    decides the verdict, and `reused` says that it was paid for elsewhere.
    """

    example_id: str
    judge: str
    label: VerdictLabel | None
    reason: str
    prompt_hash: str
    sample: int = 0
    repeat: int = 0
    swapped: bool = False
    dropped: tuple[str, ...] = ()
    key: str = ""
    reused: bool = False
    confidence: float | None = None
    model_version: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    error: Failure | None = None
    timing: Timing | None = None
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class RunManifest:
    """Everything that identifies a run and says how far it got. `identity` alone decides the run id."""

    run_id: str
    identity: Mapping[str, Any]
    provenance: Mapping[str, Any]
    counts: Mapping[str, int] = field(default_factory=dict)
    complete: bool = False
    schema_version: int = SCHEMA_VERSION
