// Sends two spans with the exporter named on the command line; prints its verdict.
// usage: node export.mjs http|proto URL COMPRESSION [HEADER=VALUE]...
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { resourceFromAttributes } from "@opentelemetry/resources";

const [kind, url, compression, ...headers] = process.argv.slice(2);
const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${kind}`);

const memory = new InMemorySpanExporter();
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "js-agent" }),
  spanProcessors: [new SimpleSpanProcessor(memory)],
});
const tracer = provider.getTracer("js", "1.0");
for (const name of ["chat gpt-5", "embeddings"]) {
  const span = tracer.startSpan(name, { links: [{ context: tracer.startSpan("x").spanContext() }] });
  span.setAttributes({ "gen_ai.usage.input_tokens": 1200, cost: 0.5, stream: true, tags: ["a", "b"] });
  span.addEvent("first token", { at: 7 });
  span.setStatus({ code: 2, message: "söße" });
  span.end();
}

const exporter = new OTLPTraceExporter({
  url,
  compression,
  headers: Object.fromEntries(headers.map((header) => header.split("="))),
});
exporter.export(memory.getFinishedSpans(), async (result) => {
  await exporter.shutdown();
  const ids = memory.getFinishedSpans().map((span) => [span.spanContext().traceId, span.spanContext().spanId]);
  console.log(JSON.stringify({ code: result.code, error: result.error?.message ?? null, ids }));
});
