"""Agents of a team, as their author would write them: threads on OpenAI's SDK.

    python team_agent.py AGENTS CALLS

Nothing in it knows of Farthing. It says when it is ready, begins when a line is on its
standard input, and prints how each agent ended and how many calls it made.
"""
# mypy: ignore-errors

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import openai

client = openai.OpenAI(api_key="k", base_url=os.environ["PROVIDERS"] + "/v1")
WORD = os.environ.get("WORD", "")
BOUND = {} if os.environ.get("UNBOUNDED") else {"max_completion_tokens": 300}
AGENTS, CALLS = int(sys.argv[1]), int(sys.argv[2])
WORDS = "go on with the report about autumn and what came of it. #text " * 110


def work(agent: int) -> tuple[str, int]:
    for made in range(CALLS):
        try:
            client.chat.completions.create(
                model="gpt-4.1",
                messages=[
                    {"role": "user", "content": f"agent {agent}: {WORDS} {WORD}"}
                ],
                **BOUND,
            )
        except Exception as error:  # noqa: BLE001 - this is what it prints
            return f"{type(error).__name__}: {error}", made
    return "done", CALLS


sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
with ThreadPoolExecutor(AGENTS) as pool:
    sys.stdout.write(json.dumps(list(pool.map(work, range(AGENTS)))))
