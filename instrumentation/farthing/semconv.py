"""Attribute names: Farthing's own, and OpenTelemetry's for GenAI since they began.

Standard library only. Where a name was renamed, the newest comes first: readers take
the first that is not empty. Source: open-telemetry/semantic-conventions up to v1.41 and
open-telemetry/semantic-conventions-genai after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TASK_TYPE: Final = "farthing.task.type"
TASK_ID: Final = "farthing.task.id"
STEP_NAME: Final = "farthing.step.name"
BUSINESS_UNIT: Final = "farthing.business_unit"
TEAM: Final = "farthing.team"
USER: Final = "farthing.user"
OUTCOME_NAME: Final = "farthing.outcome.name"
OUTCOME_VALUE: Final = "farthing.outcome.value"

BATCH: Final = "farthing.batch"
GEO: Final = "farthing.inference.geo"
SPEED: Final = "farthing.inference.speed"
SERVICE_TIER: Final = "farthing.inference.service_tier"
WEB_SEARCHES: Final = "farthing.usage.web_searches"
WEB_FETCHES: Final = "farthing.usage.web_fetches"
TOOL_INPUT: Final = "farthing.usage.tool_input_tokens"
"""Input that the provider's own tools added to the prompt, outside the input total."""
TOTAL_TOKENS: Final = "farthing.usage.total_tokens"
"""Every token of the call, as its provider sums them."""
CACHE_WRITE_SHORT: Final = "farthing.usage.cache_write_short_tokens"
CACHE_WRITE_LONG: Final = "farthing.usage.cache_write_long_tokens"

USAGE_STATE: Final = "farthing.usage.state"
"""How much of its usage a call tells: one of the following."""
USAGE_COMPLETE: Final = "complete"
USAGE_PARTIAL: Final = "partial"
"""A stream that was left or cut: what is told is a lower bound."""
USAGE_MISSING: Final = "missing"
"""Sent, and given up before an answer came: it may have been billed all the same."""

ATTRIBUTION: Final[Mapping[str, tuple[str, ...]]] = {
    "task_type": (TASK_TYPE,),
    "task_id": (TASK_ID,),
    "step": (STEP_NAME,),
    "business_unit": (BUSINESS_UNIT,),
    "team": (TEAM,),
    "user": (USER,),
    "batch": (BATCH,),
    "geo": (GEO,),
    "region": ("farthing.inference.region",),
    "deployment": ("farthing.inference.deployment",),
    "speed": (SPEED,),
    "web_searches": (WEB_SEARCHES,),
    "tool_input": (TOOL_INPUT,),
    "usage_state": (USAGE_STATE,),
}
"""Field -> names that say for whom and how a call was made; every dialect has them."""

RESOURCE: Final[Mapping[str, tuple[str, ...]]] = {
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "task_type": (TASK_TYPE,),
    "task_id": (TASK_ID,),
    "step": (STEP_NAME,),
    "business_unit": (BUSINESS_UNIT,),
    "team": (TEAM,),
    "user": (USER,),
}
"""Field -> resource attributes, the fallback for what a span does not say itself."""

