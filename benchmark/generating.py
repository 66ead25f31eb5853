"""The first half of a run: prompts to a model in batches, answers into the run folder, resumable at any batch.

Promises: batches are cut from the full item list at the model's batch size, so a resumed run gives the texts of an
undisturbed one; what is on disk is never generated again, failed generations excepted. Every prompt gets an answer or
a failure, whatever a back-end does. Several samples an item are several passes over the same batches, each with the
sample's own random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmark.errors import BudgetExceeded, SqlgaugeError
from benchmark.models.base import Decoding, Model, failed, notes_of
from benchmark.store import RunFolder
from benchmark.types import Generation, Prompt

Progress = Callable[[str, int, int], None]
Key = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What a run asks: every prompt `samples` times."""

    model: Model
    prompts: Sequence[Prompt]
    decoding: Decoding
    samples: int = 1

    @property
    def keys(self) -> list[Key]:
        """(example id, sample) of every answer, in the run's order."""
        return [(prompt.example_id, sample) for prompt in self.prompts for sample in range(self.samples)]


def cut_batches(prompts: Sequence[Prompt], size: int) -> list[list[Prompt]]:
    """All prompts in batches of similar length, longest first: little padding, and trouble with memory comes early."""
    ordered = sorted(prompts, key=lambda prompt: (-sum(len(m.content) for m in prompt.messages), prompt.example_id))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def missing(questions: Questions, folder: RunFolder) -> int:
    """How many answers are not there yet, or failed."""
    return len(set(questions.keys) - _answered(folder).keys())


class NoAnswer(RuntimeError):
    """A back-end gave no answer to a prompt, or one that is no text."""


def generate(
    questions: Questions, folder: RunFolder, progress: Progress, max_errors: float = 1.0
) -> list[Generation]:  # fmt: skip
    """All answers, those that are missing made now. For use inside `folder.writing()`.

    Raises SqlgaugeError when the whole first batch fails; BudgetExceeded where the model's budget is reached, or as
    soon as more than the share `max_errors` of all answers has failed. All that was generated is stored by then.
    """
    done, total = _answered(folder), len(questions.keys)
    lost: list[Generation] = []
    progress("generate", len(done), total)
    for sample in range(questions.samples):
        for batch in cut_batches(questions.prompts, questions.model.batch_size):
            fresh = _fresh(questions, batch, sample, done)
            if fresh:
                folder.append_generations(fresh)
            _stop_over_budget(questions.model, folder)  # also where it answered nothing of a batch
            if not fresh:
                continue
            _log(questions.model, fresh, folder)
            _stop_if_hopeless(questions.model, fresh, nothing=not done)
            done.update({(one.example_id, one.sample): one for one in fresh})
            progress("generate", len(done), total)
            lost += [one for one in fresh if one.error is not None]
            _stop_over_errors(lost, total, max_errors, folder)
    return [done[key] for key in questions.keys]


def _answered(folder: RunFolder) -> dict[Key, Generation]:
    return {(one.example_id, one.sample): one for one in folder.generations() if one.error is None}


def _fresh(questions: Questions, batch: list[Prompt], sample: int, done: dict[Key, Generation]) -> list[Generation]:
    """One sample's answers to a batch that are not there yet; the whole batch is asked where that can change a text."""
    lacking = {prompt.example_id for prompt in batch if (prompt.example_id, sample) not in done}
    if not lacking:
        return []
    alone = getattr(questions.model, "independent", False)  # then nobody pays for the rest of a batch again
    asked = [prompt for prompt in batch if prompt.example_id in lacking] if alone else batch
    answers = _ask(questions.model, asked, replace(questions.decoding, sample=sample))
    return [replace(one, sample=sample) for one in answers if one.example_id in lacking]


def _ask(model: Model, batch: list[Prompt], decoding: Decoding) -> list[Generation]:
    """A batch's generations. A back-end that raises has failed on each of its prompts; that is recorded, not scored."""
    try:
        given = {one.example_id: one for one in model.generate(batch, decoding) if isinstance(one.text, str)}
    except SqlgaugeError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a back-end raises is recorded
        return [failed(prompt, error, retryable=True) for prompt in batch]
    if getattr(model, "over_budget", None) is not None:  # the others were not asked
        return list(given.values())
    nothing = NoAnswer("the back-end returned no text for this prompt")
    return [given.get(prompt.example_id) or failed(prompt, nothing, retryable=True) for prompt in batch]


def _stop_over_budget(model: Model, folder: RunFolder) -> None:
    """Raises the model's own refusal to go on, BudgetExceeded."""
    refusal: SqlgaugeError | None = getattr(model, "over_budget", None)
    if refusal is not None:
        folder.log(f"stopped: {refusal}")
        raise refusal


def _stop_over_errors(lost: Sequence[Generation], total: int, most: float, folder: RunFolder) -> None:
    """Raises BudgetExceeded where more failed than is accepted: what follows cannot make that good."""
    if len(lost) <= most * total:
        return
    error = lost[-1].error
    assert error is not None
    said = f"more than {most:.1%} of the answers failed (--max-errors): {len(lost)} of {total}"
    folder.log(f"stopped: {said}")
    raise BudgetExceeded(
        f"{said}; the last: {error.type}: {error.message}",
        "All answers are stored, and nothing was scored. Mend the cause and run the same command again: it asks only "
        "for what is missing. A greater --max-errors accepts more.",
    )


def _log(model: Model, fresh: Sequence[Generation], folder: RunFolder) -> None:
    """What a batch had to say."""
    for note in notes_of(model):
        folder.log(note)
    for error in (one.error for one in fresh if one.error is not None):
        folder.log(f"an item failed: {error.type}: {error.message.splitlines()[0] if error.message else ''}")


def _stop_if_hopeless(model: Model, fresh: Sequence[Generation], *, nothing: bool) -> None:
    if not nothing or any(generation.error is None for generation in fresh):
        return
    error = fresh[0].error
    assert error is not None
    raise SqlgaugeError(
        f"{model.spec} failed on every prompt of the first batch: {error.type}: {error.message}",
        "Nothing was scored. Mend the cause and run the same command again; it goes on where it stopped.",
    )
