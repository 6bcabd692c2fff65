import { Cause, Context, Effect, Exit, Layer, Option, Predicate, References, Tracer } from "effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import type { TracingConfig } from "./TracingConfig.ts"

export interface TracingOptions {
  /** Null: nothing is traced. */
  readonly config: TracingConfig | null
  readonly serviceName: string
  readonly serviceVersion: string
}

/** Whether anybody gets the spans that are made here. */
export const isTraced: Effect.Effect<boolean> = Effect.map(Tracer.Tracer, (tracer) => tracer !== Tracer.nativeTracer)

/** Spans of what is built on this go to a collector, by OTLP over HTTP. */
export const layer = (options: TracingOptions): Layer.Layer<never, never, HttpClient.HttpClient> => {
  const { config, serviceName, serviceVersion } = options
  // Spans that nobody gets are not worth their making.
  if (config === null) return Layer.succeed(References.TracerEnabled, false)
  const exported = OtlpTracer.make({
    url: config.url,
    headers: config.headers,
    exportInterval: config.intervalMs,
    resource: { serviceName: config.serviceName ?? serviceName, serviceVersion, attributes: { ...config.attributes } }
  })
  return Layer.effect(
    Tracer.Tracer,
    Effect.map(exported, (tracer) => holding(tracer, config.ratio))
  ).pipe(
    Layer.provide([
      OtlpExporter.layerFlusher,
      config.isProtobuf ? OtlpSerialization.layerProtobuf : OtlpSerialization.layerJson
    ])
  )
}

/** Where a trace stands among all, by its id: whoever looks at it finds the same. */
const share = (traceId: string): number => Number.parseInt(traceId.slice(-8), 16) / 2 ** 32

/** Addresses and headers of requests may hold what opens doors. */
const hidden = /^(?:url\.(?:full|query)$|http\.(?:request|response)\.header\.)/

/** Begins traces only where something comes in from outside, so many of them as are wanted, and lets out no words of errors. */
const holding = (inner: Tracer.Tracer, ratio: number): Tracer.Tracer =>
  Tracer.make({
    span: (options) => {
      const span = inner.span(options)
      const comesIn = options.root || options.kind === "server"
      const isWanted = Option.isSome(options.parent) || (comesIn && share(span.traceId) < ratio)
      const [attribute, end] = [span.attribute.bind(span), span.end.bind(span)]
      return Object.assign(span, {
        sampled: options.sampled && isWanted,
        attribute: (key: string, value: unknown) => void (hidden.test(key) || attribute(key, value)),
        end: (endTime: bigint, exit: Exit.Exit<unknown, unknown>) => end(endTime, withoutWords(exit))
      })
    },
    ...(inner.context === undefined ? {} : { context: inner.context })
  })

/** Errors quote what they are about: prompts, files, answers of servers. Only what kind they are of is told. */
const withoutWords = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return exit
  const kind = kindOf(Cause.squash(exit.cause))
  const error = new Error(kind)
  return Exit.fail(Object.assign(error, { name: kind, stack: kind }))
}

const kindOf = (error: unknown): string => {
  if (Predicate.hasProperty(error, "_tag") && typeof error._tag === "string") return error._tag
  return error instanceof Error ? error.name : "unknown"
}

/** The span in which this runs, as W3C writes it for others; null where nobody gets it. */
export const traceparent: Effect.Effect<string | null> = Effect.flatMap(isTraced, (traced) =>
  traced
    ? Effect.map(Effect.serviceOption(Tracer.ParentSpan), (span) => (Option.isSome(span) ? written(span.value) : null))
    : Effect.succeed(null)
)

/** The trace in which this runs; null where nobody gets it. */
export const traceId: Effect.Effect<string | null> = Effect.map(traceparent, (text) => text?.split("-")[1] ?? null)

const written = ({ sampled, spanId, traceId }: Tracer.AnySpan): string =>
  `00-${traceId.padStart(32, "0")}-${spanId}-${sampled ? "01" : "00"}`

const form = /^00-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})$/

/** The span that somebody else wrote down. */
export const spanOf = (text: string): Tracer.ExternalSpan | null => {
  const { flags, spanId, traceId } = form.exec(text)?.groups ?? {}
  if (flags === undefined || spanId === undefined || traceId === undefined) return null
  return Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 })
}

/** Content for spans, as text and without secrets; null where none is wanted. */
export const SpanContent = Context.Reference<(value: unknown) => string | null>("troupe/SpanContent", {
  defaultValue: () => () => null
})
