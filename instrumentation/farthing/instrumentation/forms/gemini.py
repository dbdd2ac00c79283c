"""Gemini's contents: a text, a content, parts, or a list of any of these.

The SDK's own arguments (`config=…`) and the JSON that is sent are read alike. Function
responses need not have an id; they are then joined to their call by name.
"""

from __future__ import annotations

import json
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
    contents = request.get("contents")
    if contents is None:
        return ()
    if isinstance(contents, str | Mapping) or not isinstance(contents, Sequence):
        return (contents,)
    return listed(contents)


def _either(value: Any, snake: str, camel: str) -> Any:
    return get(value, snake, get(value, camel))


def _pieces(content: Any) -> Iterable[Piece]:
    if isinstance(content, str):
        yield Spoken(by_model=False)
        return
    by_model = get(content, "role") == "model"
    parts = listed(get(content, "parts")) or (content,)
    for part in parts:
        asked = _either(part, "function_call", "functionCall")
        given = _either(part, "function_response", "functionResponse")
        if asked is not None:
            yield _asked(asked)
        elif given is not None:
            yield _given(given)
        else:
            yield Spoken(by_model=by_model)


def _asked(call: Any) -> Asked:
    name = str(get(call, "name", ""))
    return Asked(str(get(call, "id", name)), name, get(call, "args", {}))


def _given(result: Any) -> Given:
    name, response = str(get(result, "name", "")), get(result, "response")
    failed = True if get(response, "error") else None
    return Given(str(get(result, "id", name)), name, response, failed)


def _prefix(request: Mapping[str, Any]) -> tuple[Any, Any]:
    config = request.get("config", request)
    return (
        _either(config, "system_instruction", "systemInstruction"),
        get(config, "tools"),
    )


def _bound(request: Mapping[str, Any], snake: str, camel: str) -> int | None:
    config = request.get("config", request.get("generationConfig"))
    return number(_either(config, snake, camel))


def _append(request: MutableMapping[str, Any], text: str) -> None:
    words = {"role": "user", "parts": [{"text": text}]}
    request["contents"] = [*_messages(request), words]


def _reply(response: Any) -> Reply:
    body = get(response, "body")
    told = json.loads(body) if isinstance(body, str) and body else response
    contents = [get(c, "content") for c in listed(get(told, "candidates"))]
    parts = [part for content in contents for part in listed(get(content, "parts"))]
    words = text_parts([part for part in parts if not get(part, "thought")])
    pieces = (p for content in contents if content for p in _pieces(content))
    return Reply(words, tuple(piece for piece in pieces if isinstance(piece, Asked)))


FORM = Form(
    name="gemini",
    bound="max_output_tokens of its config",
    messages=_messages,
    pieces=_pieces,
    prefix=_prefix,
    max_output=lambda r: _bound(r, "max_output_tokens", "maxOutputTokens"),
    append=_append,
    reply=_reply,
    choices=lambda r: _bound(r, "candidate_count", "candidateCount"),
)
