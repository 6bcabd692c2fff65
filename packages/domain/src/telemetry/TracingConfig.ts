import { Result } from "effect"
import { variables as declared, variableNames } from "../Variables.ts"

export type Variables = Readonly<Record<string, string | undefined>>

/** Where spans go, and which of them. */
export interface TracingConfig {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly isProtobuf: boolean
  /** Of the traces that begin here; those that begin elsewhere are as whoever began them said. */
  readonly ratio: number
  readonly intervalMs: number
  readonly serviceName: string | null
  readonly attributes: Readonly<Record<string, string>>
  /** Whether spans may hold what models are told and say. */
  readonly hasContent: boolean
}

/** The variables of the OpenTelemetry specification that count here. */
export const tracingVariables = variableNames.filter((name) => name.startsWith("OTEL_"))

const protocols = [declared.OTEL_EXPORTER_OTLP_PROTOCOL.usual, "http/protobuf"] as const

class Invalid extends Error {}

const number = (name: string, text: string | undefined, usual: number, most: number): number => {
  if (text === undefined || text === "") return usual
  const found = Number(text)
  if (Number.isFinite(found) && found >= 0 && found <= most) return found
  throw new Invalid(`${name} is no number from 0 to ${most}`)
}

/** `name=value,name=value`, each percent-encoded. What they hold may be secret and is quoted nowhere. */
const pairs = (name: string, text: string | undefined): Readonly<Record<string, string>> => {
  const parts = (text ?? "").split(",").filter((part) => part.trim() !== "")
  try {
    return Object.fromEntries(
      parts.map((part) => {
        const at = part.indexOf("=")
        if (at < 1) throw new Invalid()
        return [decodeURIComponent(part.slice(0, at).trim()), decodeURIComponent(part.slice(at + 1).trim())]
      })
    )
  } catch {
    throw new Invalid(`${name} is no list of name=value`)
  }
}

const endpointOf = (variables: Variables): string | undefined => {
  const own = variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || undefined
  const all = variables["OTEL_EXPORTER_OTLP_ENDPOINT"] || undefined
  const text = own ?? (all === undefined ? undefined : `${all.replace(/\/+$/, "")}/v1/traces`)
  if (text === undefined) return undefined
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text
  throw new Invalid(`OTEL_EXPORTER_OTLP_${own === undefined ? "" : "TRACES_"}ENDPOINT is no http(s) address`)
}

const ratioOf = (variables: Variables): number => {
  const sampler = variables["OTEL_TRACES_SAMPLER"] ?? ""
  if (sampler.endsWith("always_off")) return 0
  const name = "OTEL_TRACES_SAMPLER_ARG"
  const { usual } = declared[name]
  return sampler.endsWith("traceidratio") ? number(name, variables[name], usual, 1) : 1
}

const read = (variables: Variables): TracingConfig | null => {
  const exporters = (variables["OTEL_TRACES_EXPORTER"] || declared.OTEL_TRACES_EXPORTER.usual)
    .split(",")
    .map((one) => one.trim())
  const url = endpointOf(variables)
  if (url === undefined || variables["OTEL_SDK_DISABLED"] === "true" || !exporters.includes("otlp")) return null
  const protocol =
    variables["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || variables["OTEL_EXPORTER_OTLP_PROTOCOL"] || protocols[0]
  if (!protocols.some((known) => known === protocol)) {
    throw new Invalid(`OTEL_EXPORTER_OTLP_PROTOCOL takes ${protocols.join(" and ")}`)
  }
  const headers = (name: string) => pairs(name, variables[name])
  const delay = "OTEL_BSP_SCHEDULE_DELAY"
  return {
    url,
    headers: { ...headers("OTEL_EXPORTER_OTLP_HEADERS"), ...headers("OTEL_EXPORTER_OTLP_TRACES_HEADERS") },
    isProtobuf: protocol === "http/protobuf",
    ratio: ratioOf(variables),
    intervalMs: number(delay, variables[delay], declared[delay].usual, 3_600_000),
    serviceName: variables["OTEL_SERVICE_NAME"] || null,
    attributes: pairs("OTEL_RESOURCE_ATTRIBUTES", variables["OTEL_RESOURCE_ATTRIBUTES"]),
    hasContent: variables["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] === "true"
  }
}

/** What the variables say; null where nothing is traced. A failure says which of them can't be meant. */
export const tracingConfig = (variables: Variables): Result.Result<TracingConfig | null, string> => {
  try {
    return Result.succeed(read(variables))
  } catch (cause) {
    if (cause instanceof Invalid) return Result.fail(cause.message)
    throw cause
  }
}
