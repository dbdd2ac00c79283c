"""An agent of many workers on OpenAI's SDK, as its author would write it.

    python real_agent.py WORKERS CALLS [tool]

Nothing in it knows of Farthing. Prints how each worker ended. With `tool`, a worker
hands its tool's failing result back.
"""
# mypy: ignore-errors

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import openai

client = openai.OpenAI(api_key="k", base_url=os.environ["PROVIDERS"] + "/v1")
WORKERS, CALLS = int(sys.argv[1]), int(sys.argv[2])
HAS_TOOL = sys.argv[3:] == ["tool"]
BOUND = {} if os.environ.get("UNBOUNDED") else {"max_completion_tokens": 600}
FUNCTION = {"name": "search", "parameters": {"type": "object", "properties": {}}}


def ask(worker: int, turn: int) -> list[dict]:
    """The conversation of a turn: long enough for what the stand-in bills."""
    words = f"worker {worker} goes on with the report about autumn. " * 120
    if not BOUND and not turn:
        words += "#slow=0.5"  # so that all workers' first calls are under way at once
    messages: list[dict] = [{"role": "user", "content": words}]
    if HAS_TOOL and turn:
        call = {"name": "search", "arguments": json.dumps({"page": turn})}
        ids = {"id": f"call_{worker}_{turn}", "type": "function", "function": call}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [ids]},
            {"role": "tool", "tool_call_id": ids["id"], "content": "Error: no page"},
        ]
    return messages


def work(worker: int) -> str:
    for turn in range(CALLS):
        try:
            client.chat.completions.create(
                model="gpt-4.1",
                messages=ask(worker, turn),
                **BOUND,
                tools=[{"type": "function", "function": FUNCTION}],
            )
        except Exception as error:  # noqa: BLE001 - this is what it prints
            return f"{type(error).__name__}: {error}"
    return "done"


with ThreadPoolExecutor(WORKERS) as pool:
    ends = list(pool.map(work, range(WORKERS)))
    sys.stdout.write(json.dumps(ends))
