"""The one client for chat models behind an API: the api back-end and the judges both use it, through litellm."""

from benchmark.chat.budget import Budget
from benchmark.chat.client import ChatClient
from benchmark.chat.prices import Price, Prices
from benchmark.chat.provider import without_credentials
from benchmark.chat.settings import ChatReply, ChatSettings

__all__ = ["Budget", "ChatClient", "ChatReply", "ChatSettings", "Price", "Prices", "without_credentials"]
