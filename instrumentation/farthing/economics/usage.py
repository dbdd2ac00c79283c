"""Token buckets that never overlap, and how an emitter's numbers become them.

Emitters disagree on what `input_tokens` includes. Here the numbers of one call are
split once, by a rule that the ledger row records, so that pricing is a dot product.
The SQL of the collector implements the same rules and is tested against this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_TOKENS = 10_000_000
"""A count above this is no call's: such usage is invalid, and a cost fits Int64."""
MAX_BUCKET = 2 * MAX_TOKENS
"""A bucket may hold a call's count and its compaction's."""


WHOLE_TOTALS = frozenset({"google", "x-ai"})
"""Providers, as the price book names them, whose totals count reasoning that they tell
beside the output."""


class UsageRule(StrEnum):
    """How it was decided whether the reported input includes the cached tokens."""

    NO_CACHE = "no_cache"
    """No cached tokens were reported: both readings agree."""
    PROVEN_EXCLUSIVE = "proven_exclusive"
    """Cached tokens exceed the input, so the input cannot include them."""
    INCLUSIVE = "inclusive"
    """The dialect says that the input includes the cached tokens."""
    EXCLUSIVE = "exclusive"
    """The dialect says that the input excludes the cached tokens."""
    ASSUMED_INCLUSIVE = "assumed_inclusive"
    """Nobody says: OpenTelemetry's convention (inclusive) is assumed."""


class UsageFlag(StrEnum):
    """What a reader of the buckets should know; none of them changes a state."""

    CONVENTION_ASSUMED = "convention_assumed"
    CONVENTION_CONTRADICTED = "convention_contradicted"
    CLIPPED = "clipped"
    REASONING_APART = "reasoning_apart"
    """The output that is told leaves out the reasoning, which comes on top."""
    INVALID = "invalid"
    """Some count cannot be one (negative, absurd), so none of them is believed."""
    INPUT_MISSING = "input_missing"
    PARTIAL = "usage_partial"
    """A stream was left or cut before it told all: the counts are a lower bound."""
    MISSING = "usage_missing"
    """Sent, and given up before an answer: it may have been billed all the same."""
    OUTPUT_MISSING = "output_missing"
    """No output is told: a stream that was closed early. An embedding has none."""
    COMPACTION = "compaction"
    """Tokens of a compaction that the provider made of the conversation are in it."""


@dataclass(frozen=True, slots=True)
class TokenBuckets:
    """Tokens of one call in disjoint buckets; their sum is what was billed."""

    input: int = 0
    """Uncached text and image input."""
    cache_read: int = 0
    """Text read from the cache."""
    cache_write_5m: int = 0
    """Written with the short lifetime (Anthropic 5 minutes, OpenAI 30 minutes)."""
    cache_write_1h: int = 0
    """Written with the long lifetime (Anthropic 1 hour, OpenAI 12 hours)."""
    cache_write_unknown: int = 0
    """Written with a lifetime that the emitter does not tell."""
    output: int = 0
    """Visible text output."""
    reasoning: int = 0
    input_audio: int = 0
    """Uncached audio input."""
    cache_audio: int = 0
    """Audio read from the cache."""
    output_audio: int = 0

    @property
    def total_input(self) -> int:
        """Every input token, cached or not: what a long-context tier is decided on."""
        return (
            self.input
            + self.cache_read
            + self.cache_write_5m
            + self.cache_write_1h
            + self.cache_write_unknown
            + self.input_audio
            + self.cache_audio
        )

    @property
    def total_output(self) -> int:
        """Every output token, reasoning and audio included."""
        return self.output + self.reasoning + self.output_audio


@dataclass(frozen=True, slots=True)
class Reported:
    """The buckets of one call, and how they came.

    `buckets` and `rule` are None where the call tells no usage, or one that cannot be.
    """

    buckets: TokenBuckets | None
    rule: UsageRule | None
    flags: tuple[UsageFlag, ...] = ()

    @property
    def is_incomplete(self) -> bool:
        """Whether a part of the usage is not told: its cost is a lower bound."""
        return not INCOMPLETE.isdisjoint(self.flags)

    @property
    def is_invalid(self) -> bool:
        """Whether the call tells usage that cannot be: hand it on to `Call`."""
        return UsageFlag.INVALID in self.flags


INCOMPLETE = frozenset(
    {UsageFlag.INPUT_MISSING, UsageFlag.OUTPUT_MISSING, UsageFlag.PARTIAL}
)
"""Flags of usage of which a part is not told."""


