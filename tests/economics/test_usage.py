"""Token buckets: the rules R4 to R8 that the SQL is tested against too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.economics.usage import (
    MAX_TOKENS,
    TokenBuckets,
    UsageFlag,
    UsageRule,
    from_reported,
)

PARTS = (
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_1h",
    "reasoning",
    "input_audio",
    "cache_audio",
    "output_audio",
)
COUNTS = st.one_of(st.none(), st.integers(min_value=-5, max_value=5_000))


def test_inclusive_input_loses_its_cached_part() -> None:
    """An inclusive input is split into plain input, reads and writes."""
    told = from_reported(
        1000, 50, cache_read=600, cache_write_5m=100, includes_cache=True
    )
    assert told.rule is UsageRule.INCLUSIVE
    assert told.buckets == TokenBuckets(
        input=300, cache_read=600, cache_write_5m=100, output=50
    )


def test_exclusive_input_is_left_alone() -> None:
    """An exclusive input is the plain input already."""
    told = from_reported(1000, 50, cache_read=600, includes_cache=False)
    assert told.rule is UsageRule.EXCLUSIVE
    assert told.buckets == TokenBuckets(input=1000, cache_read=600, output=50)


def test_more_cache_than_input_proves_the_exclusive_kind() -> None:
    """Evidence beats the dialect, and the contradiction is flagged."""
    told = from_reported(
        3, 550, cache_read=0, cache_write_5m=12304, includes_cache=True
    )
    assert told.rule is UsageRule.PROVEN_EXCLUSIVE
    assert told.flags == (UsageFlag.CONVENTION_CONTRADICTED,)
    assert told.buckets == TokenBuckets(input=3, cache_write_5m=12304, output=550)


def test_an_unknown_convention_is_assumed_and_flagged() -> None:
    """Without a dialect, OpenTelemetry's inclusive convention is assumed."""
    told = from_reported(1000, 50, cache_read=600)
    assert told.rule is UsageRule.ASSUMED_INCLUSIVE
    assert told.flags == (UsageFlag.CONVENTION_ASSUMED,)


def test_without_cache_no_convention_is_needed() -> None:
    """A call without cached tokens is never flagged for its convention."""
    told = from_reported(1000, 50)
    assert (told.rule, told.flags) == (UsageRule.NO_CACHE, ())


def test_nothing_reported_is_no_usage() -> None:
    """A call that tells no counts has no buckets, not zero ones."""
    assert from_reported(None, None).buckets is None


def test_zero_is_usage() -> None:
    """A call that tells zero tokens has buckets of zero."""
    assert from_reported(0, 0).buckets == TokenBuckets()


def test_writes_without_a_lifetime_are_unknown() -> None:
    """A total of writes alone says nothing of their lifetime."""
    told = from_reported(1000, 1, cache_write=400, includes_cache=True).buckets
    assert told is not None
    assert (told.cache_write_unknown, told.cache_write_5m, told.input) == (400, 0, 600)


def test_a_total_beside_the_long_writes_leaves_the_short_ones() -> None:
    """A total and the 1 h part give the 5 m part (pydantic-ai's form)."""
    told = from_reported(
        1000, 1, cache_write=400, cache_write_1h=150, includes_cache=True
    ).buckets
    assert told is not None
    assert (told.cache_write_5m, told.cache_write_1h) == (250, 150)
    assert told.cache_write_unknown == 0


def test_reasoning_and_audio_leave_the_output() -> None:
    """Reasoning and spoken output are billed once, in their own buckets."""
    told = from_reported(10, 1000, reasoning=700, output_audio=200).buckets
    assert told is not None
    assert (told.output, told.reasoning, told.output_audio) == (100, 700, 200)


def test_reasoning_outside_the_output_is_added() -> None:
    """Where the dialect says so, whatever the numbers are."""
    told = from_reported(10, 989, reasoning=104, includes_reasoning=False).buckets
    assert told is not None
    assert (told.output, told.reasoning) == (989, 104)


def test_more_reasoning_than_output_proves_that_it_comes_on_top() -> None:
    """xAI and raw Gemini count it beside the output: both are billed."""
    told = from_reported(10, 104, reasoning=989)
    assert told.buckets is not None
    assert (told.buckets.output, told.buckets.reasoning) == (104, 989)
    assert told.flags == (UsageFlag.REASONING_APART,)


def test_a_total_that_sums_all_three_proves_it_too() -> None:
    """A total of input, output and reasoning leaves no room for one in the other."""
    apart = from_reported(10, 900, reasoning=300, tool_input=5, total=1215)
    inside = from_reported(10, 900, reasoning=300, tool_input=5, total=915)
    assert apart.buckets is not None
    assert inside.buckets is not None
    assert (apart.buckets.output, apart.flags) == (900, (UsageFlag.REASONING_APART,))
    assert (inside.buckets.output, inside.flags) == (600, ())


