"""Bedrock's converse: blocks with one key each, in camel case."""

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
    by_model = get(message, "role") == "assistant"
    if by_model:
        yield Spoken(by_model=True)
    for block in listed(get(message, "content")):
        asked, given = get(block, "toolUse"), get(block, "toolResult")
        if asked is not None:
            name = str(get(asked, "name", ""))
            yield Asked(str(get(asked, "toolUseId", "")), name, get(asked, "input"))
        elif given is not None:
            failed = True if get(given, "status") == "error" else None
            call_id = str(get(given, "toolUseId", ""))
            yield Given(call_id, "", get(given, "content"), failed)
        elif not by_model and get(block, "cachePoint") is None:
            yield Spoken(by_model=False)


def _prefix(request: Mapping[str, Any]) -> tuple[Any, Any]:
    return request.get("system"), get(request.get("toolConfig"), "tools")


def _max_output(request: Mapping[str, Any]) -> int | None:
    return number(get(request.get("inferenceConfig"), "maxTokens"))


def _append(request: MutableMapping[str, Any], text: str) -> None:
    """Roles take turns: the words join the user's last message, after its results."""
    messages = list(request.get("messages") or ())
    if messages and get(messages[-1], "role") == "user":
        held = listed(get(messages[-1], "content"))
        messages[-1] = {"role": "user", "content": [*held, {"text": text}]}
    else:
        messages.append({"role": "user", "content": [{"text": text}]})
    request["messages"] = messages


def _reply(response: Any) -> Reply:
    message = get(get(response, "output"), "message")
    asked = (piece for piece in _pieces(message) if isinstance(piece, Asked))
    return Reply(text_parts(get(message, "content")), tuple(asked))


FORM = Form(
    name="bedrock",
    bound="maxTokens of inferenceConfig",
    messages=_messages,
    pieces=_pieces,
    prefix=_prefix,
    max_output=_max_output,
    append=_append,
    reply=_reply,
)