def from_reported(
    input_total: int | None,
    output_total: int | None,
    *,
    cache_read: int | None = None,
    cache_write: int | None = None,
    cache_write_5m: int | None = None,
    cache_write_1h: int | None = None,
    reasoning: int | None = None,
    input_audio: int | None = None,
    cache_audio: int | None = None,
    output_audio: int | None = None,
    tool_input: int | None = None,
    compaction_input: int | None = None,
    compaction_output: int | None = None,
    total: int | None = None,
    includes_cache: bool | None = None,
    includes_reasoning: bool = True,
    provider: str = "",
    is_partial: bool = False,
    is_streamed: bool = False,
) -> Reported:
    """Split what an emitter reported into buckets that do not overlap.

    Counts are tokens; None means that the emitter does not tell. `includes_cache` is
    what the dialect knows of `input_total` (None: nothing), `includes_reasoning` what
    it knows of `output_total`. `tool_input` comes on top of `input_total`: Gemini tells
    apart what its own tools put into the prompt. So does what a compaction took; which
    of its input came from the cache is not told, so all of it is input. `is_partial`: a
    stream was left or cut before it told all. Of one that `is_streamed`, zeros alone
    are no usage: that is what some say who were told none.

    Numbers beat the dialect: cached tokens that exceed `input_total` prove that it
    leaves them out, and `output_total` leaves out reasoning that exceeds it, or that
    `total` adds to it and to all input. Of a `provider` (as the price book names it) in
    WHOLE_TOTALS, reasoning that is not told is the rest of `total`. A count below zero
    or above MAX_TOKENS makes the usage invalid; a difference below zero becomes zero
    and is flagged.
    """
    told = (
        input_total, output_total, cache_read, cache_write, cache_write_5m,
        cache_write_1h, reasoning, input_audio, cache_audio, output_audio, tool_input,
        compaction_input, compaction_output,
    )  # fmt: skip
    told_input = (input_total or 0) + (tool_input or 0)
    counts = (*told, told_input)
    if any(not 0 <= count <= MAX_TOKENS for count in counts if count is not None):
        return Reported(None, None, (UsageFlag.INVALID,))
    told_of = {
        UsageFlag.INPUT_MISSING: input_total is None,
        UsageFlag.OUTPUT_MISSING: output_total is None,
        UsageFlag.PARTIAL: is_partial,
        UsageFlag.COMPACTION: bool(compaction_input or compaction_output),
    }
    flags = [flag for flag, holds in told_of.items() if holds]

    def minus(left: int, right: int) -> int:
        if right > left:
            _flag(flags, UsageFlag.CLIPPED)
            return 0
        return left - right

    read = cache_read or 0
    short, long, unknown = _writes(
        cache_write or 0, short=cache_write_5m or 0, long=cache_write_1h or 0
    )
    cached = read + short + long + unknown
    is_untold = input_total is None and output_total is None and cached == 0
    if is_untold or (is_streamed and not any(told)):
        return Reported(None, None)

    fresh = input_total or 0
    rule = _rule(fresh, cached, includes_cache=includes_cache, flags=flags)
    if rule in (UsageRule.INCLUSIVE, UsageRule.ASSUMED_INCLUSIVE):
        fresh -= cached
    read_audio = min(cache_audio or 0, read)
    told_audio = minus(input_audio or 0, read_audio)
    fresh_audio = min(told_audio, fresh)
    if fresh_audio < told_audio:
        _flag(flags, UsageFlag.CLIPPED)
    thought, spoken = reasoning or 0, output_audio or 0
    said = output_total or 0
    whole_input = fresh + (tool_input or 0) + cached
    includes_reasoning &= thought <= said and total != whole_input + said + thought
    apart = 0 if includes_reasoning else thought
    if (
        provider in WHOLE_TOTALS
        and reasoning is None
        and None not in (input_total, output_total)
    ):
        rest = (total or 0) - whole_input - said
        thought = apart = rest if 0 < rest <= MAX_TOKENS else 0
    if apart:
        _flag(flags, UsageFlag.REASONING_APART)
    return Reported(
        TokenBuckets(
            input=fresh - fresh_audio + (tool_input or 0) + (compaction_input or 0),
            cache_read=read - read_audio,
            cache_write_5m=short,
            cache_write_1h=long,
            cache_write_unknown=unknown,
            output=minus(said + apart, thought + spoken) + (compaction_output or 0),
            reasoning=thought,
            input_audio=fresh_audio,
            cache_audio=read_audio,
            output_audio=spoken,
        ),
        rule,
        tuple(flags),
    )


def _writes(total: int, *, short: int, long: int) -> tuple[int, int, int]:
    """Cache writes as (short, long, unknown lifetime).

    A total beside only the long part leaves the short part as the rest; a total
    beside nothing, or beside only the short part, leaves a rest of unknown lifetime.
    """
    rest = max(total - short - long, 0)
    if long and not short:
        return rest, long, 0
    return short, long, rest


def _rule(
    told_input: int,
    cached: int,
    *,
    includes_cache: bool | None,
    flags: list[UsageFlag],
) -> UsageRule:
    if cached == 0:
        return UsageRule.NO_CACHE
    if cached > told_input:
        if includes_cache:
            _flag(flags, UsageFlag.CONVENTION_CONTRADICTED)
        return UsageRule.PROVEN_EXCLUSIVE
    if includes_cache is None:
        _flag(flags, UsageFlag.CONVENTION_ASSUMED)
        return UsageRule.ASSUMED_INCLUSIVE
    return UsageRule.INCLUSIVE if includes_cache else UsageRule.EXCLUSIVE


def _flag(flags: list[UsageFlag], flag: UsageFlag) -> None:
    if flag not in flags:
        flags.append(flag)
