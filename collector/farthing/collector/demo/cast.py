"""Who acts in the demo: agents and their tools, people, kinds of task, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from farthing.collector.demo.models import (
    FLASH,
    GEMINI_PRO,
    GPT_5,
    GPT_5_MINI,
    HAIKU,
    LOCAL,
    SONNET,
    UNKNOWN,
    Model,
    Range,
)


@dataclass(frozen=True, slots=True)
class Tool:
    """What an agent can call: its name, how long it takes, what it brings back."""

    name: str
    duration_ms: Range
    result_tokens: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent and the process it runs in; `models` with how often each is chosen.

    `scope` is who tells of the agent and its tools. Above `compact_at_tokens` it
    summarises its context and goes on with that. The instructions of one that is
    `dated` begin with the time, so no two runs of it share a cache.
    """

    name: str
    service: str
    scope: str
    models: tuple[tuple[Model, int], ...]
    tools: tuple[Tool, ...]
    instructions_tokens: int
    output_tokens: Range
    compact_at_tokens: int = 150_000
    streams: bool = False
    streams_without_usage: float = 0.0
    dated: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """A person, and who pays for their agents."""

    name: str
    team: str
    business_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A kind of task: who does it, for which units, and how long it takes.

    `waits` is the share of turns before which the agent waits for a person, longer
    than a prompt cache lasts. `helper` is the agent that the first one asks for help.
    `outcome` is what a run achieves, and which share of those with an answer do.
    """

    name: str
    agent: Agent
    weight: int
    business_units: tuple[str, ...]
    turns: Range
    prompt_tokens: Range
    steps: tuple[str, ...]
    helper: Agent | None = None
    outcome: tuple[str, float] | None = None
    waits: float = 0.0
    embeds: bool = False


_OWN_CODE: Final = "acme.agents"
_AGENTS_SDK: Final = "opentelemetry.instrumentation.genai.openai_agents"

RUN_TESTS: Final = Tool("run_tests", (4_000, 25_000), (300, 2_500))
_READ_FILE: Final = Tool("read_file", (5, 60), (400, 3_500))
_GREP: Final = Tool("grep", (20, 400), (80, 1_200))
_EDIT_FILE: Final = Tool("edit_file", (5, 80), (20, 200))
_GIT_DIFF: Final = Tool("git_diff", (30, 300), (500, 4_000))

TEST_RUNNER: Final = Agent(
    name="test-runner",
    service="code-review-bot",
    scope=_OWN_CODE,
    models=((HAIKU, 1),),
    tools=(RUN_TESTS, _READ_FILE),
    instructions_tokens=2_100,
    output_tokens=(60, 300),
)
PR_REVIEWER: Final = Agent(
    name="pr-reviewer",
    service="code-review-bot",
    scope=_OWN_CODE,
    models=((SONNET, 9), (GPT_5, 1)),
    tools=(_READ_FILE, _GREP, _GIT_DIFF, _EDIT_FILE),
    instructions_tokens=6_500,
    output_tokens=(120, 700),
)
TRIAGE: Final = Agent(
    name="triage-bot",
    service="support-desk",
    scope=_AGENTS_SDK,
    models=((GPT_5, 1),),
    tools=(
        Tool("search_tickets", (80, 900), (300, 1_800)),
        Tool("lookup_customer", (40, 300), (100, 500)),
        Tool("update_ticket", (60, 400), (20, 80)),
    ),
    instructions_tokens=2_800,
    output_tokens=(80, 450),
    streams=True,
    streams_without_usage=0.03,
)
SUMMARISER: Final = Agent(
    name="summariser",
    service="research-desk",
    scope=_OWN_CODE,
    models=((FLASH, 1),),
    tools=(Tool("read_page", (100, 900), (1_500, 6_000)),),
    instructions_tokens=1_200,
    output_tokens=(200, 700),
    dated=True,
)
ANALYST: Final = Agent(
    name="analyst",
    service="research-desk",
    scope=_AGENTS_SDK,
    models=((GPT_5, 8), (GEMINI_PRO, 2)),
    tools=(
        Tool("web_search", (400, 2_500), (800, 3_000)),
        Tool("fetch_page", (300, 4_000), (1_500, 7_000)),
        Tool("write_notes", (5, 40), (20, 120)),
    ),
    instructions_tokens=3_400,
    output_tokens=(150, 900),
    compact_at_tokens=60_000,
)
INVOICE_BOT: Final = Agent(
    name="invoice-bot",
    service="accounts-payable",
    scope=_OWN_CODE,
    models=((FLASH, 17), (UNKNOWN, 1)),
    tools=(
        Tool("ocr_page", (600, 3_000), (700, 2_600)),
        Tool("lookup_vendor", (30, 250), (80, 400)),
        Tool("post_entry", (60, 500), (20, 90)),
    ),
    instructions_tokens=2_300,
    output_tokens=(150, 600),
)
SQL_WRITER: Final = Agent(
    name="sql-writer",
    service="analytics-copilot",
    scope=_OWN_CODE,
    models=((HAIKU, 9), (GPT_5_MINI, 3), (LOCAL, 1)),
    tools=(
        Tool("describe_table", (20, 200), (200, 1_400)),
        Tool("run_query", (150, 9_000), (60, 2_200)),
    ),
    instructions_tokens=4_200,
    output_tokens=(90, 500),
    streams=True,
)
CONTRACT_READER: Final = Agent(
    name="contract-reader",
    service="legal-desk",
    scope=_OWN_CODE,
    models=((SONNET, 1),),
    tools=(
        Tool("read_clauses", (50, 500), (2_000, 6_000)),
        Tool("compare_template", (80, 700), (400, 1_800)),
    ),
    instructions_tokens=3_800,
    output_tokens=(250, 1_100),
)

USERS: Final = (
    User("amira", "developer-tools", "platform"),
    User("bruno", "developer-tools", "platform"),
    User("chen", "data-platform", "platform"),
    User("dalia", "first-line", "support"),
    User("emil", "first-line", "support"),
    User("farah", "escalations", "support"),
    User("goran", "payables", "finance"),
    User("hana", "controlling", "finance"),
    User("ines", "market-insight", "strategy"),
    User("jonas", "legal", "strategy"),
)

CODE_REVIEW: Final = Task(
    name="code-review",
    agent=PR_REVIEWER,
    weight=20,
    business_units=("platform", "platform", "platform", "finance"),
    turns=(5, 16),
    prompt_tokens=(2_000, 9_000),
    steps=("read", "inspect", "verify", "comment"),
    helper=TEST_RUNNER,
    outcome=("pr_merged", 0.8),
)
SUPPORT_TRIAGE: Final = Task(
    name="support-triage",
    agent=TRIAGE,
    weight=30,
    business_units=("support",),
    turns=(2, 7),
    prompt_tokens=(300, 1_800),
    steps=("classify", "look-up", "answer"),
    waits=0.06,
    embeds=True,
    outcome=("ticket_resolved", 0.7),
)
RESEARCH_BRIEF: Final = Task(
    name="research-brief",
    agent=ANALYST,
    weight=12,
    business_units=("strategy", "strategy", "finance"),
    turns=(8, 19),
    prompt_tokens=(400, 2_500),
    steps=("plan", "search", "read", "write"),
    helper=SUMMARISER,
    embeds=True,
)
INVOICE_EXTRACT: Final = Task(
    name="invoice-extract",
    agent=INVOICE_BOT,
    weight=18,
    business_units=("finance",),
    turns=(2, 6),
    prompt_tokens=(800, 4_000),
    steps=("read", "match", "post"),
    outcome=("invoice_posted", 0.9),
)
SQL_GEN: Final = Task(
    name="sql-gen",
    agent=SQL_WRITER,
    weight=14,
    business_units=("platform", "support", "finance", "strategy"),
    turns=(3, 9),
    prompt_tokens=(200, 1_200),
    steps=("explore", "draft", "check"),
    waits=0.08,
)
CONTRACT_SUMMARY: Final = Task(
    name="contract-summary",
    agent=CONTRACT_READER,
    weight=6,
    business_units=("strategy", "finance"),
    turns=(4, 11),
    prompt_tokens=(6_000, 18_000),
    steps=("read", "compare", "write"),
    waits=0.1,
)
TASKS: Final = (
    CODE_REVIEW,
    SUPPORT_TRIAGE,
    RESEARCH_BRIEF,
    INVOICE_EXTRACT,
    SQL_GEN,
    CONTRACT_SUMMARY,
)
