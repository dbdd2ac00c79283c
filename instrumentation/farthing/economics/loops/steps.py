"""What the detector is told: one step of one run, as fingerprints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

StepKind = Literal["llm", "tool", "user"]


@dataclass(slots=True, kw_only=True)  # To freeze it triples what making one takes.
class Step:
    """One model call, tool call or message of a person; no content. Never changed.

    Hashes are texts that are equal when what they stand for is (hex digits, keyed where
    they come from Farthing's instrumentation); lengths are in characters. The empty
    text, and None, say "not known". The fields of a tool call are
    `farthing.semconv.STEP_FIELDS`.

    `agent`: whose step it is; agents of one run are judged apart.
    `call_id`: what the step is called wherever it is told again (tool call id, else
    span id); a step with the id of an earlier one is not counted. Empty: no replay.
    `turn`: what tool calls of one model turn share. Empty: the tool calls after one
    model call are one turn.
    `status`: HTTP status of the failure, if one is known. `retryable`: the failure is
    the infrastructure's (429, 5xx, overload, time-out of a connection).
    """

    kind: StepKind
    name: str = ""
    agent: str = ""
    call_id: str = ""
    turn: str = ""
    time_ns: int | None = None

    text_hash: str = ""
    text_norm_hash: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None

    args_hash: str = ""
    args_norm_hash: str = ""
    args_len: int | None = None
    args_simhash: str = ""
    result_hash: str = ""
    result_norm_hash: str = ""
    result_shape_hash: str = ""
    result_len: int | None = None
    result_simhash: str = ""
    empty: bool | None = None
    error: bool | None = None
    err_sig_hash: str = ""
    status: int | None = None
    retryable: bool = False

    @classmethod
    def of(cls, told: Mapping[str, object]) -> Step:
        """The step that a mapping tells of: a line of the benchmark, a state.

        Fields that a step does not have are ignored; None is "not known".
        Raises ValueError for a kind or a type that is none of a step's.
        """
        known = {
            key: value
            for key, value in told.items()
            if value is not None and key in _TYPES
        }
        if known.get("kind") not in ("llm", "tool", "user"):
            raise ValueError(f"kind {told.get('kind')!r} is not llm, tool or user")
        for key, value in known.items():
            if type(value) is not _TYPES[key]:
                raise ValueError(f"{key} is {value!r}, not {_TYPES[key].__name__}")
        return cls(**known)  # type: ignore[arg-type]


def _type(annotation: str) -> type:
    return {"int": int, "bool": bool}.get(annotation.split(" ")[0], str)


_TYPES = {field.name: _type(str(field.type)) for field in fields(Step)}
