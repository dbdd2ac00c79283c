"""What a request asks of the stand-in: words in its prompt, behind a `#`.

#tools        call the first tool that is offered, unless a result was handed back
#search       run two web searches and a fetch on the provider's side
#text         bill no tokens of audio (OpenAI's chat completions bill some otherwise)
#words=N      answer in N words (3)
#fail=STATUS  refuse the first attempt of this request with STATUS, then answer
#refuse=STATUS   refuse every attempt
#slow=S       answer after S seconds; `#slow-once=S` only the first attempt
#cut=N        break the connection after N words of a stream
#error=N      tell of an error inside the stream after N words
#pace=S       wait S seconds before each word of a stream
#case=NAME    what the bill calls this request
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

_WORD: Final = re.compile(
    r"#(tools|search|text|words|fail|refuse|slow-once|slow|cut|error|pace|case)\b"
    r"(?:=([\w.-]+))?"
)
RESULTS: Final = ('"tool_result"', '"role": "tool"', '"functionResponse"')
RESULTS_TOO: Final = ('"toolResult"', '"function_call_output"', '"function_response"')


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its body, a digest that its retries share, and how to answer it."""

    body: dict[str, Any]
    text: str
    digest: str
    words: dict[str, str]
    has_result: bool

    def number(self, word: str, default: float = 0) -> float:
        """The value of a word of the prompt."""
        return float(self.words.get(word) or default)

    @property
    def wants_tool(self) -> bool:
        return "tools" in self.words and not self.has_result

    @property
    def answer(self) -> list[str]:
        """The words of the answer, each with the space before it."""
        count = int(self.number("words", 3))
        return [f" word{n}" if n else "word0" for n in range(count)]


def asked(raw: bytes) -> Asked:
    """Read a request. A body that is no JSON object raises ValueError."""
    body = json.loads(raw or b"{}")
    if not isinstance(body, dict):
        raise ValueError("a JSON object is expected")
    text = json.dumps(body)
    return Asked(
        body=body,
        text=text,
        digest=hashlib.sha256(raw).hexdigest(),
        words=dict(_WORD.findall(text)),
        has_result=any(mark in text for mark in (*RESULTS, *RESULTS_TOO)),
    )
