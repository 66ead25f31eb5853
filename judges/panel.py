"""Asking judges about a run: every prediction, every judge, once.

Promises: a verdict that is on disk for the same question is not asked for again; a failed or unreadable call is an
error with no label, and is asked again by a rerun; a prediction without SQL is incorrect without a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmark.chat import ChatClient, ChatReply, ChatSettings
from benchmark.extract import extract
from benchmark.store import RunFolder
from benchmark.types import Example, Failure, Generation, Message, Verdict
from judges.parse import UnreadableVerdict, parse_verdict
from judges.rubric import RUBRICS, ask_about

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One prediction put to a judge."""

    generation: Generation
    chat: tuple[Message, ...]
    prompt_hash: str


class Panel:
    """The judges of a run. Making one checks every name, key and the rubric; no call is made yet."""

    def __init__(self, judges: Sequence[str], rubric: str = "seed", api_base: str | None = None) -> None:
        RUBRICS.text(rubric)  # an unknown name is said now
        self.rubric = rubric
        settings = ChatSettings(temperature=0.0, max_tokens=400)
        self.clients = {judge: ChatClient(judge, settings, api_base) for judge in dict.fromkeys(judges)}

    def judge(self, folder: RunFolder, progress: Progress) -> int:
        """Ask about every prediction that has no verdict yet. The number of calls that failed."""
        with folder.writing():
            return sum(self._one_judge(folder, judge, client, progress) for judge, client in self.clients.items())

    def questions(self, folder: RunFolder) -> list[Question]:
        """What to ask about a run: all but failed generations and items whose gold does not run."""
        examples = {example.id: example for example in folder.examples()}
        broken = {score.example_id for score in folder.scores() if score.status == "gold_error"}
        return [
            self._question(examples[generation.example_id], generation)
            for generation in folder.generations()
            if generation.error is None and generation.example_id not in broken
        ]

    def _question(self, example: Example, generation: Generation) -> Question:
        extraction = extract(generation.example_id, generation.text, generation.finish_reason)
        if extraction.sql is None:
            return Question(generation=generation, chat=(), prompt_hash=f"none:{extraction.status}")
        chat, prompt_hash = ask_about(example, extraction.sql, self.rubric)
        return Question(generation=generation, chat=chat, prompt_hash=prompt_hash)

    def _one_judge(self, folder: RunFolder, judge: str, client: ChatClient, progress: Progress) -> int:
        known = {
            (verdict.example_id, verdict.sample, verdict.prompt_hash)
            for verdict in folder.verdicts()
            if verdict.judge == judge and verdict.label is not None
        }
        questions = self.questions(folder)
        open_ones = [q for q in questions if (q.generation.example_id, q.generation.sample, q.prompt_hash) not in known]
        done, failures = len(questions) - len(open_ones), 0
        progress(f"judge {judge}", done, len(questions))
        for batch in _batches(open_ones, client.settings.concurrency):
            verdicts = _answers(judge, client, batch)
            folder.append_verdicts(verdicts)
            failures += sum(verdict.label is None for verdict in verdicts)
            done += len(batch)
            progress(f"judge {judge}", done, len(questions))
        return failures


def _answers(judge: str, client: ChatClient, batch: Sequence[Question]) -> list[Verdict]:
    asked = [question for question in batch if question.chat]
    replies = dict(zip((q.generation.example_id for q in asked), client.complete([q.chat for q in asked]), strict=True))
    return [_verdict(judge, question, replies.get(question.generation.example_id)) for question in batch]


def _verdict(judge: str, question: Question, reply: ChatReply | None) -> Verdict:
    generation = question.generation
    about = {"example_id": generation.example_id, "sample": generation.sample, "judge": judge}
    if reply is None:
        status = question.prompt_hash.removeprefix("none:")
        reason = f"no SQL to judge ({status}); decided without a call"
        return Verdict(**about, label="incorrect", reason=reason, prompt_hash=question.prompt_hash)  # type: ignore[arg-type]
    paid = {
        "prompt_hash": question.prompt_hash,
        "model_version": reply.model_version,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "cost_usd": reply.cost_usd,
        "timing": reply.timing,
    }
    if reply.error is not None:
        return Verdict(**about, **paid, label=None, reason="", error=reply.error)  # type: ignore[arg-type]
    try:
        opinion = parse_verdict(reply.text)
    except UnreadableVerdict as error:
        failure = Failure(type="UnreadableVerdict", message=str(error), retryable=True)
        return Verdict(**about, **paid, label=None, reason="", error=failure)  # type: ignore[arg-type]
    return Verdict(**about, **paid, label=opinion.label, reason=opinion.reason, confidence=opinion.confidence)  # type: ignore[arg-type]


def _batches(questions: Sequence[Question], size: int) -> Iterator[Sequence[Question]]:
    for start in range(0, len(questions), size):
        yield questions[start : start + size]
