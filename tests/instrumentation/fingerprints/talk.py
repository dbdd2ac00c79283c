"""An agent that talks to OpenAI and Anthropic in each way, with words to look for.

Every text that could be content has SECRET in it.
"""
# mypy: ignore-errors

import asyncio
import os

import anthropic
import openai

URL = os.environ["PROVIDERS"]
SECRET = os.environ["SECRET"]
QUESTION = f"what does {SECRET} say of the weather? #tools"
SYSTEM = f"you are {SECRET}, a weatherman"
RESULT = f"Error: {SECRET} is unknown"
PARAMETERS = {"type": "object", "properties": {SECRET: {"type": "string"}}}

client = openai.OpenAI(api_key="k", base_url=f"{URL}/v1")


def chat() -> None:
    """A call that asks for a tool, and the one that is handed its result."""
    function = {"name": "get_weather", "description": SECRET, "parameters": PARAMETERS}
    tools = [{"type": "function", "function": function}]
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": QUESTION},
    ]
    made = {"model": "gpt-4.1", "tools": tools}
    answer = client.chat.completions.create(messages=messages, **made)
    message = answer.choices[0].message
    messages.append(message.model_dump(exclude_none=True))
    call_id = message.tool_calls[0].id
    messages.append({"role": "tool", "tool_call_id": call_id, "content": RESULT})
    for _ in client.chat.completions.create(messages=messages, stream=True, **made):
        pass


def responses() -> None:
    """The same, where the provider keeps the conversation."""
    tools = [{"type": "function", "name": "get_weather", "parameters": PARAMETERS}]
    made = {"model": "gpt-4.1", "tools": tools, "instructions": SYSTEM}
    first = client.responses.create(input=QUESTION, **made)
    [call] = [item for item in first.output if item.type == "function_call"]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": RESULT}
    client.responses.create(input=[output], previous_response_id=first.id, **made)


async def messages() -> None:
    """The same, at Anthropic, and not waiting for it."""
    asking = anthropic.AsyncAnthropic(api_key="k", base_url=URL)
    tool = {"name": "get_weather", "input_schema": PARAMETERS}
    asked = {"type": "tool_use", "id": "toolu_1", "name": "get_weather",
             "input": {"city": SECRET}}  # fmt: skip
    given = {"type": "tool_result", "tool_use_id": "toolu_1", "content": RESULT,
             "is_error": True}  # fmt: skip
    await asking.messages.create(
        model="claude-opus-4-1",
        max_tokens=100,
        system=SYSTEM,
        tools=[tool],
        messages=[
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": [asked]},
            {"role": "user", "content": [given]},
        ],
    )


chat()
responses()
asyncio.run(messages())
