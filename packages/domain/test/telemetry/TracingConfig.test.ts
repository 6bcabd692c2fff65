import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { tracingConfig, type Variables } from "../../src/telemetry/TracingConfig.ts"
import { spanOf } from "../../src/telemetry/Tracing.ts"

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" }
const read = (variables: Variables) => Result.getOrThrow(tracingConfig(variables))
const wrong = (variables: Variables) => {
  const result = tracingConfig({ ...endpoint, ...variables })
  return Result.isFailure(result) ? result.failure : assert.fail("it was taken")
}

describe("The settings of OpenTelemetry", () => {
  it("trace nothing until somebody says where spans go, or where somebody says so", () => {
    assert.isNull(read({}))
    assert.isNull(read({ ...endpoint, OTEL_SDK_DISABLED: "true" }))
    assert.isNull(read({ ...endpoint, OTEL_TRACES_EXPORTER: "none" }))
  })

  it("name the collector, with what it wants to see, and no words without being told", () => {
    assert.deepStrictEqual(read({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b, team = ours" }), {
      url: "http://collector:4318/v1/traces",
      headers: { "api-key": "a b", team: "ours" },
      isProtobuf: false,
      ratio: 1,
      intervalMs: 5_000,
      serviceName: null,
      attributes: {},
      hasContent: false
    })
    const own = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces/here",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true"
    }
    assert.deepInclude(read({ ...endpoint, ...own }), {
      url: "https://traces/here",
      isProtobuf: true,
      hasContent: true
    })
  })

  it("choose how many of the traces that begin here", () => {
    const ratio = (sampler: string, arg?: string) =>
      read({ ...endpoint, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg })?.ratio
    assert.strictEqual(ratio("parentbased_traceidratio", "0.25"), 0.25)
    assert.strictEqual(ratio("always_off"), 0)
    assert.strictEqual(ratio("parentbased_always_on", "0.25"), 1)
  })

  it("are refused where they can't be meant, without what may be secret in them", () => {
    assert.include(wrong({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }), "OTEL_EXPORTER_OTLP_ENDPOINT")
    assert.include(wrong({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }), "http/protobuf")
    assert.include(wrong({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" }), "from 0 to 1")
    for (const headers of ["sesame", "=sesame", "a=%sesame"]) {
      const said = wrong({ OTEL_EXPORTER_OTLP_HEADERS: headers })
      assert.include(said, "OTEL_EXPORTER_OTLP_HEADERS")
      assert.notInclude(said, "sesame")
    }
  })
})

describe("A span that somebody else wrote down", () => {
  it("is read as W3C writes it, and not where it is none", () => {
    const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]
    assert.deepInclude(spanOf(`00-${trace}-${span}-01`), { traceId: trace, spanId: span, sampled: true })
    assert.deepInclude(spanOf(`00-${trace}-${span}-00`), { sampled: false })
    for (const text of ["", `01-${trace}-${span}-01`, `00-${trace}-${span}`, `00-${span}-${trace}-01`]) {
      assert.isNull(spanOf(text))
    }
  })
})
