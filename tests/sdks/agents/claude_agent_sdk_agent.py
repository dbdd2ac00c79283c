"""Claude Code, through its SDK: a program of its own, which sends its own spans."""

from __future__ import annotations

import os
from typing import Any

from cases import PROVIDERS, case, prompt, run_all
from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, query


@case
async def plain() -> Any:
    options = ClaudeAgentOptions(
        model="claude-sonnet-4-5",
        max_turns=1,
        allowed_tools=[],
        setting_sources=[],
        env={
            "ANTHROPIC_BASE_URL": PROVIDERS,
            "ANTHROPIC_API_KEY": "none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "HOME": os.environ["HOME"],
        },
    )
    async for message in query(prompt=prompt(), options=options):
        if isinstance(message, ResultMessage):
            return message.result
    return None


if __name__ == "__main__":
    run_all()
