"""One run of a task, played turn by turn."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from farthing.collector.demo import tell
from farthing.collector.demo.cast import Agent, Tool
from farthing.collector.demo.context import Context
from farthing.collector.demo.models import EMBEDDING
from farthing.collector.demo.tape import Part, Plan, Tape, Told
from farthing.collector.demo.tell import Attributes, ToolCall

_RATE_LIMITED: Final = 0.006
_TOOL_FAILS: Final = 0.03
_SAME_ARGUMENTS: Final = 0.06  # a test run again after an edit: a new result
_ASKS_HELPER: Final = 0.15
_CALLS_AT_ONCE: Final = (1, 1, 1, 1, 1, 1, 2, 2, 3)
_WAIT_FOR_PERSON_S: Final = (400, 1_500)
_SUMMARY_TOKENS: Final = (900, 1_600)


def play(plan: Plan, rng: random.Random) -> list[Told]:
    """All spans of the run, in the order in which they end."""
    tape = Tape(plan, rng)
    part = Part(
        agent=plan.task.agent,
        model=plan.model,
        turns=plan.turns,
        prompt_tokens=plan.prompt_tokens,
    )
    _act(tape, part, error="acme.agents.GaveUp" if plan.gives_up else "")
    if plan.task.outcome and not plan.gives_up and not plan.stuck:
        _achieve(tape, part, *plan.task.outcome)
    return tape.told


def _achieve(tape: Tape, part: Part, outcome: str, share: float) -> None:
    """Tell what the run achieved, if it did: by its id, whatever else is by chance."""
    chance = random.Random(f"{tape.plan.run_id} {outcome}")  # noqa: S311 - a story
    if chance.random() < share:
        tape.tell(
            part,
            tell.achieved(outcome),
            name=f"outcome {outcome}",
            start_ns=tape.now_ns,
            parent=tape.told[-1].span.span_id,
            span_id=chance.randbytes(8),
        )


def _act(tape: Tape, part: Part, *, error: str = "") -> None:
    """An agent at work: a span of its own around its turns."""
    own_id, start_ns = tape.id(), tape.now_ns
    context = Context(part.model, part.agent.instructions_tokens + part.prompt_tokens)
    if tape.plan.task.embeds and not part.parent:
        _embed(tape, part, own_id)
    for turn in range(part.turns):
        _turn(tape, replace(part, parent=own_id), context, turn)
    attributes: Attributes = {"gen_ai.operation.name": "invoke_agent"}
    if error:
        attributes.update(tell.failed(error))
    tape.tell(
        part,
        attributes,
        name=f"invoke_agent {part.agent.name}",
        start_ns=start_ns,
        parent=part.parent,
        span_id=own_id,
    )


def _turn(tape: Tape, part: Part, context: Context, turn: int) -> None:
    """Ask the model; unless that was the answer, do what it says."""
    plan, rng = tape.plan, tape.rng
    is_first_agent = part.agent is plan.task.agent
    is_last = turn == part.turns - 1
    if is_first_agent:
        tape.step = plan.task.steps[turn * len(plan.task.steps) // part.turns]
        if turn and rng.random() < plan.task.waits:
            tape.wait(rng.randint(*_WAIT_FOR_PERSON_S))
    if context.tokens > part.agent.compact_at_tokens:
        _compact(tape, part, context)
    _ask(tape, part, context, finish="stop" if is_last else "tool_calls")
    if is_last:
        return
    helper = plan.task.helper if is_first_agent and not _is_stuck(plan, turn) else None
    if helper is not None and rng.random() < _ASKS_HELPER:
        _ask_helper(tape, part, context, helper)
    else:
        _use_tools(tape, part, context, turn)


def _ask(tape: Tape, part: Part, context: Context, *, finish: str) -> None:
    """One model call, and before it, now and then, one that was refused."""
    model, rng = part.model, tape.rng
    tape.wait(rng.uniform(0.005, 0.06))
    if rng.random() < _RATE_LIMITED:
        _be_refused(tape, part)
    start_ns = tape.now_ns
    context.let_cache_cool(tape.now_s)
    tokens = context.ask(
        visible=rng.randint(*part.agent.output_tokens),
        reasoning=rng.randint(*model.reasoning_tokens),
        rng=rng,
    )
    uncached = tokens.input - tokens.cache_read
    first_chunk_s = rng.uniform(0.25, 0.7) + uncached / 30_000
    tape.wait(first_chunk_s + tokens.output / model.tokens_per_s)
    begun = tape.plan.run_id if part.agent.dated else ""
    attributes = tell.asked(model) | tell.prefix(part.agent, begun)
    if part.agent.streams:
        attributes.update(tell.streamed(first_chunk_s))
    response_id = rng.randbytes(12).hex()
    attributes.update(tell.answered(model, response_id=response_id, finish=finish))
    if rng.random() >= part.agent.streams_without_usage:
        attributes.update(tell.used(tokens))
    _tell_call(tape, part, attributes, start_ns=start_ns)


def _be_refused(tape: Tape, part: Part) -> None:
    """A 429, then the wait before the next try."""
    start_ns = tape.now_ns
    tape.wait(tape.rng.uniform(0.05, 0.3))
    error = tell.failed(part.model.api.rate_limit_error)
    _tell_call(tape, part, tell.asked(part.model) | error, start_ns=start_ns)
    tape.wait(tape.rng.uniform(1, 8))


def _compact(tape: Tape, part: Part, context: Context) -> None:
    """Summarise the conversation and go on with the summary."""
    step, tape.step = tape.step, "compact"
    _ask(tape, part, context, finish="stop")
    kept = part.agent.instructions_tokens
    context.compact(kept=kept, summary=tape.rng.randint(*_SUMMARY_TOKENS))
    tape.step = step


def _embed(tape: Tape, part: Part, parent: bytes) -> None:
    start_ns = tape.now_ns
    tape.wait(tape.rng.uniform(0.05, 0.25))
    attributes = tell.embedded(EMBEDDING, input_tokens=part.prompt_tokens)
    tape.tell(
        part,
        attributes,
        name=f"embeddings {EMBEDDING.name}",
        start_ns=start_ns,
        parent=parent,
        scope=EMBEDDING.api.scope,
    )


def _tell_call(
    tape: Tape, part: Part, attributes: Attributes, *, start_ns: int
) -> None:
    api = part.model.api
    tape.tell(
        part,
        attributes,
        name=f"{api.operation} {part.model.name}",
        start_ns=start_ns,
        parent=part.parent,
        scope=api.scope,
    )


def _ask_helper(tape: Tape, part: Part, context: Context, helper: Agent) -> None:
    """Another agent works for this run: agent B's spans under agent A's tool span."""
    own_id, start_ns, rng = tape.id(), tape.now_ns, tape.rng
    tool = Tool(f"ask_{helper.name}", (0, 0), helper.output_tokens)
    call = _new_call(tape, tool)
    [model] = rng.choices(*zip(*helper.models, strict=True))
    turns = rng.randint(2, 4)
    prompt_tokens = rng.randint(300, 1_200)
    _act(
        tape,
        Part(
            agent=helper,
            model=model,
            turns=turns,
            prompt_tokens=prompt_tokens,
            parent=own_id,
        ),
    )
    context.tokens += call.result_tokens
    _tell_tool(tape, part, call, start_ns=start_ns, span_id=own_id)


def _use_tools(tape: Tape, part: Part, context: Context, turn: int) -> None:
    """The calls of one turn start together; the turn ends with the last of them."""
    start_ns = tape.now_ns
    ends = []
    for call in _calls(tape, part, turn):
        tape.now_ns = start_ns
        tape.wait(tape.rng.randint(*call.tool.duration_ms) / 1000)
        context.tokens += call.result_tokens
        _tell_tool(tape, part, call, start_ns=start_ns, span_id=tape.id())
        ends.append(tape.now_ns)
    tape.now_ns = max(ends)


def _calls(tape: Tape, part: Part, turn: int) -> list[ToolCall]:
    stuck = tape.plan.stuck
    if stuck is not None and _is_stuck(tape.plan, turn):
        return [replace(stuck.call, noise=str(turn))]
    count = tape.rng.choice(_CALLS_AT_ONCE)
    return [_new_call(tape, tape.rng.choice(part.agent.tools)) for _ in range(count)]


def _new_call(tape: Tape, tool: Tool) -> ToolCall:
    """A call that nobody made before, or one made again that brings something new."""
    rng, plan = tape.rng, tape.plan
    tape.tool_calls += 1
    is_again = tape.tool_calls > 1 and rng.random() < _SAME_ARGUMENTS
    number = tape.tool_calls - is_again
    result_tokens = int(rng.randint(*tool.result_tokens) * plan.result_factor)
    fails = tool.duration_ms != (0, 0) and rng.random() < _TOOL_FAILS
    return ToolCall(
        tool=tool,
        arguments=f"{plan.run_id}/{number}",
        result=f"{plan.run_id}/{tape.tool_calls}/{result_tokens}",
        result_tokens=result_tokens,
        error="TimeoutError" if fails else "",
    )


def _tell_tool(
    tape: Tape, part: Part, call: ToolCall, *, start_ns: int, span_id: bytes
) -> None:
    attributes = tell.tool_called(call, call_id=tape.id().hex())
    if call.error:
        attributes.update(tell.failed(call.error))
    tape.tell(
        part,
        attributes,
        name=f"execute_tool {call.tool.name}",
        start_ns=start_ns,
        parent=part.parent,
        span_id=span_id,
    )


def _is_stuck(plan: Plan, turn: int) -> bool:
    return plan.stuck is not None and turn >= plan.stuck.after
