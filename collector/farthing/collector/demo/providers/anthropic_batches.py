"""Anthropic's message batches: done at once, billed at half the price."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request

from farthing.collector.demo.providers.answer import Answer, Endpoint, Whole
from farthing.collector.demo.providers.anthropic_messages import (
    charged,
    message,
    refuse,
)
from farthing.collector.demo.providers.asked import Asked
from farthing.collector.demo.providers.bill import Bill

_TIME: Final = "2026-11-20T00:00:00Z"


def create(ask: Asked, bill: Bill, request: Request) -> Answer:
    """`POST /v1/messages/batches`."""
    batch_id = f"msgbatch_{bill.number():08d}"
    lines = [_line(given, ask, bill) for given in ask.body["requests"]]
    bill.stored[batch_id] = lines
    return Whole(_batch(batch_id, bill, request))


def retrieve(_ask: Asked, bill: Bill, request: Request) -> Answer:
    """`GET /v1/messages/batches/ID`."""
    return Whole(_batch(request.path_params["batch_id"], bill, request))


def results(_ask: Asked, bill: Bill, request: Request) -> Answer:
    """`GET /v1/messages/batches/ID/results`: a line of JSON per request."""
    lines = bill.stored[request.path_params["batch_id"]]
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return Whole(body, media_type="application/x-jsonl")


def _line(given: dict[str, Any], ask: Asked, bill: Bill) -> dict[str, Any]:
    asked = replace(ask, body=given["params"])
    item = charged(asked, bill)
    item.batch, item.tier = True, "batch"
    result = {"type": "succeeded", "message": message(asked, item)}
    return {"custom_id": given["custom_id"], "result": result}


def _batch(batch_id: str, bill: Bill, request: Request) -> dict[str, Any]:
    none = {"processing": 0, "errored": 0, "canceled": 0, "expired": 0}
    url = f"{request.url.scheme}://{request.url.netloc}/v1/messages/batches/{batch_id}"
    return {
        "id": batch_id,
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": {**none, "succeeded": len(bill.stored[batch_id])},
        "created_at": _TIME,
        "expires_at": _TIME,
        "ended_at": _TIME,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": f"{url}/results",
    }


_PATH: Final = "/v1/messages/batches"
ENDPOINTS: Final = (
    Endpoint(_PATH, create, refuse),
    Endpoint(f"{_PATH}/{{batch_id}}", retrieve, refuse, "GET"),
    Endpoint(f"{_PATH}/{{batch_id}}/results", results, refuse, "GET"),
)
