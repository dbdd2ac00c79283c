"""Farthing's own spans: calls that no other instrumentation tells of."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="own",
    scopes=("farthing.instrumentation*",),
    attributes=semconv.GEN_AI,
    evidence="written by farthing.instrumentation.watching.spans, input inclusive",
)
