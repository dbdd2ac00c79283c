"""OpenAI's chat completions, and the many servers and SDKs that speak it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from farthing.instrumentation.forms.turn import (
    Asked,
    Form,
    Given,
    Piece,
    Reply,
    Spoken,
    get,
    listed,
    number,
    text_parts,
)


def _messages(request: Mapping[str, Any]) -> Sequence[Any]:
    return listed(request.get("messages"))


def _pieces(message: Any) -> Iterable[Piece]:
    role = get(message, "role", "")
    if role in ("tool", "function"):
        name = str(get(message, "name", ""))
        yield Given(
            str(get(message, "tool_call_id", name)), name, get(message, "content")
        )
    elif role == "assistant":
        yield Spoken(by_model=True)
        yield from _asked(message)
    elif role == "user":
        yield Spoken(by_model=False)


def _asked(message: Any) -> Iterable[Asked]:
    for call in listed(get(message, "tool_calls")):
        what = get(call, "function") or get(call, "custom")
        arguments = get(what, "arguments", get(what, "input"))
        yield Asked(str(get(call, "id", "")), str(get(what, "name", "")), arguments)
    legacy = get(message, "function_call")
    if legacy is not None:
        name = str(get(legacy, "name", ""))
        yield Asked(name, name, get(legacy, "arguments"))


def _prefix(request: Mapping[str, Any]) -> tuple[Any, Any]:
    system = []
    for message in _messages(request):
        if get(message, "role") not in ("system", "developer"):
            break
        system.append(get(message, "content"))
    return system, request.get("tools") or request.get("functions")


def _max_output(request: Mapping[str, Any]) -> int | None:
    told = number(request.get("max_completion_tokens"))
    return told or number(request.get("max_tokens"))


def _append(request: MutableMapping[str, Any], text: str) -> None:
    held = request.get("messages")
    messages = list(held) if held is not None else []
    request["messages"] = [*messages, {"role": "user", "content": text}]


def _reply(response: Any) -> Reply:
    choices = listed(get(response, "choices"))
    messages = [get(choice, "message") for choice in choices]
    texts = (text_parts(get(m, "content")) or get(m, "refusal", "") for m in messages)
    asked = (call for message in messages for call in _asked(message))
    return Reply("\n".join(texts), tuple(asked))


FORM = Form(
    name="openai_chat",
    bound="max_completion_tokens (or max_tokens)",
    messages=_messages,
    pieces=_pieces,
    prefix=_prefix,
    max_output=_max_output,
    append=_append,
    reply=_reply,
    choices=lambda request: number(request.get("n")),
)