GEN_AI: Final[Mapping[str, tuple[str, ...]]] = {
    **ATTRIBUTION,
    "operation": ("gen_ai.operation.name",),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "request_model": ("gen_ai.request.model",),
    "response_model": ("gen_ai.response.model",),
    "response_id": ("gen_ai.response.id",),
    "finish_reasons": ("gen_ai.response.finish_reasons",),
    "conversation_id": ("gen_ai.conversation.id", "session.id"),
    "agent": ("gen_ai.agent.name",),
    "tool_name": ("gen_ai.tool.name",),
    "tool_call_id": ("gen_ai.tool.call.id",),
    "host": ("server.address",),
    "error_type": ("error.type",),
    "service_tier": (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "anthropic.response.service_tier",
        SERVICE_TIER,
    ),
    "request_tier": (
        "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
        "anthropic.request.service_tier",
    ),
    "input_total": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_total": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cache_read": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_read_tokens",
        "gen_ai.usage.cached_input_tokens",
        "gen_ai.usage.input_tokens.cached",
    ),
    "cache_write": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.cache_creation_tokens",
        "gen_ai.usage.cache_write_tokens",
        "gen_ai.usage.input_tokens.cache_write",
    ),
    "cache_write_5m": (
        "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
        CACHE_WRITE_SHORT,
    ),
    "cache_write_1h": (
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.details.ephemeral_1h_input_tokens",
        CACHE_WRITE_LONG,
    ),
    "reasoning": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.output_tokens.reasoning",
    ),
    "input_audio": ("gen_ai.usage.audio.input_tokens",),
    "cache_audio": ("gen_ai.usage.audio.cache_read.input_tokens",),
    "output_audio": ("gen_ai.usage.audio.output_tokens",),
    "total_tokens": (
        "gen_ai.usage.total_tokens",
        "llm.usage.total_tokens",
        TOTAL_TOKENS,
    ),
    "compaction_input": ("anthropic.usage.compaction.input_tokens",),
    "compaction_output": ("anthropic.usage.compaction.output_tokens",),
    "claimed_usd": ("gen_ai.usage.cost.amount",),
    "claim_currency": ("gen_ai.usage.cost.currency",),
    "first_chunk_s": ("gen_ai.response.time_to_first_chunk",),
    "streamed": (
        "gen_ai.request.stream",
        "gen_ai.request.is_stream",
        "gen_ai.is_streaming",
    ),
}
"""Field -> official GenAI names, today's first."""

FINGERPRINT: Final = "farthing.fingerprint."
"""Prefix of what a span says of its own content without saying it.

A tool span: the fields of STEP_FIELDS. A model call: `text_hash`, `text_norm_hash` of
its reply; `prefix_hash`, `prefix_len` of system prompt and tool definitions, and
`tools_hash`, `tools_len` of the definitions alone; `user_turn`, whether a person spoke
since the last call.
"""

TOOL_RESULTS: Final = "farthing.tool_results."
"""Prefix of what a model call says of the tool results that it was newly handed.

Arrays of texts of one length, an element per result: `call_id`, `name` and the fields
of STEP_FIELDS. So tools are seen where nothing emits tool spans; readers count a
`call_id` once, however often and by whichever span it is told.
"""

STEP_FIELDS: Final[tuple[str, ...]] = (
    "args_hash",
    "args_norm_hash",
    "args_len",
    "args_simhash",
    "result_hash",
    "result_norm_hash",
    "result_shape_hash",
    "result_len",
    "result_simhash",
    "empty",
    "error",
    "err_sig_hash",
    "retryable",
)
"""Fingerprints of one tool call: keyed hashes (16 hex digits), lengths in characters,
64-bit similarity hashes (hex), and whether the result is empty or an error.

`norm`: numbers, ids, times and paths replaced; `shape`: quotes and numbers removed, of
short results; `err_sig`: the first line that looks like an error, or the last of a
traceback, normalised. What is not known is the empty text.
"""

