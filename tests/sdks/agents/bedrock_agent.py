"""Calls of Bedrock through boto3, as applications make them."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cases import PROVIDERS, case, prompt, run_all

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def made(**config: Any) -> Any:
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=PROVIDERS,
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(**config),
    )


client = made()


def asked(words: str = "") -> Any:
    content = [{"text": prompt(words)}]
    return {"modelId": MODEL, "messages": [{"role": "user", "content": content}]}


def body(words: str = "") -> str:
    return json.dumps(
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": prompt(words)}],
        }
    )


@case
def plain() -> Any:
    return client.converse(**asked())["output"]["message"]["content"]


@case
def streamed() -> Any:
    return [next(iter(e)) for e in client.converse_stream(**asked())["stream"]]


@case
def tools() -> Any:
    spec = {"name": "get_weather", "inputSchema": {"json": {"type": "object"}}}
    config: Any = {"tools": [{"toolSpec": spec}]}
    request = asked("#tools")
    answer = client.converse(**request, toolConfig=config)["output"]["message"]
    used = answer["content"][0]["toolUse"]
    result = {"toolUseId": used["toolUseId"], "content": [{"text": "rain"}]}
    request["messages"] += [
        answer,
        {"role": "user", "content": [{"toolResult": result}]},
    ]
    return client.converse(**request, toolConfig=config)["output"]["message"]["content"]


@case
def invoked() -> Any:
    return json.loads(client.invoke_model(modelId=MODEL, body=body())["body"].read())[
        "content"
    ]


@case
def invoked_streamed() -> Any:
    answer = client.invoke_model_with_response_stream(modelId=MODEL, body=body())
    return [json.loads(event["chunk"]["bytes"])["type"] for event in answer["body"]]


@case
def retried_429() -> Any:
    return client.converse(**asked("#fail=429"))["output"]["message"]["content"]


@case
def retried_timeout() -> Any:
    patient = made(read_timeout=0.5)
    answer = patient.converse(**asked("#slow-once=1"))
    return answer["output"]["message"]["content"]


@case
def refused() -> Any:
    with contextlib.suppress(ClientError):
        made(retries={"max_attempts": 0}).converse(**asked("#refuse=429"))
    return "refused"


@case
def left_early() -> Any:
    stream = client.converse_stream(**asked("#words=400 #pace=0.01"))["stream"]
    for _ in stream:
        break
    stream.close()
    return "left"


@case
def invoked_left_early() -> Any:
    answer = client.invoke_model_with_response_stream(
        modelId=MODEL, body=body("#words=400 #pace=0.01")
    )
    for _ in answer["body"]:
        break
    answer["body"].close()
    return "left"


@case
def error_in_stream() -> Any:
    with contextlib.suppress(Exception):
        for _ in client.converse_stream(**asked("#error=1"))["stream"]:
            pass
    return "failed"


if __name__ == "__main__":
    run_all()
