"""OpenAI's responses: `input` is a text or items; the server may keep the rest."""

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

_OUTPUT = "_output"
_CALLS = {
    "function_call": "arguments",
    "custom_tool_call": "input",
    "local_shell_call": "action",
    "shell_call": "action",
    "apply_patch_call": "operation",
    "computer_call": "action",
}
_SYSTEM = ("system", "developer")


def _messages(request: Mapping[str, Any]) -> Sequence[Any]:
    given = request.get("input")
    if isinstance(given, str):
        return ({"role": "user", "content": given},)
    return listed(given)


def _pieces(item: Any) -> Iterable[Piece]:
    kind = get(item, "type", "message")
    if kind in _CALLS:
        name = str(get(item, "name", kind))
        yield Asked(str(get(item, "call_id", "")), name, get(item, _CALLS[kind]))
    elif kind.endswith(_OUTPUT) and kind.removesuffix(_OUTPUT) in _CALLS:
        failed = True if get(item, "status") == "failed" else None
        yield Given(str(get(item, "call_id", "")), "", get(item, "output"), failed)
    elif kind != "message":
        yield Spoken(by_model=True)
    elif get(item, "role") == "user":
        yield Spoken(by_model=False)
    elif get(item, "role") not in _SYSTEM:
        yield Spoken(by_model=True)


def _prefix(request: Mapping[str, Any]) -> tuple[Any, Any]:
    system = [request.get("instructions")]
    for item in _messages(request):
        if get(item, "role") not in _SYSTEM:
            break
        system.append(get(item, "content"))
    texts = [text for text in system if isinstance(text, str | Sequence)]
    return texts, request.get("tools")


def _append(request: MutableMapping[str, Any], text: str) -> None:
    given = request.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    message = {"role": "user", "content": text}
    request["input"] = [*(items or ()), message]


def _reply(response: Any) -> Reply:
    items = listed(get(response, "output"))
    texts = (text_parts(get(item, "content")) for item in items)
    pieces = (piece for item in items for piece in _pieces(item))
    return Reply(
        "\n".join(text for text in texts if text),
        tuple(piece for piece in pieces if isinstance(piece, Asked)),
    )


FORM = Form(
    name="openai_responses",
    may_be_kept=True,
    bound="max_output_tokens",
    messages=_messages,
    pieces=_pieces,
    prefix=_prefix,
    max_output=lambda request: number(request.get("max_output_tokens")),
    append=_append,
    reply=_reply,
)
