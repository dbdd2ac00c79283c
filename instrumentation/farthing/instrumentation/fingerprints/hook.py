"""Tells of model calls and tools that the official GenAI packages see.

The packages load `FingerprintHook` by its entry point: the group
`opentelemetry_genai_completion_hook`, the name `farthing`. It is called with the
messages while the span still records; whatever it raises they swallow and log.
"""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.trace import Span, get_current_span

from farthing.instrumentation import settings
from farthing.instrumentation.fingerprints.teller import Teller
from farthing.instrumentation.forms.turn import (
    Asked,
    Form,
    Given,
    Piece,
    Reply,
    Spoken,
    get,
    listed,
)
from farthing.instrumentation.watching.later import is_conversing, place_of
from farthing.semconv import FINGERPRINT

_logger = logging.getLogger(__name__)


class FingerprintHook:
    """A `CompletionHook` that says fingerprints of the content it is handed."""

    def __init__(self, teller: Teller | None = None) -> None:
        self._teller = teller

    def on_completion(
        self,
        *,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        system_instruction: Sequence[Any],
        tool_definitions: Sequence[Any] | None = None,
        span: Span | None = None,
        log_record: Any = None,
    ) -> None:
        """Say what the messages tell, unless the SDK's own wrapper has said it."""
        del log_record  # the span has it all
        target = span or get_current_span()
        if not target.is_recording() or not is_conversing(target):
            return
        teller = self._teller or shared_teller()
        said: Mapping[str, Any] = getattr(target, "attributes", None) or {}
        made = place_of(target)
        if inputs and not (made is not None and made.is_told):
            request = {
                "messages": inputs,
                "system": system_instruction,
                "tools": tool_definitions,
            }
            target.set_attributes(teller.request(FORM, request).attributes)
        if outputs and f"{FINGERPRINT}text_hash" not in said:
            reply = _reply(outputs)
            teller.remember(reply.asked)
            target.set_attributes(teller.reply(reply.text))


_installed: list[Teller] = []


def install_teller(teller: Teller) -> None:
    """The teller of hooks that the packages make themselves."""
    _installed[:] = [teller]


def shared_teller() -> Teller:
    """The installed teller; where none is, one under the environment's key."""
    if not _installed:
        from farthing.instrumentation.fingerprints.hashes import Hasher
        from farthing.instrumentation.fingerprints.key import KEY_VARIABLE, load_key

        key = load_key(settings.environment().get(KEY_VARIABLE, ""))
        install_teller(Teller(Hasher(key)))
    return _installed[0]


def hook_of_the_process() -> FingerprintHook:
    """A hook for a package that is about to be instrumented; tools' spans tell too."""
    tell_of_tools()
    return FingerprintHook()


def tell_of_tools() -> bool:
    """Make the tool spans of the official packages tell their fingerprints.

    No hook is called for tools, but all frameworks' packages end their tool spans in
    one method, which this wraps. False where it is not there, or has changed.
    """
    try:
        module = importlib.import_module("opentelemetry.util.genai._tool_invocation")
        finish = module.ToolInvocation._apply_finish  # noqa: SLF001
    except (ImportError, AttributeError):
        return False
    if not hasattr(finish, "__wrapped__"):
        module.ToolInvocation._apply_finish = _telling(finish)  # noqa: SLF001
    return True


def _telling(finish: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(finish)
    def finish_and_tell(invocation: Any, error: Any = None) -> None:
        try:
            _tell_of_tool(invocation, is_error=error is not None)
        except Exception:
            _logger.debug("fingerprints of a tool failed", exc_info=True)
        finish(invocation, error)

    return finish_and_tell


def _tell_of_tool(invocation: Any, *, is_error: bool) -> None:
    result = invocation.tool_result
    if result is None or not invocation.span.is_recording():
        return
    name, arguments = invocation.name or "", invocation.arguments
    invocation.span.set_attributes(
        shared_teller().tool(name, arguments, result, is_error=is_error)
    )


def _pieces(message: Any) -> Iterable[Piece]:
    by_model = get(message, "role") == "assistant"
    for part in listed(get(message, "parts")):
        kind = get(part, "type")
        if kind == "tool_call":
            yield _asked(part)
        elif kind == "tool_call_response":
            yield Given(str(get(part, "id", "")), "", get(part, "response"))
        elif get(message, "role") in ("user", "assistant", "model"):
            yield Spoken(by_model=by_model or get(message, "role") == "model")


def _asked(part: Any) -> Asked:
    name = str(get(part, "name", ""))
    return Asked(str(get(part, "id", name)), name, get(part, "arguments"))


def _reply(outputs: Sequence[Any]) -> Reply:
    parts = [part for message in outputs for part in listed(get(message, "parts"))]
    texts = [get(part, "content") for part in parts if get(part, "type") == "text"]
    asked = [_asked(part) for part in parts if get(part, "type") == "tool_call"]
    return Reply("\n".join(texts), tuple(asked))


def _prefix(request: Mapping[str, Any]) -> tuple[Any, Any]:
    system = [request["system"]]
    for message in request["messages"]:
        if get(message, "role") not in ("system", "developer"):
            break
        system.append(get(message, "parts"))
    return [part for part in system if part], request["tools"]


FORM = Form(
    name="official",
    may_be_kept=True,
    messages=lambda request: listed(request["messages"]),
    pieces=_pieces,
    prefix=_prefix,
    max_output=lambda _request: None,
    append=lambda _request, _text: None,
    reply=lambda response: _reply(listed(response)),
)
