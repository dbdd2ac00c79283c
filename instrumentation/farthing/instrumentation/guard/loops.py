"""Feeds the loop detector from the model calls of one run."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from farthing.economics.loops import Detector, Finding, Step
from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.fingerprints.teller import Result, opening
from farthing.instrumentation.forms import Form

_MOST_CONVERSATIONS: Final = 1_024
_OPENING: Final = 2_000


@dataclass(slots=True)
class LoopWatch:
    """The detector of one run, told of tool results and replies as calls bring them.

    Conversations of one run (sub-agents, parallel workers) are judged apart: `agent` is
    the conversation. Threads may share a watch.
    """

    _detector: Detector = field(default_factory=Detector)
    _conversations: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _ongoing: dict[tuple[str, int], Finding] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def forked(self) -> None:
        """This process is a forked child: who held the lock is in the parent."""
        self._lock = threading.Lock()

    def conversation(self, form: Form, request: Mapping[str, Any]) -> str:
        """What tells a conversation from others: how it began, or, where the provider
        keeps it, the response that it goes on from."""
        earlier = request.get("previous_response_id")
        known = self._conversations.get(earlier) if isinstance(earlier, str) else None
        if known is not None:
            return known
        messages = form.messages(request)
        return str(hash(tuple(opening(m)[:_OPENING] for m in messages[:2])))

    def asked(
        self, agent: str, results: Sequence[Result], *, user_turn: bool
    ) -> Finding | None:
        """The confirmed loop that a conversation is in as its next call is about to be
        sent, if it is in one. A suspected one is none."""
        steps = [_tool(agent, result) for result in results]
        if user_turn:
            steps.append(Step(kind="user", agent=agent))
        return self._step(agent, steps)

    def answered(
        self,
        agent: str,
        response_id: str,
        *,
        text_hash: str,
        text_norm_hash: str,
        usage: TokenBuckets | None,
    ) -> None:
        """A reply came in."""
        step = Step(
            kind="llm",
            agent=agent,
            call_id=response_id,
            text_hash=text_hash,
            text_norm_hash=text_norm_hash,
            input_tokens=usage.total_input if usage else None,
            output_tokens=usage.total_output if usage else None,
        )
        self._step(agent, [step])
        if response_id:
            with self._lock:
                self._conversations[response_id] = agent
                if len(self._conversations) > _MOST_CONVERSATIONS:
                    self._conversations.popitem(last=False)

    def _step(self, agent: str, steps: Iterable[Step]) -> Finding | None:
        with self._lock:
            for step in steps:
                for finding in self._detector.step(step):
                    self._note(finding)
            return next((f for f in self._ongoing.values() if f.agent == agent), None)

    def _note(self, finding: Finding) -> None:
        """Keep the episodes that are loops for certain, while they last."""
        key = finding.agent, finding.episode
        is_loop = finding.kind == "loop" and finding.level == "confirmed"
        if finding.ongoing and is_loop:
            self._ongoing[key] = finding
        else:
            self._ongoing.pop(key, None)


def _tool(agent: str, result: Result) -> Step:
    told = result.print
    return Step(
        kind="tool",
        name=result.name,
        agent=agent,
        call_id=result.call_id,
        args_hash=told.args_hash,
        args_norm_hash=told.args_norm_hash,
        args_len=_number(told.args_len),
        args_simhash=told.args_simhash,
        result_hash=told.result_hash,
        result_norm_hash=told.result_norm_hash,
        result_shape_hash=told.result_shape_hash,
        result_len=_number(told.result_len),
        result_simhash=told.result_simhash,
        empty=told.empty == "true",
        error=told.error == "true",
        err_sig_hash=told.err_sig_hash,
        retryable=told.retryable == "true",
    )


def _number(text: str) -> int | None:
    return int(text) if text else None
