import { type FileError } from "@troupe/domain/runner/Files"
import { type PlaceRef, WorkplaceError } from "@troupe/domain/runner/Workplace"
import { Effect, Layer, Option, type Scope, Stream } from "effect"
import { BlobClient } from "../link/BlobClient.ts"
import type { Sandbox, SandboxError } from "../sandbox/Sandbox.ts"
import type { PlaceMount } from "../tools/ToolPlace.ts"
import { HostDirectories } from "../workingcopy/HostDirectories.ts"
import type { Place } from "./Place.ts"
import { Places } from "./Places.ts"
import { WorkplaceHost } from "./WorkplaceHost.ts"

const refuse = (code: string, detail: string, field: string | null = null) =>
  new WorkplaceError({ code, detail, field })

const snake = (name: string) => name.replace(/(?!^)([A-Z])/g, "_$1").toLowerCase()

const ofFile = (error: FileError) => refuse(`file_${snake(error.reason._tag)}`, error.message, "path")
const ofSandbox = (error: SandboxError) => {
  const { reason } = error
  return refuse(`sandbox_${snake(reason._tag)}`, error.message, reason._tag === "BadRequest" ? reason.field : null)
}
const ofOther = ({ message }: { readonly message: string }) => refuse("place_failed", message)

/** Of a file that is sent in pieces. */
const pieceBytes = 256 * 1_024
const execInputMax = 8 * 1_024 * 1_024

const insideOf = (path: string, place: Place): string =>
  path.startsWith("/") ? path : `${place.tools.workspace}/${path}`

const isBelow = (path: string, target: string) => path === target || path.startsWith(`${target}/`)

/** The directory of the session that a path is in: nothing else of the host can be named. */
const mountOf = (place: Place, path: string): Effect.Effect<PlaceMount, WorkplaceError> => {
  const inside = insideOf(path, place)
  const found = place.tools.mounts.find(({ target }) => isBelow(inside, target))
  return found === undefined
    ? Effect.fail(refuse("file_outside", `${path} is in no directory of the session`, "path"))
    : Effect.succeed(found)
}

/** What changes now is in no checkpoint. Where that can't be noted down nothing changes: it would be deleted one day. */
const changing = (place: Place) => Effect.mapError(place.rest({ kept: false }), ofOther)

const writable = (place: Place, path: string) =>
  Effect.filterOrFail(
    mountOf(place, path),
    ({ readOnly }) => !readOnly,
    () => refuse("file_denied", `${path} is read-only`, "path")
  ).pipe(Effect.tap(() => changing(place)))

