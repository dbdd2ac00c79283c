"""An agent on the real SDKs that says, case by case, what an observer heard.

    PROVIDERS=http://127.0.0.1:8900 python listened.py

Prints a JSON object: case -> how many calls were heard before, and how many after that
was told, and of how many the answer was whole.
"""
# mypy: ignore-errors

import asyncio
import contextvars
import gc
import json
import os
import sys
import threading

import anthropic
import httpx2
import openai

from farthing.instrumentation.calls import anthropic as our_anthropic
from farthing.instrumentation.calls import openai as our_openai
from farthing.instrumentation.watching.dropped import end_dropped

URL = os.environ["PROVIDERS"]
CASES = {}


class Listener:
    before_calls = after_calls = whole = 0

    def before(self, _call):
        self.before_calls += 1

    def after(self, _call, ended):
        self.after_calls += 1
        self.whole += ended.is_complete


def case(function):
    CASES[function.__name__] = function
    return function


def chat(client, **more):
    words = [{"role": "user", "content": "hello"}]
    return client.chat.completions.create(model="gpt-5", messages=words, **more)


def message(client, **more):
    words = [{"role": "user", "content": "hello"}]
    return client.messages.create(
        model="claude-sonnet-4-5", max_tokens=100, messages=words, **more
    )


def client(**more):
    return openai.OpenAI(base_url=f"{URL}/v1", api_key="k", **more)


def async_client(**more):
    return openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key="k", **more)


@case
def read_to_the_end():
    list(chat(client(), stream=True))


@case
def never_read():
    chat(client(), stream=True)


@case
def left_after_one():
    next(iter(chat(client(), stream=True)))


@case
def in_a_cycle():
    stream = chat(client(), stream=True)
    stream.itself = stream


@case
def raw_never_parsed():
    words = [{"role": "user", "content": "hello"}]
    client().chat.completions.with_raw_response.create(
        model="gpt-5", messages=words, stream=True
    )


@case
def raw_parsed_and_read():
    raw = client().chat.completions.with_raw_response.create(
        model="gpt-5", messages=[{"role": "user", "content": "hello"}], stream=True
    )
    stream = raw.parse()
    del raw
    gc.collect()
    list(stream)


@case
def of_anthropic_never_read():
    message(anthropic.Anthropic(base_url=URL, api_key="k"), stream=True)


@case
async def async_never_read():
    await chat(async_client(), stream=True)


@case
async def async_left_after_one():
    async for _ in await chat(async_client(), stream=True):
        break


@case
async def async_of_anthropic_never_read():
    await message(anthropic.AsyncAnthropic(base_url=URL, api_key="k"), stream=True)


@case
async def a_task_started_while_sending():
    started = []

    async def start(_request):
        started.append(asyncio.create_task(chat(async_client())))

    hooked = httpx2.AsyncClient(event_hooks={"request": [start]})
    await chat(async_client(http_client=hooked))
    await asyncio.gather(*started)


@case
def a_thread_started_while_sending():
    def start(_request):
        work = contextvars.copy_context().run
        thread = threading.Thread(target=work, args=(chat, client()))
        thread.start()
        thread.join()

    chat(client(http_client=httpx2.Client(event_hooks={"request": [start]})))


def main():
    listener = Listener()
    our_openai.install([listener])
    our_anthropic.install([listener])
    heard = {}
    for name, function in CASES.items():
        made = function()
        if made is not None:
            asyncio.run(made)
        gc.collect()
        end_dropped()
        heard[name] = listener.before_calls, listener.after_calls, listener.whole
        listener.before_calls = listener.after_calls = listener.whole = 0
    json.dump(heard, sys.stdout)


main()
