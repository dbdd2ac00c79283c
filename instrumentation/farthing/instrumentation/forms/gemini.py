"""Gemini's contents: a text, a content, parts, or a list of any of these.

Function responses need not have an id; they are then joined to their call by name.
"""

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


def _config(request: Mapping[str, Any], snake: str, camel: str) -> Any:
    return _either(request.get("config"), snake, camel)


def _prefix(request: Mapping[str, Any]) -> tuple[Any, Any]:
    return (
        _config(request, "system_instruction", "systemInstruction"),
        _config(request, "tools", "tools"),
    )


def _append(request: MutableMapping[str, Any], text: str) -> None:
    words = {"role": "user", "parts": [{"text": text}]}
    request["contents"] = [*_messages(request), words]


def _reply(response: Any) -> Reply:
    contents = [get(c, "content") for c in listed(get(response, "candidates"))]
    texts = (text_parts(get(content, "parts")) for content in contents)
    pieces = (p for content in contents if content for p in _pieces(content))
    return Reply(
        "\n".join(text for text in texts if text),
        tuple(piece for piece in pieces if isinstance(piece, Asked)),
    )


FORM = Form(
    name="gemini",
    messages=_messages,
    pieces=_pieces,
    prefix=_prefix,
    max_output=lambda request: number(
        _config(request, "max_output_tokens", "maxOutputTokens")
    ),
    append=_append,
    reply=_reply,
    choices=lambda request: number(
        _config(request, "candidate_count", "candidateCount")
    ),
)
