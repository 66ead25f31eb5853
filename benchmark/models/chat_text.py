"""A prompt as a local model reads it, and the answer it should write: one code path for evaluation and training.

Promises: the tokenizer's own chat template; the answer ends with the template's own end of turn.
Does not: tokenise, or write a BOS of its own; the template has placed it.
"""

from __future__ import annotations

from typing import Any

from benchmark.errors import ModelUnavailable
from benchmark.types import Prompt

#: Tokens that end a turn in known chat templates, beside the model's own end tokens.
TURN_ENDS = ("<end_of_turn>", "<|im_end|>", "<|eot_id|>", "<|end|>", "<turn|>")
#: What a model without a chat template is led on with.
_FENCE = "```sql\n"
#: What ends the answer of such a model, which would go on with one statement after another, and then with text.
STATEMENT_ENDS = (";", "```")


def prompt_text(tokenizer: Any, prompt: Prompt) -> str:
    """All that stands before the answer. A model without a chat template gets the contents and an SQL fence."""
    if prompt.text is not None:
        return (tokenizer.bos_token or "") + prompt.text
    if tokenizer.chat_template is None:
        text = "\n\n".join(message.content for message in prompt.messages) + "\n\n" + _FENCE
        return (tokenizer.bos_token or "") + text
    return str(tokenizer.apply_chat_template(_turns(prompt), tokenize=False, add_generation_prompt=True))


def answer_text(tokenizer: Any, prompt: Prompt, answer: str) -> str:
    """What a model should write after `prompt_text`: the answer and the end of its turn, and nothing behind it.

    Raises ModelUnavailable for a template that renders a prompt otherwise once it has an answer.
    """
    if prompt.text is not None:
        return "\n" + answer  # a template by hand has an end of turn by hand
    if tokenizer.chat_template is None:
        return answer.removeprefix(_FENCE) + (tokenizer.eos_token or "")
    before = prompt_text(tokenizer, prompt)
    turns = [*_turns(prompt), {"role": "assistant", "content": answer}]
    whole = str(tokenizer.apply_chat_template(turns, tokenize=False))
    if not whole.startswith(before + answer):
        raise ModelUnavailable(
            "the chat template renders a prompt in another way once it has an answer",
            "Train on a model whose template does not change what stands before the answer.",
        )
    rest = whole[len(before) + len(answer) :]
    ends = [rest.index(end) + len(end) for end in end_strings(tokenizer) if end in rest]
    return answer + (rest[: min(ends)] if ends else tokenizer.eos_token or "")


def end_strings(tokenizer: Any) -> list[str]:
    """The tokens that end an answer, as text: the tokenizer's own and known ends of a turn."""
    ids = zip(TURN_ENDS, tokenizer.convert_tokens_to_ids(list(TURN_ENDS)), strict=True)
    known = [token for token, number in ids if number not in (None, tokenizer.unk_token_id)]
    return [*known, *([tokenizer.eos_token] if tokenizer.eos_token and tokenizer.eos_token not in known else [])]


def is_completed(tokenizer: Any, prompt: Prompt) -> bool:
    """Whether a prompt is a text to go on with: the answer is then the first statement."""
    return prompt.text is None and tokenizer.chat_template is None


def statement_ends(tokenizer: Any) -> list[int]:
    """The ids of all tokens that hold the end of a statement or of a fence."""
    return sorted(number for token, number in tokenizer.get_vocab().items() if first_end(token) is not None)


def first_end(text: str) -> int | None:
    """Where the first of `STATEMENT_ENDS` in a text is over; None without one.

    >>> first_end("x);\\n"), first_end("x")
    (3, None)
    """
    places = [text.index(end) + len(end) for end in STATEMENT_ENDS if end in text]
    return min(places, default=None)


def _turns(prompt: Prompt) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in prompt.messages]