/** What nodes ask of the places on this host, done. */
export const layer = Layer.effect(
  WorkplaceHost,
  Effect.gen(function* () {
    const places = yield* Places
    const blobs = yield* BlobClient
    const directories = yield* HostDirectories

    const at = ({ sessionId, ticket }: PlaceRef) => places.find(sessionId, ticket)

    /** Nodes know of a place once the log does, so a sandbox that sleeps, or that nothing needed before, is made for a call. */
    const sandboxAt = Effect.fnUntraced(function* (
      ref: PlaceRef
    ): Effect.fn.Return<readonly [Place, Sandbox], WorkplaceError, Scope.Scope> {
      const place = yield* at(ref)
      // What runs there may change anything, and no turn captures it.
      yield* changing(place)
      return [
        place,
        yield* Effect.mapError(
          place.sandbox(() => Effect.void),
          ofSandbox
        )
      ]
    })

    const withPlace = <A>(ref: PlaceRef, use: (place: Place) => Effect.Effect<A, WorkplaceError, Scope.Scope>) =>
      Effect.scoped(Effect.flatMap(at(ref), use))

    const streamAt = <A>(
      open: Effect.Effect<Stream.Stream<A, WorkplaceError>, WorkplaceError, Scope.Scope>
    ): Stream.Stream<A, WorkplaceError> => Stream.unwrap(open).pipe(Stream.rechunk(1))

    return WorkplaceHost.of({
      Exec: ({ command, cwd, input, place: ref, timeoutMs, variables }) =>
        streamAt(
          Effect.gen(function* () {
            if (input !== null && input.length > execInputMax) {
              return yield* refuse("too_large", `the input has more than ${execInputMax} bytes`, "input")
            }
            const [, sandbox] = yield* sandboxAt(ref)
            const process = yield* Effect.mapError(
              sandbox.exec({
                command: command as readonly [string, ...ReadonlyArray<string>],
                variables,
                input: input !== null,
                ...(cwd === null ? {} : { cwd }),
                ...(timeoutMs === null ? {} : { timeoutMs })
              }),
              ofSandbox
            )
            if (input !== null) {
              yield* Effect.forkScoped(Effect.ignore(Effect.andThen(process.write(input), process.closeInput)))
            }
            const output = Stream.map(process.output, (chunk) => ({ _tag: "Output", ...chunk }) as const)
            const end = Stream.fromEffect(Effect.map(process.ending, (ending) => ({ _tag: "Ended", ending }) as const))
            return Stream.concat(output, end)
          })
        ),

      OpenTerminal: ({ cwd, place: ref, size }) =>
        Effect.scoped(
          Effect.gen(function* () {
            const [place, sandbox] = yield* sandboxAt(ref)
            const terminalId = yield* place.terminals
              .open(sandbox, size, cwd)
              .pipe(Effect.mapError((error) => (error._tag === "SandboxError" ? ofSandbox(error) : ofOther(error))))
            return { terminalId }
          })
        ),
      ReadTerminal: ({ after, place: ref, terminalId }) =>
        streamAt(
          Effect.map(at(ref), ({ terminals }) =>
            Stream.mapError(terminals.read(terminalId, after), ({ message }) => refuse("terminal_gone", message))
          )
        ),
      WriteTerminal: ({ bytes, place, terminalId }) =>
        withPlace(place, ({ terminals }) => Effect.mapError(terminals.write(terminalId, bytes), ofTerminal)),
      ResizeTerminal: ({ place, size, terminalId }) =>
        withPlace(place, ({ terminals }) => Effect.mapError(terminals.resize(terminalId, size), ofTerminal)),
      CloseTerminal: ({ place, terminalId }) =>
        withPlace(place, ({ terminals }) => Effect.mapError(terminals.close(terminalId), ofTerminal)),

      ListFiles: ({ after, limit, path, place: ref }) =>
        withPlace(ref, (place) =>
          Effect.flatMap(mountOf(place, path), ({ directory }) => {
            const inside = insideOf(path, place)
            // As `ls` does, what is no directory is listed as itself.
            const itself = Effect.map(directory.stat(inside), (info) => ({ entries: [info], next: null }))
            return directory.list(inside, { limit, ...(after === null ? {} : { after }) }).pipe(
              Effect.catchIf(
                ({ reason }) => reason._tag === "NotADirectory" && after === null,
                () => itself
              ),
              Effect.mapError(ofFile)
            )
          })
        ),
      ReadFile: ({ length, offset, path, place: ref }) =>
        streamAt(
          Effect.gen(function* () {
            const place = yield* at(ref)
            const { directory } = yield* mountOf(place, path)
            const inside = insideOf(path, place)
            const end = length === null ? Number.MAX_SAFE_INTEGER : offset + length
            return Stream.paginate(offset, (from) =>
              Effect.map(
                Effect.mapError(
                  directory.read(inside, { offset: from, length: Math.min(pieceBytes, end - from) }),
                  ofFile
                ),
                ({ bytes }) => {
                  const next = from + bytes.length
                  const more = bytes.length === pieceBytes && next < end
                  return [[bytes], more ? Option.some(next) : Option.none()] as const
                }
              )
            )
          })
        ),
      WriteFile: ({ content, expected, path, place: ref }) =>
        withPlace(
          ref,
          Effect.fnUntraced(function* (place) {
            const { directory } = yield* writable(place, path)
            const bytes =
              content instanceof Uint8Array
                ? content
                : yield* Effect.mapError(blobs.get(ref.ticket, content.sha256), ofOther)
            const options = { parents: true, ...(expected === null ? {} : { expected }) }
            return yield* Effect.mapError(directory.write(insideOf(path, place), bytes, options), ofFile)
          })
        ),
      DeleteFile: ({ path, place: ref, recursive }) =>
        withPlace(ref, (place) =>
          Effect.flatMap(writable(place, path), ({ directory }) =>
            Effect.mapError(directory.remove(insideOf(path, place), { recursive }), ofFile)
          )
        ),
      WatchFiles: ({ path, place: ref }) =>
        streamAt(
          Effect.gen(function* () {
            const place = yield* at(ref)
            const { directory } = yield* mountOf(place, path)
            return Stream.mapError(directory.watch(insideOf(path, place)), ofFile)
          })
        ),

      Diff: ({ from, place: ref, to }) =>
        streamAt(
          Effect.gen(function* () {
            const place = yield* at(ref)
            const { changes } = yield* Effect.mapError(place.diff(from, to), ofOther)
            return Stream.fromIterable(changes)
          })
        ),
      Capture: ({ place: ref }) =>
        withPlace(ref, (place) =>
          Effect.map(Effect.mapError(place.capture, ofOther), ({ bytes, checkpoint, files }) => ({
            bytes,
            checkpoint,
            files
          }))
        ),
      Restore: ({ checkpoint, environment, place: { sessionId, ticket, workspaceId }, resources }) =>
        Effect.scoped(
          Effect.gen(function* () {
            const found = places.record(sessionId) !== null
            const facts = { sessionId, workspaceId, environment, resources, ticket }
            const place = yield* places.open({ ...facts, mcpHosts: [], confinement: null })
            yield* Effect.mapError(place.give(resources), ofFile)
            const { inPlace } = place.record()
            if (!found && checkpoint !== null && inPlace === null)
              yield* Effect.mapError(place.restore(checkpoint), ofOther)
            const { backend, sandboxId } = place.record()
            yield* Effect.mapError(
              place.sandbox(() => Effect.void),
              ofSandbox
            )
            return { sandboxId, backend, isolation: place.tools.isolation, found }
          })
        ),
      Destroy: ({ place: { sessionId } }) => places.destroy(sessionId),

      Browse: ({ path }) => Effect.mapError(directories.browse(path), ofFile),
      RegisterDirectory: ({ path, use }) => Effect.mapError(directories.register(path, use), ofFile),
      places: Effect.sync(places.sessions)
    })
  })
)

const ofTerminal = (error: { readonly _tag: string; readonly message: string }) =>
  refuse(error._tag === "TerminalGone" ? "terminal_gone" : "sandbox_failed", error.message)
