"""Anthropic's messages: tool results are blocks of a user's message."""

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
    content = get(message, "content")
    if get(message, "role") == "assistant":
        yield Spoken(by_model=True)
        yield from _asked(content)
        return
    if isinstance(content, str):
        yield Spoken(by_model=False)
    for block in listed(content):
        if get(block, "type") == "tool_result":
            failed = get(block, "is_error")
            call_id = str(get(block, "tool_use_id", ""))
            yield Given(call_id, "", get(block, "content"), failed)
        else:
            yield Spoken(by_model=False)


def _asked(content: Any) -> Iterable[Asked]:
    for block in listed(content):
        if get(block, "type") == "tool_use":
            name = str(get(block, "name", ""))
            yield Asked(str(get(block, "id", "")), name, get(block, "input"))


def _prefix(request: Mapping[str, Any]) -> tuple[Any, Any]:
    return request.get("system"), request.get("tools")


def _append(request: MutableMapping[str, Any], text: str) -> None:
    """Roles take turns: the words join the user's last message, after its results."""
    block = {"type": "text", "text": text}
    messages = list(request.get("messages") or ())
    if messages and get(messages[-1], "role") == "user":
        held = get(messages[-1], "content")
        blocks = [{"type": "text", "text": held}] if isinstance(held, str) else held
        messages[-1] = {"role": "user", "content": [*(blocks or ()), block]}
    else:
        messages.append({"role": "user", "content": [block]})
    request["messages"] = messages


def _reply(response: Any) -> Reply:
    content = get(response, "content")
    return Reply(text_parts(content), tuple(_asked(content)))


FORM = Form(
    name="anthropic",
    bound="max_tokens",
    messages=_messages,
    pieces=_pieces,
    prefix=_prefix,
    max_output=lambda request: number(request.get("max_tokens")),
    append=_append,
    reply=_reply,
)