CONTENT: Final[tuple[str, ...]] = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.description",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.content",
    "gen_ai.retrieval",
    "gen_ai.evaluation.explanation",
    "gen_ai.usage.raw",
    "llm.input_messages",
    "llm.output_messages",
    "llm.prompts",
    "llm.completions",
    "llm.prompt_template",
    "llm.invocation_parameters",
    "llm.tools",
    "llm.function_call",
    "input.value",
    "output.value",
    "embedding.embeddings",
    "embedding.text",
    "embedding.vector",
    "retrieval.documents",
    "reranker",
    "message.content",
    "document.content",
    "tool.parameters",
    "tool_call.function.arguments",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "traceloop.prompt",
    "ai.prompt",
    "ai.response.text",
    "ai.response.object",
    "ai.response.toolCalls",
    "ai.response.reasoning",
    "ai.result",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "ai.value",
    "ai.embedding",
    "crewai",
    "anthropic.tool_result",
    "anthropic.content",
    "user_prompt",
    "prompt",
    "completion",
    "request_data",
    "response_data",
    "all_messages",
    "all_messages_events",
    "final_result",
    "model_request_parameters",
    "tool_arguments",
    "tool_response",
    "events",
    "messages",
    "metadata",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.observation.metadata",
    "langfuse.observation.status_message",
    "langfuse.trace.input",
    "langfuse.trace.output",
    "langfuse.trace.metadata",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.llm_response",
    "gcp.vertex.agent.tool_call_args",
    "gcp.vertex.agent.tool_response",
    "gcp.vertex.agent.data",
    "braintrust.input",
    "braintrust.input_json",
    "braintrust.output",
    "braintrust.output_json",
    "braintrust.metadata",
    "haystack.component.input",
    "haystack.component.output",
    "haystack.pipeline.input_data",
    "haystack.pipeline.output_data",
    "lk.chat_ctx",
    "lk.instructions",
    "lk.input_text",
    "lk.user_input",
    "lk.user_transcript",
    "lk.response.text",
    "lk.response.function_calls",
    "lk.function_tool.arguments",
    "lk.function_tool.output",
    "gen_ai.output_messages",
    "gen_ai.message.content",
    "gen_ai.tool.args",
    "gen_ai.tool.input",
    "gen_ai.tool.input_kwargs",
    "gen_ai.tool.output",
    "gen_ai.tool.result",
    "gen_ai.tool.error",
    "gen_ai.tool.parameters",
    "gen_ai.tool.schema",
    "gen_ai.response.tool_calls",
    "gen_ai.response.image",
    "gen_ai.response.speech",
    "gen_ai.request.speech.prompt",
    "gen_ai.request.parameters",
    "gen_ai.request.extra_body",
    "gen_ai.request.extra_query",
    "gen_ai.serialized",
    "gen_ai.workflow.input",
    "gen_ai.workflow.output",
    "gen_ai.workflow.description",
    "gen_ai.execution.input",
    "gen_ai.execution.output",
    "gen_ai.execution.error",
    "gen_ai.task.description",
    "gen_ai.task.expected_output",
    "gen_ai.agent.description",
    "gen_ai.agent.goal",
    "gen_ai.agent.context",
    "gen_ai.agent.instructions",
    "gen_ai.agent.introduction",
    "gen_ai.agent.params",
    "gen_ai.agent.task",
    "gen_ai.agent.expected_output",
    "gen_ai.agent.actual_output",
    "gen_ai.agent.human_input",
    "gen_ai.agent.tool_results",
    "gen_ai.agent.thinking",
    "gen_ai.agent.memory",
    "gen_ai.agent.next_goal",
    "gen_ai.agent.evaluation",
    "gen_ai.agent.actions",
    "gen_ai.agent.action_errors",
    "gen_ai.agent.final_result",
    "gen_ai.agent.step_messages",
    "gen_ai.agent.page_title",
    "gen_ai.action.error",
    "gen_ai.browser",
    "gen_ai.crawl.js_code",
    "gen_ai.extraction",
    "gen_ai.framework.query",
    "gen_ai.framework.pipeline",
    "gen_ai.framework.error",
    "gen_ai.memory",
    "gen_ai.knowledge",
    "gen_ai.vectordb.search",
    "guard.explanation",
    "evals.explanation",
    "db.filter",
    "db.where_document",
    "db.metadata",
    "db.update",
    "db.vector.query",
    "db.query.summary",
    "mcp.params",
    "mcp.result",
    "mcp.request.payload",
    "mcp.response.payload",
    "mcp.error",
    "mcp.tool.arguments",
    "mcp.tool.result",
    "mcp.tool.description",
    "mcp.sampling.messages",
    "mcp.completion",
    "mcp.progress",
    "mcp.fastmcp",
    "mcp.auth",
    "langsmith.metadata",
    "langsmith.request.headers",
    "spring.ai.chat.client.system",
    "spring.ai.chat.client.user",
    "spring.ai.tool.call",
    "exception.message",
    "exception.stacktrace",
    "logfire.msg",
    "db.statement",
    "db.query.text",
    "http.request.body",
    "http.response.body",
    "url.full",
    "url.query",
    "http.url",
    "http.target",
)
"""Names, and prefixes up to a dot, of attributes that may hold what people wrote.

The ledger does not store them, whatever the emitter was told.
"""
