"""Which form a call's request has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.instrumentation.forms import (
    anthropic,
    bedrock,
    gemini,
    openai_chat,
    openai_responses,
)
from farthing.instrumentation.forms.turn import Form

_BEDROCK = ("boto3", "botocore", "bedrock")


def form_of(library: str, operation: str, *, request: Mapping[str, Any]) -> Form | None:
    """The form of a request of `library`, or None for one without a conversation, such
    as an embedding. The keys decide: one library may speak several forms."""
    if operation.startswith("embed"):
        return None
    if "contents" in request:
        return gemini.FORM
    if "messages" in request:
        if library == "anthropic" or "anthropic_version" in request:
            return anthropic.FORM
        is_bedrock = library in _BEDROCK or "modelId" in request
        return bedrock.FORM if is_bedrock else openai_chat.FORM
    if "input" in request or "previous_response_id" in request:
        return openai_responses.FORM
    return None
