"""What an agent would do in this environment: what is tagged, seen and sent."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Final

from opentelemetry.util._importlib_metadata import entry_points

from farthing.cli.checks import Finding, Findings, ok, problem, warning
from farthing.economics.prices import load_catalogue
from farthing.economics.prices.userjson import load_user_json
from farthing.errors import ConfigError
from farthing.instrumentation import settings
from farthing.instrumentation.diagnosis import Coverage, coverage
from farthing.instrumentation.guard.settings import read_settings
from farthing.instrumentation.observing import PRICES_VARIABLE
from farthing.instrumentation.settings import Exporting

_ALL_ARE_SEEN: Final = frozenset({"always_on", "parentbased_always_on"})
_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_CONTENT_MODES: Final = ("no_content", "span_only", "event_only", "span_and_event")
_ANSWER_S: Final = 5
_PATH: Final = "/v1/traces"
_INSTALL_GRPC: Final = (
    "`pip install opentelemetry-exporter-otlp-proto-grpc`, or unset"
    " OTEL_EXPORTER_OTLP_PROTOCOL"
)
_HTTP_2: Final = "\0"  # frames begin with it, as no line of HTTP/1 can
_MEANINGS: Final[Mapping[int, str]] = {
    401: "set its token: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20…",
    403: "set its token: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20…",
    404: "that is no OTLP endpoint: check OTEL_EXPORTER_OTLP_ENDPOINT",
}


def findings() -> Findings:
    """All checks, in the order in which they are shown."""
    environ = settings.environment()
    yield from _switches(environ)
    yield from _tags(environ)
    yield from _names(environ)
    yield from _guard(environ)
    yield from _distro(environ)
    yield from _sending(settings.exporting())
    yield from _libraries()


def _switches(environ: Mapping[str, str]) -> Findings:
    if settings.read(environ).is_disabled:
        says = "OTEL_SDK_DISABLED is set: nothing is instrumented"
        yield problem("OpenTelemetry", says, "unset it")
    mode = environ.get(_CONTENT, "").strip().lower()
    if mode and mode not in _CONTENT_MODES:
        says = f"{_CONTENT} is {mode!r}, which captures nothing"
        yield warning(
            "content", says, f"unset it, or one of {', '.join(_CONTENT_MODES)}"
        )
    elif mode not in ("", "no_content"):
        says = f"{_CONTENT} is {mode}: prompts and answers leave the process"
        yield warning("content", says, "unset it; the ledger keeps no content")


def _tags(environ: Mapping[str, str]) -> Findings:
    for variable in settings.VARIABLES:
        text = environ.get(variable.name, "").strip()
        if text and not variable.accepts(text):
            says = f"{variable.name} is ignored: it must be {variable.allowed}"
            yield problem("environment", says, "correct it")
        elif text:
            yield ok("environment", f"{variable.name} is {text}")
    if not settings.read(environ).tags:
        says = "no FARTHING_TASK_TYPE: calls are told apart only by what the code says"
        yield warning("environment", says, "FARTHING_TASK_TYPE=code-review")


def _names(environ: Mapping[str, str]) -> Findings:
    for name, meant in settings.misspelt(environ).items():
        yield warning("environment", f"{name} means nothing", f"is it {meant}?")


def _guard(environ: Mapping[str, str]) -> Findings:
    try:
        is_on = read_settings(environ).is_on
    except ConfigError as error:
        says = f"off, because its settings are wrong: {error}"
        yield problem("guard", says, "correct them")
    else:
        wrong = _guard_prices(environ.get(PRICES_VARIABLE, "")) if is_on else ""
        if wrong:
            says = f"on, but it does not use your prices: {wrong}"
            yield problem(
                "guard", says, f"give {PRICES_VARIABLE} a JSON file that reads"
            )
        else:
            yield ok("guard", "on" if is_on else "off: no limit is set")


def _guard_prices(file: str) -> str:
    """Why the guard cannot use this price file; empty if it can, or if none is set."""
    if not file:
        return ""
    if not file.endswith(".json"):
        return f"it reads JSON only, not {file}"
    try:
        load_user_json(Path(file), load_catalogue())
    except ConfigError as error:
        return " ".join(str(error).split())
    return ""


def _distro(environ: Mapping[str, str]) -> Findings:
    chosen = environ.get(settings.DISTRO, "")
    others = {point.name for point in entry_points(group="opentelemetry_distro")}
    others -= {"farthing", "distro"}
    if chosen not in ("", "farthing"):
        says = f"{settings.DISTRO} is {chosen}: libraries are instrumented by that one"
        yield warning("distro", says, f"{settings.DISTRO}=farthing")
    elif others and not chosen:
        says = f"{', '.join(sorted(others))} may be used instead of ours"
        yield warning("distro", says, f"{settings.DISTRO}=farthing")
    else:
        yield ok("distro", "farthing")


def _sending(found: Exporting) -> Findings:
    if found.sampler not in _ALL_ARE_SEEN:
        says = f"OTEL_TRACES_SAMPLER is {found.sampler}: calls may be missing"
        yield warning("sampler", says, "unset it, or the costs are a part of them")
    if "otlp" not in found.exporter:
        says = f"OTEL_TRACES_EXPORTER is {found.exporter}: no span is sent"
        yield problem("exporter", says, "unset it")
    elif found.protocol == "grpc" and not _has_exporter("otlp_proto_grpc"):
        says = "spans are to be sent by grpc, but its exporter is not installed: no"
        yield problem("exporter", f"{says} span is sent", _INSTALL_GRPC)
    elif found.protocol != "http/protobuf":
        says = f"spans are sent by {found.protocol}, which is not tried here"
        yield warning("exporter", says, "unset OTEL_EXPORTER_OTLP_PROTOCOL")
    else:
        yield _answer(found)


def _has_exporter(name: str) -> bool:
    return bool(entry_points(group="opentelemetry_traces_exporter", name=name))


def _answer(found: Exporting) -> Finding:
    """Send a request without spans, as the exporter would."""
    if not found.url.startswith(("http://", "https://")):
        says = f"{found.url} names no scheme: nothing can be sent"
        return problem("endpoint", says, "write http:// before it")
    headers = {**found.headers, "content-type": "application/x-protobuf"}
    try:
        request = urllib.request.Request(  # noqa: S310 - the user's own endpoint
            found.url, data=b"", headers=headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310
            return _took(found, answer.headers.get("content-type", ""))
    except urllib.error.HTTPError as error:
        meaning = _MEANINGS.get(error.code, "see its log")
        if error.code == HTTPStatus.NOT_FOUND and found.url.endswith(2 * _PATH):
            meaning = f"leave {_PATH} away from OTEL_EXPORTER_OTLP_ENDPOINT"
        return problem("endpoint", f"{found.url} answers {error.code}", meaning)
    except (OSError, HTTPException, ValueError) as error:
        return _no_answer(found, error)


def _took(found: Exporting, content_type: str) -> Finding:
    """What answered may be a website, whose page the exporter takes for a success."""
    if not content_type.startswith("text/html"):
        return ok("endpoint", f"{found.url} takes spans")
    says = f"{found.url} answers with a web page: no collector is there"
    todo = "set OTEL_EXPORTER_OTLP_ENDPOINT to the collector's address"
    return problem("endpoint", says, todo)


def _no_answer(found: Exporting, error: Exception) -> Finding:
    if _HTTP_2 in str(error):
        says = f"{found.url} speaks gRPC, not HTTP"
        return problem("endpoint", says, "use :4318, the port of OTLP over HTTP")
    reason = getattr(error, "reason", error) or type(error).__name__
    return problem(
        "endpoint",
        f"{found.url} does not answer ({reason})",
        "`farthing up`, or set OTEL_EXPORTER_OTLP_ENDPOINT",
    )


def _libraries() -> Findings:
    found = list(coverage(settings.read().disabled))
    yield from map(_library, found)
    if not found:
        says = "no library that makes model calls is installed here"
        yield warning("libraries", says, "run this in the agent's own environment")


def _library(found: Coverage) -> Finding:
    by = f"by {', then '.join(found.by)}" if found.by else "not instrumented"
    says = f"{found.version}: {by}"
    if found.reason:
        says = f"{says}; {found.reason}"
    if found.by and not found.do:
        return ok(found.library, says)
    return warning(found.library, says, found.do)
