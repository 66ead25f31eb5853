"""Who made a model, from its name: judges may be kind to their own family.

Promises: one answer for one maker, whoever serves the model. Does not: guess; a name that says nothing has no family.
"""

from __future__ import annotations

import re

#: Marks in a model's name, by its maker. A mark begins where a word of the name does.
_MARKS = {
    "openai": r"gpt|chatgpt|o[1345]\b|davinci|codex",
    "anthropic": r"claude|anthropic",
    "google": r"gemini|gemma|codegemma|palm|google",
    "meta": r"llama|code-?llama|meta",
    "qwen": r"qwen|qwq|codeqwen|alibaba",
    "mistral": r"mistral|mixtral|codestral|ministral|magistral|devstral",
    "deepseek": r"deepseek",
    "cohere": r"command-|cohere",
    "xai": r"grok|xai",
    "microsoft": r"phi-?\d|microsoft",
    "ibm": r"granite|ibm",
    "amazon": r"nova-|titan",
    "huggingface": r"smollm|huggingface|zephyr",
}
#: First parts of a spec that say who serves a model, or where it lies, and not who made it.
_HOSTS = frozenset({
    "azure", "azure_ai", "bedrock", "builtin", "cerebras", "custom", "custom_openai", "databricks",
    "deepinfra", "docker_model_runner", "fireworks_ai", "github", "groq", "hf", "hosted_vllm", "huggingface",
    "litellm_proxy", "llamafile", "lm_studio", "nvidia_nim", "ollama", "ollama_chat", "openrouter",
    "replicate", "sagemaker", "sambanova", "together_ai", "vertex_ai", "vllm", "watsonx", "xinference"
})  # fmt: skip
#: Specs that are no model: looked-up answers, and the test double.
_NO_MODEL = frozenset({"gold", "fault", "file"})


def family_of(spec: str) -> str | None:
    """The maker of the model that a spec names; None where the name does not say.

    >>> family_of("azure/gpt-4o"), family_of("hf/google/gemma-2-2b-it+runs/adapter"), family_of("ollama/qwen2.5:7b")
    ('openai', 'google', 'qwen')
    >>> family_of("acme/judge-1"), family_of("hf/acme/model"), family_of("file/gpt.jsonl"), family_of("gold")
    ('acme', 'acme', None, None)
    """
    host, _, rest = spec.lower().partition("+")[0].partition("@")[0].partition("/")
    if host in _NO_MODEL:
        return None
    name = rest if host in _HOSTS else f"{host}/{rest}"
    model = name.rpartition("/")[2]
    for text in (model, name):  # what a model is called says more than the folder it lies in
        found = ((re.search(rf"(?<![a-z0-9])(?:{marks})", text), maker) for maker, marks in _MARKS.items())
        places = [(mark.start(), maker) for mark, maker in found if mark]
        if places:
            return min(places)[1]  # a distilled or tuned model is named after its maker first
    owner, slash, _ = name.partition("/")
    known = bool(slash) and re.fullmatch(r"[a-z0-9][\w-]*", owner) is not None
    return owner if known else None
