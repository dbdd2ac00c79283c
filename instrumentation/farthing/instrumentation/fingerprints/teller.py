"""From a request and a reply to the attributes of the model call's span."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from farthing.instrumentation.fingerprints.hashes import (
    NO_ARGUMENTS,
    Hasher,
    ToolPrint,
)
from farthing.instrumentation.fingerprints.normalise import normalised, plain
from farthing.instrumentation.forms import Form, Given, Reply, newest
from farthing.instrumentation.forms.turn import get, text_parts
from farthing.semconv import FINGERPRINT, STEP_FIELDS, TOOL_RESULTS

Attributes = Mapping[str, str | int | bool | Sequence[str]]

MOST_RESULTS: Final = 128
"""Tool results that one call tells of, the newest; attributes have a size."""

_MOST_CALLS = 1_024
_MOST_PREFIXES = 8


class Result(NamedTuple):
    """A tool result that a model call is newly handed, as fingerprints."""

    call_id: str
    name: str
    print: ToolPrint


class _Prefix(NamedTuple):
    system: Any
    tools: Any
    attributes: Attributes


class Told(NamedTuple):
    """What a request tells: of its span, and of the tools that ran before it."""

    attributes: Attributes
    results: tuple[Result, ...]
    user_turn: bool


class Teller:
    """Makes a model call's attributes. Threads may share one.

    Work is done for what is new: results since the model last spoke, and a prefix that
    was not seen before. What is remembered of earlier calls are fingerprints, and the
    last few prompts' prefixes.
    """

    def __init__(self, hasher: Hasher) -> None:
        self.hasher = hasher
        self._asked: OrderedDict[str, tuple[str, tuple[str, ...]]] = OrderedDict()
        self._prefixes: list[_Prefix] = []

    def request(self, form: Form, request: Mapping[str, Any]) -> Told:
        """What a request tells before it is sent."""
        turn = newest(form, request)
        results = tuple(
            self._result(given, place=index, form=form, request=request)
            for index, given in enumerate(turn.given[-MOST_RESULTS:])
        )
        attributes = {
            **self._prefix(*form.prefix(request)),
            f"{FINGERPRINT}user_turn": turn.user_turn,
            **_columns(results),
        }
        return Told(attributes, results, turn.user_turn)

    def reply(self, reply: Reply) -> Attributes:
        """What a reply tells; the tool calls it asks for are remembered."""
        for asked in reply.asked:
            if asked.call_id and asked.call_id != asked.name:
                prints = self.hasher.arguments(asked.name, asked.arguments)
                self._asked[asked.call_id] = asked.name, prints
        while len(self._asked) > _MOST_CALLS:
            self._asked.popitem(last=False)
        if not reply.text:
            return {}
        return {
            f"{FINGERPRINT}text_hash": self.hasher.hash(reply.text),
            f"{FINGERPRINT}text_norm_hash": self.hasher.hash(normalised(reply.text)),
        }

    def tool(
        self, name: str, arguments: Any, result: Any, *, is_error: bool
    ) -> Attributes:
        """What a tool's own span tells."""
        found = self.hasher.tool(name, arguments, result, is_error=is_error or None)
        fields = zip(STEP_FIELDS, found, strict=True)
        return {f"{FINGERPRINT}{field}": value for field, value in fields if value}

    def _result(
        self, given: Given, *, place: int, form: Form, request: Mapping[str, Any]
    ) -> Result:
        name, asked = self._asked.get(given.call_id, (given.name, NO_ARGUMENTS))
        if asked is NO_ARGUMENTS and given.arguments is not None:
            asked = self.hasher.arguments(name, given.arguments)
        result = self.hasher.result(name, given.content, is_error=given.is_error)
        call_id = given.call_id
        if call_id in ("", given.name):
            call_id = self._own_id(form.messages(request), place, asked[0] + result[0])
        return Result(call_id, name, ToolPrint(*asked, *result))

    def _own_id(self, messages: Sequence[Any], place: int, prints: str) -> str:
        """An id for a call whose form has none: by its place in the conversation, and
        what this began with, so that a request that is sent again has the same ids."""
        first = messages[0] if messages else ""
        began = opening(first)[:200]
        return self.hasher.hash(f"{len(messages)}\0{place}\0{prints}\0{began}")

    def _prefix(self, system: Any, tools: Any) -> Attributes:
        for known in self._prefixes:
            if known.tools == tools and known.system == system:
                return known.attributes
        attributes = self._new_prefix(system, tools)
        try:
            kept = _Prefix(*copy.deepcopy((system, tools)), attributes)
        except Exception:  # noqa: BLE001 (an SDK's object that cannot be copied)
            return attributes
        self._prefixes = [kept, *self._prefixes[: _MOST_PREFIXES - 1]]
        return attributes

    def _new_prefix(self, system: Any, tools: Any) -> Attributes:
        """Keys keep their order here: it is part of what a provider caches by."""
        told = json.dumps(system, ensure_ascii=False, default=plain) if system else ""
        defined = json.dumps(tools, ensure_ascii=False, default=plain) if tools else ""
        return {
            f"{FINGERPRINT}prefix_hash": self.hasher.hash(f"{told}\0{defined}"),
            f"{FINGERPRINT}prefix_len": len(told) + len(defined),
            f"{FINGERPRINT}tools_hash": self.hasher.hash(defined) if defined else "",
            f"{FINGERPRINT}tools_len": len(defined),
        }


def opening(message: Any) -> str:
    """The text of a message, whatever the form."""
    if isinstance(message, str):
        return message
    return text_parts(get(message, "parts", get(message, "content")))


def _columns(results: Sequence[Result]) -> dict[str, Sequence[str]]:
    if not results:
        return {}
    rows = [(result.call_id, result.name, *result.print) for result in results]
    names = ("call_id", "name", *STEP_FIELDS)
    columns = zip(*rows, strict=True)
    return {
        f"{TOOL_RESULTS}{name}": column
        for name, column in zip(names, columns, strict=True)
    }
