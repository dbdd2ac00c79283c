"""Model providers on loopback: a stand-in that speaks their APIs, and keeps a bill.

The providers themselves cannot be had in a test. All else is real: SDKs talk to this as
they would to OpenAI, Anthropic, Gemini or Bedrock, over HTTP with server-sent events or
Amazon's event stream, and are refused, cut off and kept waiting as they would be. What
each request was billed is read at `/bill`, for tests to compare a ledger with.

How a request is answered is chosen by words in its prompt: see `asked.py`.
"""

from farthing.collector.demo.providers.bill import Bill, Item
from farthing.collector.demo.providers.serve import Providers, serving

__all__ = ["Bill", "Item", "Providers", "serving"]
