"""Files of labelled runs: what is in them is judged, what is wrong in them is named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from farthing.cli import main
from farthing.collector.watch.labelled import read_runs
from farthing.errors import ConfigError

LOOP = {"kind": "tool", "name": "ls", "args_hash": "a", "result_hash": "b"}


def run(label: str | None = "loop", **more: Any) -> dict[str, Any]:
    steps = [{"kind": "llm", "input_tokens": 10, "output_tokens": 2}, LOOP] * 8
    told = {"trace_id": "r1", "source": "here", "label": label, "onset_tool_step": 1}
    return {**told, "steps": steps, **more}


def written(path: Path, *lines: str) -> Path:
    text = "".join(f"{line}\n" for line in lines)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.jsonl.gz"])
def test_evaluate(tmp_path: Path, name: str) -> None:
    """`farthing loops evaluate` gives every score, and a line per alarm."""
    healthy = run("no_loop", trace_id="r2", steps=[LOOP, {"kind": "user"}])
    file = written(tmp_path / name, json.dumps(run()), "", json.dumps(healthy))
    out = tmp_path / "alarms.jsonl"
    words = ["loops", "evaluate", str(file), "--json", "--alarms", str(out)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["sources"] == [{"source": "here", **told["total"]}]
    assert told["total"] == {
        "runs": 2,
        "flagged": 1,
        "loops": 1,
        "found": 1,
        "recall": 1.0,
        "normal_runs": 1,
        "false_alarms": 0,
        "false_alarms_per_1000": 0.0,
        "precision": 1.0,
        "delay_median": 3,
        "delay_p90": 3.0,
        "unspent_at_alarm": 4 / 6,
        "stalled": 0,
        "stalled_normal_per_1000": 0.0,
    }
    [alarm] = map(json.loads, out.read_text().splitlines())
    why = "3 more calls of ls, each with a result that was there before"
    place = {"trace_id": "r1", "source": "here", "at_tool_step": 3}
    assert alarm == {**place, "kind": "loop", "level": "confirmed", "why": why}


def test_evaluate_for_people(tmp_path: Path) -> None:
    """Without --json it prints a table; what cannot be said is a dash."""
    file = written(tmp_path / "runs.jsonl", json.dumps(run()))
    result = CliRunner().invoke(main, ["loops", "evaluate", str(file)])
    assert result.exit_code == 0
    assert "1 of 1" in result.stdout
    assert result.stdout.splitlines()[-1].split()[:2] == ["total", "1"]


def test_explain(tmp_path: Path) -> None:
    """--explain shows how the score of one run came about; of none that is there, it
    says so."""
    file = written(tmp_path / "runs.jsonl", json.dumps(run()))
    words = ["loops", "evaluate", str(file), "--explain"]
    told = json.loads(CliRunner().invoke(main, [*words, "r1", "--json"]).stdout)
    assert [step["score"] for step in told if step["change"]][:3] == [0.6, 1.6, 2.6]
    levels = [f["level"] for step in told for f in step["findings"]]
    assert levels == ["suspected", "confirmed"]
    assert "loop confirmed" in CliRunner().invoke(main, [*words, "r1"]).stdout
    missing = CliRunner().invoke(main, [*words, "r9"])
    assert (missing.exit_code, "no run 'r9'" in missing.stderr) == (2, True)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "Expecting property name"),
        ("[]", "not an object"),
        ('{"trace_id": "x"}', "'steps' is missing"),
        ('{"steps": []}', "'trace_id' is missing"),
        ('{"trace_id": "x", "steps": [1]}', "step 0 is no object"),
        ('{"trace_id": "x", "steps": [{"kind": "dog"}]}', "step 0: kind 'dog'"),
        (
            '{"trace_id": "x", "steps": [{"kind": "tool", "args_len": "9"}]}',
            "step 0: args_len is '9', not int",
        ),
        ('{"trace_id": "x", "label": "maybe", "steps": []}', "label 'maybe'"),
        ('{"trace_id": "x", "onset_tool_step": "2", "steps": []}', "onset_tool_step"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    """An error says in which file and line it is, and what is wrong there."""
    file = written(tmp_path / "runs.jsonl", json.dumps(run()), line)
    with pytest.raises(ConfigError, match=f"{file.name}, line 2: ") as raised:
        list(read_runs(file))
    assert why in str(raised.value)


def test_a_file_that_is_no_gzip_is_named(tmp_path: Path) -> None:
    """A file that only claims to be compressed, or is cut off, is an error, too."""
    broken = tmp_path / "runs.jsonl.gz"
    broken.write_bytes(b"no gzip")
    with pytest.raises(ConfigError, match=r"runs\.jsonl\.gz, line 1"):
        list(read_runs(broken))
    whole = written(tmp_path / "whole.jsonl.gz", *[json.dumps(run())] * 99)
    broken.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(ConfigError, match=r"runs\.jsonl\.gz, line"):
        list(read_runs(broken))
