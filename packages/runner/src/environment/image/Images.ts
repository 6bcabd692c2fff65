import type { SandboxSize } from "@troupe/domain/environment/EnvironmentConfig"
import { Effect, Option, Result, Schema, Stream } from "effect"
import { egress, type Sandbox, type SandboxError } from "../../sandbox/Sandbox.ts"
import { label } from "../../sandbox/docker/ContainerConfig.ts"
import { inspectImage, listContainers, removeImage } from "../../sandbox/docker/Engine.ts"
import type { EngineApi } from "../../sandbox/docker/EngineApi.ts"
import { type EngineError, isStatus } from "../../sandbox/docker/EngineError.ts"
import { PreparationFailed, type PreparationTrouble } from "../PreparationFailed.ts"
import { linesKept, type OnLine, TextLines } from "../runStep.ts"
import { readDockerfile } from "./readDockerfile.ts"
import { tarOf } from "./tarOf.ts"

export interface ImageBuild {
  readonly name: string
  readonly dockerfile: string
  readonly size: SandboxSize
  /** Whose network the build's commands have; null: none. */
  readonly within: Sandbox | null
  readonly onLine: OnLine
}

/** Makes images of Dockerfiles, on the engine that sandboxes run on. */
export interface Images {
  /** What a Dockerfile begins with, by what it is and not by its name. They have to be there: nothing is pulled. */
  readonly bases: (dockerfile: string) => Effect.Effect<ReadonlyArray<string>, PreparationFailed>
  readonly has: (name: string) => Effect.Effect<boolean, PreparationFailed>
  /** Answers how many bytes it takes. */
  readonly build: (build: ImageBuild) => Effect.Effect<number, PreparationFailed>
  /** One that a container still uses stays. */
  readonly remove: (name: string) => Effect.Effect<void>
}

export interface ImagesOptions {
  readonly engine: Effect.Effect<EngineApi, SandboxError>
  /** Which runner this is, on this engine. */
  readonly owner: string
  readonly timeoutMs?: number
}

const buildMs = 30 * 60_000

const failed = (reason: PreparationTrouble, cause?: unknown) =>
  new PreparationFailed({ step: "dockerfile", reason, ...(cause === undefined ? {} : { cause }) })
const refused = (detail: string) => failed({ _tag: "Refused", detail })
const unusable = (error: EngineError | SandboxError) => failed({ _tag: "Sandbox", detail: error.message }, error)

/** One line of what the engine says while it builds. */
const Said = Schema.fromJsonString(
  Schema.Struct({
    stream: Schema.optionalKey(Schema.String),
    error: Schema.optionalKey(Schema.String)
  })
)
const decodeSaid = Schema.decodeUnknownOption(Said)

const proxy = `http://${egress.host}:${egress.port}`
/** Known to every build without being declared, and kept in no image. */
const proxied = { HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, https_proxy: proxy }

/** What the engine says is one JSON object a line. */
const answerLineMax = 65_536

const mebibyte = 1_048_576

const queryOf = ({ name, size }: ImageBuild, network: string, owner: string) => {
  const memory = String(Math.floor(size.memoryMb * mebibyte))
  const limit = (Name: string, value: number) => ({ Name, Soft: value, Hard: value })
  return {
    t: name,
    rm: "true",
    forcerm: "true",
    // The builder that keeps to these limits, and needs no session beside the request.
    version: "1",
    networkmode: network,
    buildargs: JSON.stringify(network === "none" ? {} : proxied),
    labels: JSON.stringify({ [label.owner]: owner, [label.role]: "image" }),
    memory,
    memswap: memory,
    cpuperiod: "100000",
    cpuquota: String(Math.round(size.cpus * 100_000)),
    ulimits: JSON.stringify([limit("nofile", 4_096), limit("core", 0), limit("fsize", size.diskMb * mebibyte)])
  }
}

export const makeImages = ({ engine, owner, timeoutMs = buildMs }: ImagesOptions): Images => {
  const connected = Effect.mapError(engine, unusable)

  const inspect = Effect.fnUntraced(function* (name: string) {
    const api = yield* connected
    return yield* inspectImage(api, name).pipe(
      Effect.catchIf(isStatus(404), () => Effect.succeed(null)),
      Effect.mapError(unusable)
    )
  })

  const bases = Effect.fn("Images.bases")(function* (dockerfile: string) {
    const read = readDockerfile(dockerfile)
    if (Result.isFailure(read)) return yield* refused(read.failure)
    return yield* Effect.forEach(
      read.success.bases,
      Effect.fnUntraced(function* (name) {
        const found = yield* inspect(name)
        return found?.Id ?? (yield* refused(`the image ${name} is not on this host: its owner has to pull or build it`))
      })
    )
  })

  const networkOf = Effect.fnUntraced(function* (api: EngineApi, within: Sandbox | null) {
    if (within === null) return "none"
    const found = yield* Effect.mapError(listContainers(api, { owner, sandbox: within.spec.sandboxId }), unusable)
    const container = found.find(({ Labels }) => Labels[label.role] === "sandbox")
    return container === undefined
      ? yield* failed({ _tag: "Sandbox", detail: "the build's network is gone" })
      : `container:${container.Id}`
  })

  const build = Effect.fn("Images.build")(function* (asked: ImageBuild) {
    const api = yield* connected
    const network = yield* networkOf(api, asked.within)
    const said: Array<string> = []
    const [lines, answer] = [new TextLines(), new TextLines(answerLineMax)]
    const hear = (text: string) =>
      Effect.forEach(lines.push(Buffer.from(text)), (line) => {
        said.push(line)
        if (said.length > linesKept) said.shift()
        return asked.onLine(line)
      })
    const received = (json: string) => {
      const { error, stream } = Option.getOrElse(decodeSaid(json), (): typeof Said.Type => ({}))
      return error === undefined
        ? hear(stream ?? "")
        : Effect.andThen(hear("\n"), Effect.fail(failed({ _tag: "Failed", ending: error.slice(0, 500), said })))
    }
    yield* api
      .upload({
        method: "POST",
        path: "/build",
        query: queryOf(asked, network, owner),
        upload: { type: "application/x-tar", bytes: tarOf("Dockerfile", Buffer.from(asked.dockerfile)) }
      })
      .pipe(
        Stream.mapError(unusable),
        Stream.runForEach((bytes) => Effect.forEach(answer.push(bytes), received, { discard: true })),
        Effect.timeoutOrElse({
          duration: timeoutMs,
          orElse: () => failed({ _tag: "Failed", ending: `not done in ${Math.round(timeoutMs / 1_000)} s`, said })
        })
      )
    const { Size = 0 } = (yield* inspect(asked.name)) ?? (yield* failed({ _tag: "Failed", ending: "no image", said }))
    const megabytes = Math.ceil(Size / mebibyte)
    if (megabytes <= asked.size.diskMb) return Size
    yield* remove(asked.name)
    return yield* refused(`the image takes ${megabytes} MiB, and the environment's size has ${asked.size.diskMb} MiB`)
  })

  const remove = (name: string) =>
    Effect.ignore(Effect.flatMap(connected, (api) => Effect.mapError(removeImage(api, name), unusable)))

  return { bases, has: (name) => Effect.map(inspect(name), (found) => found !== null), build, remove }
}
