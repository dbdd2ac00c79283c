"""A small agent, as anyone would write it: nothing in it knows of Farthing."""

from __future__ import annotations

from typing import Any

from openai import OpenAI

MODEL = "gpt-5"
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def main() -> None:
    """Ask for the weather, look it up, and have the answer streamed."""
    client = OpenAI()
    messages: list[Any] = [
        {"role": "user", "content": "Do I need a coat? #text #tools"}
    ]
    asked = client.chat.completions.create(
        model=MODEL, messages=messages, tools=[TOOL]
    ).choices[0]
    messages.append(asked.message)
    for call in asked.message.tool_calls or ():
        result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
        messages.append(result)
    for _ in client.chat.completions.create(
        model=MODEL, messages=messages, tools=[TOOL], stream=True
    ):
        pass


if __name__ == "__main__":
    main()
