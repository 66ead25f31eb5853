"""Models: back-ends that turn prompts into generations. `open_model` turns a spec string into one."""

from benchmark.models.base import Decoding, Model, ModelOptions, open_model

__all__ = ["Decoding", "Model", "ModelOptions", "open_model"]