def test_reasoning_that_is_not_told_is_the_rest_of_a_whole_total() -> None:
    """Gemini's total counts thoughts that an emitter of candidates alone leaves out."""
    told = from_reported(10, 900, total=1210, provider="google")
    assert told.buckets is not None
    assert (told.buckets.output, told.buckets.reasoning) == (900, 300)
    assert told.flags == (UsageFlag.REASONING_APART,)


@pytest.mark.parametrize(
    ("output", "total", "provider"),
    [(900, 1210, "aws"), (None, 1210, "google"), (900, 20_000_000, "google")],
)
def test_a_total_with_another_rest_says_nothing(
    output: int | None, total: int, provider: str
) -> None:
    """Others' totals may count the cache; the rest of what is not told is not known."""
    told = from_reported(10, output, total=total, provider=provider)
    assert told.buckets is not None
    assert told.buckets.reasoning == 0


@pytest.mark.parametrize(("total", "reasoning"), [(1150, 0), (1180, 30)])
def test_a_whole_total_counts_cached_tokens_that_the_input_leaves_out(
    total: int, reasoning: int
) -> None:
    """What was read from a cache is no reasoning."""
    told = from_reported(100, 50, cache_read=1000, total=total, provider="google")
    assert told.buckets is not None
    assert (told.buckets.input, told.buckets.cache_read) == (100, 1000)
    assert (told.buckets.output, told.buckets.reasoning) == (50, reasoning)


def test_a_total_proves_reasoning_on_top_beside_an_input_without_its_cache() -> None:
    """The total is that of all input; one that misses the cached tokens proves none."""
    apart = from_reported(100, 50, cache_read=1000, reasoning=30, total=1180)
    inside = from_reported(100, 50, cache_read=1000, reasoning=30, total=1150)
    other = from_reported(100, 50, cache_read=1000, reasoning=30, total=180)
    told = [found.buckets for found in (apart, inside, other)]
    assert [buckets and buckets.output for buckets in told] == [50, 20, 20]


def test_reasoning_that_is_told_as_zero_is_zero() -> None:
    """The rest of a total is then something else, such as a tool's input."""
    told = from_reported(10, 900, reasoning=0, total=1210, provider="google")
    assert told.buckets is not None
    assert (told.buckets.output, told.buckets.reasoning) == (900, 0)


def test_zeros_of_a_stream_are_no_usage() -> None:
    """A stream that told none is told as zeros by some; an answer of zeros is one."""
    assert from_reported(0, 0, cache_read=0, is_streamed=True).buckets is None
    assert from_reported(0, 0).buckets is not None
    assert from_reported(0, 1, is_streamed=True).buckets is not None


def test_an_impossible_difference_is_clipped_and_flagged() -> None:
    """More spoken output than output gives zero text, and says so."""
    told = from_reported(10, 5, output_audio=9)
    assert told.buckets is not None
    assert told.buckets.output == 0
    assert told.flags == (UsageFlag.CLIPPED,)


def test_cached_audio_is_part_of_the_reads() -> None:
    """Audio is split into what was read from the cache and what was not."""
    told = from_reported(
        3000,
        0,
        cache_read=1000,
        input_audio=2000,
        cache_audio=400,
        includes_cache=True,
    ).buckets
    assert told == TokenBuckets(
        input=400, cache_read=600, input_audio=1600, cache_audio=400
    )


@pytest.mark.parametrize("count", [-1, MAX_TOKENS + 1])
def test_a_count_that_cannot_be_makes_the_usage_invalid(count: int) -> None:
    """A negative or absurd count is neither believed nor ignored."""
    told = from_reported(count, 5)
    assert (told.buckets, told.rule, told.is_invalid) == (None, None, True)


@given(
    st.tuples(COUNTS, COUNTS),
    st.fixed_dictionaries(dict.fromkeys(PARTS, COUNTS)),
    st.sampled_from([None, True, False]),
)
def test_buckets_are_never_negative(
    totals: tuple[int | None, int | None],
    parts: dict[str, int | None],
    includes_cache: bool | None,
) -> None:
    """Whatever an emitter reports, no bucket goes below zero."""
    told = from_reported(*totals, **parts, includes_cache=includes_cache)  # type: ignore[arg-type]
    if told.buckets is not None:
        values = [getattr(told.buckets, n) for n in TokenBuckets.__dataclass_fields__]
        assert min(values) >= 0


@given(
    st.integers(0, 9_000),
    st.integers(0, 3_000),
    st.integers(0, 3_000),
    st.integers(0, 9_000),
)
def test_an_inclusive_input_is_billed_once(
    total: int, read: int, write: int, heard: int
) -> None:
    """The input buckets add up to the reported input, unless it excluded the cache."""
    told = from_reported(
        total,
        0,
        cache_read=read,
        cache_write=write,
        input_audio=heard,
        includes_cache=True,
    )
    assert told.buckets is not None
    outside = read + write if told.rule is UsageRule.PROVEN_EXCLUSIVE else 0
    assert told.buckets.total_input == total + outside
