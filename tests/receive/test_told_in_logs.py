"""Model calls that are told in logs."""

from __future__ import annotations

import json

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from farthing.collector.receive.otlp import LOGS
from farthing.collector.receive.told_in_logs import SPAN_NAME
from tests.claude_code_logs import API_REQUEST, END_NS, INTERACTION, logs
from tests.receive.running import TRACES_JSON, TRACES_PROTOBUF, Running
from tests.receive.test_otlp_grpc import call


def test_each_transport_keeps_the_calls_alone(receiver: Running) -> None:
    """Claude Code's api_request is stored as a span, whatever it came by, and always
    the same one; other records of the request are not."""
    body = logs(API_REQUEST)
    assert receiver.request("POST", "/v1/logs", body, TRACES_PROTOBUF).status == 200
    in_json = _json(body)
    assert receiver.request("POST", "/v1/logs", in_json, TRACES_JSON).status == 200
    assert call(receiver, body, method=LOGS.grpc_method) == b""
    first, *others = receiver.spool.requests
    assert others == [first, first]
    [resource] = ExportTraceServiceRequest.FromString(first).resource_spans
    [span] = resource.scope_spans[0].spans
    assert span.name == SPAN_NAME
    assert span.parent_span_id == INTERACTION.to_bytes(8)
    assert (span.end_time_unix_nano, span.start_time_unix_nano) == (
        END_NS,
        END_NS - 10**9,
    )
    assert b"secret" not in first


def test_logs_of_no_calls_are_ignored(receiver: Running) -> None:
    """A request of Claude Code's without a call leaves nothing to store; one that is
    cut off is refused."""
    assert receiver.request("POST", "/v1/logs", logs(), TRACES_PROTOBUF).status == 200
    cut = receiver.request("POST", "/v1/logs", logs()[:-1], TRACES_PROTOBUF)
    assert cut.status == 400
    assert not receiver.spool.requests


def _json(body: bytes) -> bytes:
    """OTLP's JSON: ids in hex."""
    document = MessageToDict(ExportLogsServiceRequest.FromString(body))
    for record in document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
        record["traceId"] = (70).to_bytes(16).hex()
        record["spanId"] = INTERACTION.to_bytes(8).hex()
    return json.dumps(document).encode()
