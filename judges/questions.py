"""What to put to the judges of a run, and what identifies the answer.

Promises: two questions have one key if and only if everything that decides the answer is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.chat import ChatClient
from benchmark.extract import extract
from benchmark.identity import digest
from benchmark.store import RunFolder
from benchmark.types import Generation, Message
from judges.evidence import Evidence, gather
from judges.parse import LABELS
from judges.rubric import ask_about, find_rubric

Slot = tuple[str, int, str, int, bool]

#: What a verdict must look like, for providers that can hold a model to it.
VERDICT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": list(LABELS)}, "reason": {"type": "string"}},
    "required": ["verdict", "reason"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One prediction put to a judge; without a chat there is nothing to ask, for the prediction holds no SQL."""

    generation: Generation
    chat: tuple[Message, ...]
    prompt_hash: str
    swapped: bool = False

    def slot(self, judge: str, repeat: int) -> Slot:
        """The place of its verdict in a run."""
        return self.generation.example_id, self.generation.sample, judge, repeat, self.swapped

    def repeats(self, wanted: int) -> range:
        """The times to ask it: nobody is asked twice about nothing."""
        return range(wanted if self.chat else 1)


def questions_about(folder: RunFolder, rubric: str, *, swap: bool = False) -> list[Question]:
    """What to ask about a run: all but failed generations and items whose gold does not run.

    With `swap` each is asked a second time, gold and prediction having traded places.
    """
    examples = {example.id: example for example in folder.iter_examples()}
    broken = {score.example_id for score in folder.iter_scores() if score.status == "gold_error"}
    asked = [one for one in folder.generations() if one.error is None and one.example_id not in broken]
    evidence: Mapping[tuple[str, int], Evidence] = gather(folder) if find_rubric(rubric).shows_results else {}
    found = []
    for one in asked:
        extraction = extract(one.example_id, one.text, one.finish_reason)
        if extraction.sql is None:
            found.append(Question(generation=one, chat=(), prompt_hash=f"none:{extraction.status}"))
            continue
        for swapped in (False, True) if swap else (False,):
            chat, prompt_hash = ask_about(
                examples[one.example_id],
                extraction.sql,
                rubric,
                swapped=swapped,
                evidence=evidence.get((one.example_id, one.sample)),
            )
            found.append(Question(generation=one, chat=chat, prompt_hash=prompt_hash, swapped=swapped))
    return found


def keys_of(
    questions: Sequence[Question], client: ChatClient, rubric_digest: str, repeat: int
) -> Iterator[tuple[Question, int, str]]:
    """Each question, with each of its repeats and that one's key; the key is empty where there is nothing to ask.

    Where a seed is sent, each repeat has one of its own, and its key knows it.
    """
    judge = digest({**client.identity(), "rubric": rubric_digest})
    for question in questions:
        said = [(message.role, message.content) for message in question.chat]
        asked = digest([judge, said, question.swapped]) if said else ""
        for number in question.repeats(repeat):
            seed = client.seed_of(number) if number else None
            yield question, number, asked and digest([asked, number] if seed is None else [asked, number, seed])
