"""What is read of a chat completion's usage, as servers tell it."""

from __future__ import annotations

import pytest

from farthing import semconv
from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.calls.openai import read_chat
from farthing.instrumentation.watching.reading import Seen


@pytest.mark.parametrize(
    ("told", "total", "output"), [(900, 1210, 900), (900, 910, 600), (9, 319, 9)]
)
def test_reasoning_beside_the_output_is_billed_on_top(
    told: int, total: int, output: int
) -> None:
    """xAI's completion tokens leave the reasoning out, which its total shows; OpenAI's
    include it. The span says the total where it proves something."""
    seen = Seen()
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": told,
        "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": 300},
    }
    read_chat({"usage": usage}, seen)
    assert seen.usage == TokenBuckets(input=10, output=output, reasoning=300)
    assert (semconv.TOTAL_TOKENS in seen.attributes) == (output == told)
