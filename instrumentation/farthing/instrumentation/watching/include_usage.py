"""Usage of streamed chat completions: asked for, and kept from the application.

OpenAI's API tells the usage of a streamed chat only where its option `include_usage` is
set, in a last chunk without choices, which would surprise an application that did not
ask for it. The chunk is seen by what watches the call, and is then hidden.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import wrapt

from farthing.instrumentation.calls import CallSettings
from farthing.instrumentation.watching.quietly import say_once
from farthing.instrumentation.watching.wrap import wrap

if TYPE_CHECKING:
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy

OFF: Final = "off"
_RAW: Final = "X-Stainless-Raw-Response"


class Hosts:
    """Which hosts the option is sent to: none where it is switched off."""

    def __init__(self, settings: CallSettings) -> None:
        words = (word.strip().lower() for word in settings.include_usage.split(","))
        more = tuple(word for word in words if word)
        self._patterns = () if OFF in more else (*known_hosts(), *more)

    def take(self, host: str) -> bool:
        """Whether a host takes the option, as far as is known."""
        return any(fnmatch(host.lower(), pattern) for pattern in self._patterns)


def install(settings: CallSettings) -> None:
    """Wrap `create` of chat completions."""
    hosts = Hosts(settings)
    chat = "chat.completions"
    wrap("openai.resources", f"{chat}.Completions.create", _create(hosts))
    wrap("openai.resources", f"{chat}.AsyncCompletions.create", _create_async(hosts))


@cache
def known_hosts() -> tuple[str, ...]:
    """Patterns of hosts that are known to take the option, or to ignore it."""
    data = files(__package__).joinpath("include_usage_hosts.txt").read_text("utf-8")
    lines = (line.partition("#")[0].strip() for line in data.splitlines())
    return tuple(line for line in lines if line)


def asked(options: Any, host: str, hosts: Hosts) -> dict[str, Any] | None:
    """The stream's options with the usage asked for; None where they stay as they are:
    the application says itself whether it wants it, or the host may not know it."""
    if not isinstance(options or {}, dict) or "include_usage" in (options or {}):
        return None
    return {**(options or {}), "include_usage": True} if hosts.take(host) else None


def _create(hosts: Hosts) -> Any:
    def create(wrapped: Any, completions: Any, args: Any, kwargs: Any) -> Any:
        is_streamed = kwargs.get("stream") is True
        if not (is_streamed and _is_asked(completions, kwargs, hosts)):
            return wrapped(*args, **kwargs)
        return _hidden(wrapped(*args, **kwargs))

    return create


def _create_async(hosts: Hosts) -> Any:
    async def create(wrapped: Any, completions: Any, args: Any, kwargs: Any) -> Any:
        is_streamed = kwargs.get("stream") is True
        if not (is_streamed and _is_asked(completions, kwargs, hosts)):
            return await wrapped(*args, **kwargs)
        return _hidden(await wrapped(*args, **kwargs))

    return create


def _is_asked(completions: Any, kwargs: dict[str, Any], hosts: Hosts) -> bool:
    """Ask for a stream's usage, where that is safe; whether it was."""
    try:
        headers = kwargs.get("extra_headers") or {}
        if headers.get(_RAW) == "stream":
            return False
        host = completions._client.base_url.host  # noqa: SLF001
        options = asked(kwargs.get("stream_options"), host, hosts)
        if options is None:
            return False
        kwargs["stream_options"] = options
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(_is_asked, error)
        return False
    return True


def _hidden(answer: Any) -> Any:
    """The stream without its tail; of a raw response, the one that it parses into."""
    try:
        if hasattr(answer, "parse") and hasattr(answer, "http_response"):
            return _Raw(answer)
        is_async = hasattr(type(answer), "__aiter__")
        return TailHiddenAsync(answer) if is_async else TailHidden(answer)
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(_hidden, error)
        return answer


def _is(test: Callable[[Any], bool], chunk: Any) -> bool:
    try:
        return test(chunk)
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(test, error)
        return False


def is_tail(chunk: Any) -> bool:
    """Whether a chunk is there for the usage alone."""
    return getattr(chunk, "choices", None) == [] and bool(getattr(chunk, "usage", None))


def _is_last(chunk: Any) -> bool:
    """Whether a choice ends here: an application may stop reading now."""
    choices = getattr(chunk, "choices", None) or ()
    return any(getattr(choice, "finish_reason", None) for choice in choices)


class _Read:
    """What was read ahead of the application: chunks, then perhaps an error."""

    def __init__(self) -> None:
        self.chunks: deque[Any] = deque()
        self.error: Exception | None = None

    def __bool__(self) -> bool:
        return bool(self.chunks) or self.error is not None

    def next(self) -> Any:
        if self.chunks:
            return self.chunks.popleft()
        error, self.error = self.error, None
        assert error is not None
        raise error


class TailHidden(_Proxy):
    """A stream of which the application does not see the tail.

    After a chunk that ends a choice one more is read at once: where the application
    stops there, as it may, the usage was seen all the same.
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._self_read = _Read()

    def __iter__(self) -> Any:
        return self

    def __enter__(self) -> Any:
        self.__wrapped__.__enter__()
        return self

    def __next__(self) -> Any:
        if self._self_read:
            return self._self_read.next()
        chunk = self._seen()
        if _is(_is_last, chunk):
            try:
                self._self_read.chunks.append(self._seen())
            except Exception as error:  # noqa: BLE001 - raised when it is its turn
                self._self_read.error = error
        return chunk

    def _seen(self) -> Any:
        chunk = next(self.__wrapped__)
        return next(self.__wrapped__) if _is(is_tail, chunk) else chunk


class TailHiddenAsync(_Proxy):
    """The same for a stream that is read with `async for`."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._self_read = _Read()

    def __aiter__(self) -> Any:
        return self

    async def __aenter__(self) -> Any:
        await self.__wrapped__.__aenter__()
        return self

    async def __anext__(self) -> Any:
        if self._self_read:
            return self._self_read.next()
        chunk = await self._seen()
        if _is(_is_last, chunk):
            try:
                self._self_read.chunks.append(await self._seen())
            except Exception as error:  # noqa: BLE001 - raised when it is its turn
                self._self_read.error = error
        return chunk

    async def _seen(self) -> Any:
        chunk = await anext(self.__wrapped__)
        return await anext(self.__wrapped__) if _is(is_tail, chunk) else chunk


class _Raw(_Proxy):
    """A raw response whose stream has no tail."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        return _hidden(self.__wrapped__.parse(*args, **kwargs))
