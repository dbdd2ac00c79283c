"""What all forms have in common: pieces of messages, and the newest turn of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

MOST_WALKED: Final = 2_000
"""Messages that are looked at from the end of a conversation, at most."""


class Asked(NamedTuple):
    """A tool call that the model asked for."""

    call_id: str
    name: str
    arguments: Any


class Given(NamedTuple):
    """A tool's result that the model is handed. `name` may be "" and `is_error` None
    where the form does not tell; `arguments` are None until the asking is found."""

    call_id: str
    name: str
    content: Any
    is_error: bool | None = None
    arguments: Any = None


class Spoken(NamedTuple):
    """Words: of the model, or of a person."""

    by_model: bool


Piece = Asked | Given | Spoken


class Reply(NamedTuple):
    """What the model answered."""

    text: str
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What a request holds that the model has not answered yet."""

    given: tuple[Given, ...] = ()
    user_turn: bool = False


def _nothing(_request: Mapping[str, Any]) -> Any:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One provider's form of a request, as functions of its keyword arguments."""

    name: str
    messages: Callable[[Mapping[str, Any]], Sequence[Any]]
    """The conversation, oldest first; empty where it cannot be read twice."""
    pieces: Callable[[Any], Iterable[Piece]]
    """What one of the messages holds."""
    prefix: Callable[[Mapping[str, Any]], tuple[Any, Any]]
    """System prompt and tool definitions, as they are in the request."""
    max_output: Callable[[Mapping[str, Any]], Any]
    """The most tokens that the answer may have, as the request says, or None."""
    append: Callable[[MutableMapping[str, Any], str], None]
    """Adds a message of the user's to the request."""
    reply: Callable[[Any], Reply]
    """Reads the SDK's response."""
    choices: Callable[[Mapping[str, Any]], Any] = field(default=_nothing)
    """How many answers are asked for, or None for one."""
    may_be_kept: bool = False
    """Whether the provider may keep the conversation: what asked for a tool is then not
    in the request that hands over its result."""
    bound: str = ""
    """The request's field that `max_output` reads, in words for people."""


def newest(form: Form, request: Mapping[str, Any]) -> Turn:
    """What came after the model's last message, tool results joined with what asked
    for them. Looks at the end of the conversation only, however long it is."""
    given: list[Given] = []
    asked: dict[str, Asked] = {}
    user_turn = False
    model_spoke = False
    messages = form.messages(request)
    for message in islice(reversed(messages), MOST_WALKED):
        results: list[Given] = []
        by_model = by_person = False
        for piece in form.pieces(message):
            if isinstance(piece, Given):
                results.append(piece)
            elif isinstance(piece, Asked):
                by_model = True
                asked[piece.call_id] = piece
            elif piece.by_model:
                by_model = True
            else:
                by_person = True
        if model_spoke and not by_model:
            break
        if by_model:
            model_spoke = True
            continue
        given[:0] = results
        user_turn = user_turn or by_person
    return Turn(tuple([_joined(result, asked) for result in given]), user_turn)


def _joined(result: Given, asked: Mapping[str, Asked]) -> Given:
    asking = asked.get(result.call_id)
    if asking is None:
        return result
    name = result.name or asking.name
    return Given(
        result.call_id, name, result.content, result.is_error, asking.arguments
    )


def get(value: Any, name: str, default: Any = None) -> Any:
    """A field of a mapping or of an SDK's object."""
    if type(value) is dict or isinstance(value, Mapping):
        found = value.get(name)
    else:
        found = getattr(value, name, None)
    return default if found is None else found


def listed(value: Any) -> Sequence[Any]:
    """A sequence that may be read twice, else nothing: what is an iterator is left to
    the SDK, which has to read it itself."""
    if type(value) is list:
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return value
    return ()


def number(value: Any) -> int | None:
    """A count in a request; SDKs use objects for "not given"."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return None


def text_parts(content: Any) -> str:
    """The text of a message's content: a text, or parts of which some have one."""
    if isinstance(content, str):
        return content
    texts = (get(part, "text") for part in listed(content))
    return "\n".join(text for text in texts if isinstance(text, str))
