import { WorkplaceError } from "@troupe/domain/runner/Workplace"
import { Effect, Layer, Stream } from "effect"
import { WorkplaceHost } from "./WorkplaceHost.ts"

const refusal = new WorkplaceError({ code: "no_place", detail: "this runner keeps no sandboxes", field: null })
const refuse = () => Effect.fail(refusal)
const refuseStream = () => Stream.fail(refusal)

/** A host of a runner that runs harnesses alone: there is no place of a session on it. */
export const layer = Layer.succeed(
  WorkplaceHost,
  WorkplaceHost.of({
    Exec: refuseStream,
    OpenTerminal: refuse,
    ReadTerminal: refuseStream,
    WriteTerminal: refuse,
    ResizeTerminal: refuse,
    CloseTerminal: refuse,
    ListFiles: refuse,
    ReadFile: refuseStream,
    WriteFile: refuse,
    DeleteFile: refuse,
    WatchFiles: refuseStream,
    Diff: refuseStream,
    Capture: refuse,
    Restore: refuse,
    Destroy: refuse,
    Browse: refuse,
    RegisterDirectory: refuse,
    places: Effect.succeed([])
  })
)
