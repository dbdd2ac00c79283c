"""The errors of Farthing, each answering its caller's question.

FarthingError
├── ConfigError      the operator must fix it; at start only; exit code 2
├── BadPayload       the sender must not retry -> 400 / INVALID_ARGUMENT
│   └── TooLarge     -> 413 / RESOURCE_EXHAUSTED
├── Overloaded       the sender should retry   -> 429 or 503 + Retry-After
├── DeliveryError    a channel did not take a notice; its reason says whether to retry
├── StoreUnavailable the ledger is away; what was accepted waits in the spool
└── RunStopped       a guard that was switched on stopped an agent before its next call
    ├── BudgetExceeded   a limit of the run, or a budget that it shares, is reached
    ├── BudgetUnknown    nobody knows what is left of a shared budget
    ├── LoopDetected     the run repeats itself without getting anywhere
    └── StopOrdered      a person, or a rule, ordered that such work stops
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum


class FarthingError(Exception):
    """Base of every error that Farthing raises on purpose."""


class ConfigError(FarthingError):
    """The operator's configuration is wrong; the message says what to change."""


def not_yaml(path: object, error: Exception) -> ConfigError:
    """What a YAML parser's error says of a file: place and problem. The rest of its
    text would quote the file, with secrets."""
    mark = getattr(error, "problem_mark", None)
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    return ConfigError(f"{where}: is not valid YAML: {problem}")


class BadPayload(FarthingError):
    """A request that will never be accepted: the sender must not retry it."""


class TooLarge(BadPayload):
    """A request above a size limit, compressed or decompressed."""


class Overloaded(FarthingError):
    """No room now: the sender should retry after `retry_after_s` seconds."""

    def __init__(self, reason: str, *, retry_after_s: int = 5) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class StoreUnavailable(FarthingError):
    """The ledger's database does not answer; the operation may be retried."""


class Reason(StrEnum):
    """Why a channel did not take a notice: a closed set, values of a metric's label.

    The first five pass by themselves, so the notice is sent again; the others do not.
    """

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    BAD_ANSWER = "bad_answer"
    REJECTED = "rejected"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    EXPIRED = "expired"
    NO_CHANNEL = "no_channel"
    INTERNAL = "internal"

    @property
    def retryable(self) -> bool:
        """Whether the same notice may be taken later."""
        return self in _PASSING


_PASSING = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CONNECTION,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
        Reason.BAD_ANSWER,
    }
)


class DeliveryError(FarthingError):
    """A channel did not take a notice.

    `detail` is for people and holds no secret. `retry_after_s` is what the provider
    asked for, None where it said nothing.
    """

    def __init__(
        self, reason: Reason, detail: str, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s

    @property
    def retryable(self) -> bool:
        """Whether the same notice may be taken later."""
        return self.reason.retryable


class RunStopped(FarthingError):
    """The guard stopped an agent's run: its next model call was not sent.

    Raised into the agent out of the SDK's own call, and only where a guard was switched
    on. `run_id` is the task's id, or "" for the process; `task_type` may be "".
    """

    def __init__(self, message: str, *, run_id: str = "", task_type: str = "") -> None:
        super().__init__(message)
        self.run_id = run_id
        self.task_type = task_type


class BudgetExceeded(RunStopped):
    """A limit of the run is reached, or a budget that it shares with others.

    `limit` names it (`usd`, `steps`, `step_tokens`, `tool_retries`); `allowed` and
    `used` are in its unit. `spent_usd` is what the run's finished calls cost,
    `held_usd` what is held for those under way. `is_estimate` says that some call had
    no price or told no usage, so that a pessimistic figure stands for it. `budget` is
    the name of the shared budget, or ""; `used` is then what everybody spent of it.
    """

    def __init__(
        self,
        message: str,
        *,
        limit: str,
        allowed: Decimal,
        used: Decimal,
        spent_usd: Decimal,
        held_usd: Decimal = Decimal(0),
        steps: int = 0,
        is_estimate: bool = False,
        budget: str = "",
        run_id: str = "",
        task_type: str = "",
    ) -> None:
        super().__init__(message, run_id=run_id, task_type=task_type)
        self.limit = limit
        self.budget = budget
        self.allowed = allowed
        self.used = used
        self.spent_usd = spent_usd
        self.held_usd = held_usd
        self.steps = steps
        self.is_estimate = is_estimate


class LoopDetected(RunStopped):
    """The run repeats itself: `pattern` says how, `calls` since when."""

    def __init__(
        self,
        message: str,
        *,
        pattern: str,
        calls: int,
        run_id: str = "",
        task_type: str = "",
    ) -> None:
        super().__init__(message, run_id=run_id, task_type=task_type)
        self.pattern = pattern
        self.calls = calls


class BudgetUnknown(RunStopped):
    """The collector does not say what is left of shared budgets, and the guard was
    told to stop then (`FARTHING_ON_BUDGET_UNKNOWN=stop`)."""


class StopOrdered(RunStopped):
    """Somebody ordered that such work stops: `by` is a person or a rule."""

    def __init__(
        self,
        message: str,
        *,
        by: str,
        reason: str = "",
        run_id: str = "",
        task_type: str = "",
    ) -> None:
        super().__init__(message, run_id=run_id, task_type=task_type)
        self.by = by
        self.reason = reason
