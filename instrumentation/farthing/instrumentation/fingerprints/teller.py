"""From a request and a reply to the attributes of the model call's span."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from farthing.instrumentation.calls import Ended
from farthing.instrumentation.fingerprints.hashes import (
    NO_ARGUMENTS,
    Hasher,
    Output,
    ToolPrint,
)
from farthing.instrumentation.fingerprints.normalise import (
    canonical_arguments,
    normalised,
    plain,
)
from farthing.instrumentation.forms import Form, newest
from farthing.instrumentation.forms.turn import (
    Asked,
    Given,
    Reply,
    Turn,
    get,
    text_parts,
)
from farthing.semconv import FINGERPRINT, STEP_FIELDS, TOOL_RESULTS

Attributes = Mapping[str, str | int | bool | Sequence[str]]

MOST_RESULTS: Final = 128
"""Tool results that one call tells of, the newest; attributes have a size."""

MOST_KEPT: Final = 20_000
"""Characters of a request's new results that may wait to be read, until its span is
exported; of longer ones the fingerprints are made at once, so that no memory fills."""

_MOST_CALLS = 1_024
_MOST_PREFIXES = 8


class Result(NamedTuple):
    """A tool result that a model call is newly handed, as fingerprints."""

    call_id: str
    name: str
    print: ToolPrint


class _Prefix(NamedTuple):
    """A prompt's prefix that was seen: copies, because callers change theirs."""

    system: Any
    tools: Any
    tools_json: str
    attributes: Attributes


class Told:
    """What a request tells: of its span, and of the tools that ran before it.

    What the fingerprints are of is taken down before the request is sent, because it
    may change afterwards; they are worked out when somebody first asks for them.
    """

    def __init__(
        self, teller: Teller, turn: Turn, *, prefix: Attributes, began: str
    ) -> None:
        self.user_turn = turn.user_turn
        self._teller = teller
        self._given = turn.given
        self._prefix = prefix
        self._began = began
        self._results: tuple[Result, ...] | None = None

    @property
    def results(self) -> tuple[Result, ...]:
        """The tool results that are newly handed over."""
        if self._results is None:
            self._results = tuple(
                self._teller.result(given, f"{place}\0", began=self._began)
                for place, given in enumerate(self._given)
            )
        return self._results

    @property
    def attributes(self) -> Attributes:
        """What the call's span is to say."""
        return {
            **self._prefix,
            f"{FINGERPRINT}user_turn": self.user_turn,
            **_columns(self.results),
        }


class Replied:
    """What a reply tells of its span; taken down and worked out like Told."""

    def __init__(self, teller: Teller, form: Form, ended: Ended) -> None:
        self._teller = teller
        response = ended.response
        self.reply = form.reply(response) if response else Reply(ended.streamed)

    @property
    def attributes(self) -> Attributes:
        """What the call's span is to say."""
        return self._teller.reply(self.reply.text)


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
        given = tuple([_taken_down(one) for one in turn.given[-MOST_RESULTS:]])
        needs_id = any(_has_no_id(one) for one in given)
        told = Told(
            self,
            Turn(given, turn.user_turn),
            prefix=self._prefix(*form.prefix(request)),
            began=_began(form.messages(request)) if needs_id else "",
        )
        if sum(len(one.content.text) + len(one.arguments or "") for one in given) > (
            MOST_KEPT
        ):
            _ = told.results
        return told

    def reply(self, text: str) -> Attributes:
        """What a reply's text tells."""
        if not text:
            return {}
        return {
            f"{FINGERPRINT}text_hash": self.hasher.hash(text),
            f"{FINGERPRINT}text_norm_hash": self.hasher.hash(normalised(text)),
        }

    def remember(self, calls: Sequence[Asked]) -> None:
        """Keep the arguments of tool calls that a reply asks for, as fingerprints: the
        request that hands over their results may not say them again."""
        for asked in calls:
            if asked.call_id and asked.call_id != asked.name:
                prints = self.hasher.arguments(asked.name, asked.arguments)
                self._asked[asked.call_id] = asked.name, prints
        while len(self._asked) > _MOST_CALLS:
            self._asked.popitem(last=False)

    def tool(
        self, name: str, arguments: Any, result: Any, *, is_error: bool
    ) -> Attributes:
        """What a tool's own span tells."""
        found = self.hasher.tool(name, arguments, result, is_error=is_error or None)
        fields = zip(STEP_FIELDS, found, strict=True)
        return {f"{FINGERPRINT}{field}": value for field, value in fields if value}

    def result(self, given: Given, place: str, *, began: str) -> Result:
        """The fingerprints of a result that was taken down. A call whose form has no
        ids has one by its place in the conversation, and what this began with, so that
        a request that is sent again has the same ids."""
        name, asked = self._asked.get(given.call_id, (given.name, NO_ARGUMENTS))
        if asked is NO_ARGUMENTS and given.arguments is not None:
            asked = self.hasher.arguments(name, given.arguments)
        result = self.hasher.ended(name, given.content)
        call_id = given.call_id
        if _has_no_id(given):
            call_id = self.hasher.hash(f"{place}{asked[0]}{result[0]}\0{began}")
        return Result(call_id, name, ToolPrint(*asked, *result))

    def _prefix(self, system: Any, tools: Any) -> Attributes:
        same = None
        for known in self._prefixes:
            if known.tools == tools:
                if known.system == system:
                    return known.attributes
                same = same or known
        try:
            kept = self._new_prefix(system, tools, same)
        except Exception:  # noqa: BLE001 (an SDK's object that cannot be copied)
            return self._told_prefix(_json(system), _json(tools))
        self._prefixes = [kept, *self._prefixes[: _MOST_PREFIXES - 1]]
        return kept.attributes

    def _new_prefix(self, system: Any, tools: Any, same: _Prefix | None) -> _Prefix:
        """`same` has the same tools: prompts that hold the time change at each call."""
        held, tools_json = (
            (same.tools, same.tools_json)
            if same
            else (copy.deepcopy(tools), _json(tools))
        )
        told = self._told_prefix(_json(system), tools_json)
        return _Prefix(copy.deepcopy(system), held, tools_json, told)

    def _told_prefix(self, system: str, tools: str) -> Attributes:
        return {
            f"{FINGERPRINT}prefix_hash": self.hasher.hash(f"{system}\0{tools}"),
            f"{FINGERPRINT}prefix_len": len(system) + len(tools),
            f"{FINGERPRINT}tools_hash": self.hasher.hash(tools) if tools else "",
            f"{FINGERPRINT}tools_len": len(tools),
        }


def _json(value: Any) -> str:
    """Keys keep their order here: it is part of what a provider caches by."""
    return json.dumps(value, ensure_ascii=False, default=plain) if value else ""


def _taken_down(given: Given) -> Given:
    """A result, and what asked for it, as texts that nobody can change any more."""
    arguments = given.arguments
    if arguments is not None and type(arguments) is not str:
        arguments = canonical_arguments(arguments)
    content = Output.of(given.content, is_error=given.is_error)
    return Given(given.call_id, given.name, content, given.is_error, arguments)


def _has_no_id(given: Given) -> bool:
    return given.call_id in ("", given.name)


def _began(messages: Sequence[Any]) -> str:
    """How long a conversation is, and the first words of it."""
    return f"{len(messages)}\0{opening(messages[0])[:200] if messages else ''}"


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
