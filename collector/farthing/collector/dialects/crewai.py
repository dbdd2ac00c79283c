"""OpenLLMetry's CrewAI: agents and tasks only, the task's text in the span's name."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="crewai",
    scopes=("opentelemetry.instrumentation.crewai*",),
    attributes={
        **semconv.GEN_AI,
        "operation": ("gen_ai.operation.name", "traceloop.span.kind"),
    },
    private_names=True,
    evidence=(
        "span names are `{description}.task` and `{role}.agent`; usage is repeated in "
        "crewai.crew.token_usage, not read: CrewAI 1.15, OpenLLMetry 0.62.4"
    ),
)
