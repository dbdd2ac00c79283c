"""What a call may cost at most, before it is sent, and what it did cost.

The price book is loaded when the first amount is needed: agents without a budget in
USD never load it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from farthing.economics.budgets import Estimate, Outcome
from farthing.economics.usage import TokenBuckets
from farthing.errors import ConfigError
from farthing.instrumentation.calls import Ended, ModelCall
from farthing.instrumentation.forms import Form
from farthing.instrumentation.watching.call import is_sent

if TYPE_CHECKING:
    from farthing.economics.prices import Catalogue, Cost, Part

GUESSED_INPUT: Final = 15 * 10**9
GUESSED_OUTPUT: Final = 75 * 10**9
"""Femto-USD per token (15 and 75 USD per million) where no price is known: what the
dearest widely used models cost. A limit is then reached too early rather than late."""

DEFAULT_OUTPUT: Final = 4_096
"""Tokens of an answer whose request sets no bound, until the model has answered."""

LEAST_OUTPUT: Final = 1_024
"""...and from then on twice its longest answer so far, at least this."""

MOST_OUTPUT: Final = 128_000
"""...and what is held for it while another call without a bound is under way: no widely
used model answers with more. So only one call at a time can cost more than is held."""

BYTES_PER_TOKEN: Final = 3
"""English has 4 to 5 bytes a token and code 3 to 4, in the tokenizers of today."""

MEDIA_TOKENS: Final = 3_000
"""Tokens of an image, a sound or a document, and one more for BYTES_PER_MEDIA_TOKEN."""

BYTES_PER_MEDIA_TOKEN: Final = 64

_BASE64 = re.compile(r"data:|[A-Za-z0-9+/_-]{400}")
_MESSAGE_TOKENS = 8
_OUTPUTS = ("output", "reasoning", "output_audio")
_SHORT = 2_000
_MOST_MODELS = 1_000
_MOST_DEPTH = 24
_MESSAGE_DEPTH = 2
"""A message is a field of a list of a request."""
_logger = logging.getLogger(__name__)


class Estimator:
    """Prices calls by the packaged price book, and by `prices_file` (JSON) over it."""

    def __init__(self, prices_file: Path | None = None) -> None:
        self._prices_file = prices_file
        self._longest: dict[str, int] = {}
        self._unpriced: set[str] = set()
        self._unbounded: set[str] = set()
        self._unwritten: set[tuple[str, str]] = set()
        """Models and lifetimes for which nobody is billed a cache write."""

    def before(
        self, call: ModelCall, form: Form | None, *, is_alone: bool = True
    ) -> Estimate:
        """The most that a call is thought to cost. `is_alone`: no other call without a
        bound on its output is under way in its run."""
        asked = _asked_tokens(call.request)
        answer = self._answer_tokens(call, form, is_alone=is_alone)
        plain = self._price(call, TokenBuckets(input=asked, output=answer))
        known = [plain] if not plain[1] else []
        for lifetime in _lifetimes(call.request):
            if (call.model, lifetime) in self._unwritten:
                continue
            buckets = replace(TokenBuckets(output=answer), **{lifetime: asked})
            written = self._price(call, buckets, says=False)
            if not written[1]:
                known.append(written)
            elif len(self._unwritten) < _MOST_MODELS:
                self._unwritten.add((call.model, lifetime))
        if known:
            return Estimate(max(femto for femto, _ in known))
        return Estimate(plain[0], is_guess=True)

    def after(self, call: ModelCall, ended: Ended, held: int) -> Outcome | None:
        """What a call did cost; None where it was not billed.

        Without usage, and for a stream that was left before its end, what was held
        stands for it: the provider bills what nobody told us.
        """
        usage = ended.usage
        if usage is None:
            is_refused = ended.error is not None and not is_sent(ended.error)
            return None if is_refused else Outcome(held, is_guess=True)
        tokens = usage.total_input + usage.total_output
        self._learn(call.model, usage.total_output)
        femto, is_guess = self._price(call, usage, model=ended.model)
        if not ended.is_complete:
            return Outcome(max(femto, held), tokens, is_guess=True)
        return Outcome(femto, tokens, is_guess=is_guess)

    @cached_property
    def _catalogue(self) -> Catalogue:
        from farthing.economics.prices import load_catalogue
        from farthing.economics.prices.userjson import load_user_json

        packaged = load_catalogue()
        if self._prices_file is None:
            return packaged
        try:
            return load_user_json(self._prices_file, packaged)
        except ConfigError as error:
            _logger.error("guard: your prices are left out:\n%s", error)
            return packaged

    def _price(
        self,
        call: ModelCall,
        buckets: TokenBuckets,
        *,
        model: str = "",
        says: bool = True,
    ) -> tuple[int, bool]:
        """Femto-USD, and whether part of it is guessed, which is said once."""
        from farthing.economics.prices import Call, price

        tier = call.request.get("service_tier")
        cost = price(
            Call(
                provider=call.provider,
                at=datetime.now(UTC),
                buckets=buckets,
                response_model=model or call.model,
                request_model=call.model,
                host=call.host,
                service_tier=tier if isinstance(tier, str) else "",
            ),
            self._catalogue,
        )
        if cost.femto_usd is not None and not cost.missing:
            return cost.femto_usd, False
        if says:
            self._say_unpriced(call, cost)
        return _guessed(buckets, cost), True

    def _say_unpriced(self, call: ModelCall, cost: Cost) -> None:
        name = f"{call.provider}/{call.model}"
        if name not in self._unpriced and len(self._unpriced) < _MOST_MODELS:
            self._unpriced.add(name)
            _logger.warning(
                "guard: %s has no price for %s (%s), which counts as $15 per million "
                "tokens of input and $75 of output; give it one in the prices file",
                name,
                ", ".join(cost.missing) or "its calls",
                cost.reason,
            )

    def _say_unbounded(self, call: ModelCall, form: Form) -> None:
        name = f"{call.provider}/{call.model}"
        if name not in self._unbounded and len(self._unbounded) < _MOST_MODELS:
            self._unbounded.add(name)
            _logger.warning(
                "guard: requests to %s set no bound on the output, so one answer "
                "longer than assumed may pass the budget, and for calls side by side "
                "the longest answer there is is held; set %s",
                name,
                form.bound or "one",
            )

    def assumed_output(
        self, call: ModelCall, form: Form, *, is_alone: bool
    ) -> int | None:
        """Tokens of output that are assumed of a request without a bound; None where
        it sets one."""
        if not is_unbounded(call, form):
            return None
        return self._answer_tokens(call, form, is_alone=is_alone)

    def _answer_tokens(
        self, call: ModelCall, form: Form | None, *, is_alone: bool
    ) -> int:
        """The most tokens of all the answers that the request asks for."""
        bound = form.max_output(call.request) if form else 0
        if form is not None and bound is None:
            self._say_unbounded(call, form)
        longest = self._longest.get(call.model)
        likely = DEFAULT_OUTPUT if longest is None else max(LEAST_OUTPUT, 2 * longest)
        if not is_alone:
            likely = MOST_OUTPUT
        most = likely if bound is None else bound
        return int(most * ((form.choices(call.request) if form else None) or 1))

    def _learn(self, model: str, output_tokens: int) -> None:
        if model in self._longest or len(self._longest) < _MOST_MODELS:
            self._longest[model] = max(output_tokens, self._longest.get(model, 0))


def is_unbounded(call: ModelCall, form: Form | None) -> bool:
    """Whether a request lets the answer be as long as the model likes."""
    return form is not None and form.max_output(call.request) is None


def _guessed(buckets: TokenBuckets, cost: Cost) -> int:
    """The parts that have a price by it, all others by the pessimistic rates."""
    if not cost.parts:
        return (
            buckets.total_input * GUESSED_INPUT + buckets.total_output * GUESSED_OUTPUT
        )
    return sum(_part(part) for part in cost.parts)


def _part(part: Part) -> int:
    if part.femto_usd is not None:
        return part.femto_usd
    rate = GUESSED_OUTPUT if part.name in _OUTPUTS else GUESSED_INPUT
    return part.units * rate


def _asked_tokens(request: Mapping[str, Any]) -> int:
    """The most tokens that a request is thought to have, by the bytes of its texts."""
    texts, others = _bytes_of(request, 0)
    return -(-texts // BYTES_PER_TOKEN) + others


def _bytes_of(value: Any, depth: int) -> tuple[int, int]:
    """Bytes of the texts inside a value, and tokens of what is no text."""
    kind = type(value)
    if kind is str:
        return _bytes_of_text(value)
    if kind is dict or isinstance(value, Mapping):
        return _bytes_of_fields(value, depth)
    if isinstance(value, bytes | bytearray):
        return 0, MEDIA_TOKENS + len(value) // BYTES_PER_MEDIA_TOKEN
    if (kind is list or isinstance(value, Sequence)) and depth < _MOST_DEPTH:
        inner = [_bytes_of(item, depth + 1) for item in value]
        return sum([text for text, _ in inner]), sum([other for _, other in inner])
    if hasattr(value, "model_dump"):
        return _bytes_of_fields(getattr(value, "__dict__", {}), depth)
    return 1, 0


def _bytes_of_text(text: str) -> tuple[int, int]:
    if len(text) > _SHORT and _BASE64.match(text):
        return 0, MEDIA_TOKENS + len(text) // BYTES_PER_MEDIA_TOKEN
    return (len(text) if text.isascii() else len(text.encode(errors="replace"))), 0


def _bytes_of_fields(fields: Mapping[str, Any], depth: int) -> tuple[int, int]:
    if depth >= _MOST_DEPTH:
        return 0, 0
    texts, others = 0, _MESSAGE_TOKENS if depth == _MESSAGE_DEPTH else 0
    for key, value in fields.items():
        texts += len(key)
        if type(value) is str and len(value) < _SHORT and value.isascii():
            texts += len(value)  # most are, and recursion is most of the work
            continue
        text, other = _bytes_of(value, depth + 1)
        texts += text
        others += other
    return texts, others


def _lifetimes(request: Mapping[str, Any]) -> Sequence[str]:
    """The kinds of cache write that a request may be billed: most providers decide
    themselves what they keep, for a short time."""
    if _asks_for_an_hour(request):
        return ("cache_write_5m", "cache_write_1h")
    return ("cache_write_5m",)


def _asks_for_an_hour(request: Mapping[str, Any]) -> bool:
    """Whether some part of an Anthropic request is to be cached for an hour. Such marks
    stand on the system prompt, on tools, or on the last messages."""
    places = [request.get("system"), request.get("tools")]
    messages = request.get("messages")
    if isinstance(messages, list):
        places.extend(m.get("content") for m in messages[-8:] if isinstance(m, dict))
    return any(
        isinstance(block, dict)
        and isinstance(mark := block.get("cache_control"), dict)
        and mark.get("ttl") == "1h"
        for place in places
        if isinstance(place, list)
        for block in place
    )
