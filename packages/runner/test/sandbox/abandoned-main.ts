// Starts a sandbox with a daemon in it, says so, and waits to be killed. Arguments: backend, state directory, sandbox id.
import { SandboxId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { beating } from "../../src/sandbox/conformance/Bench.ts"
import { local } from "../../src/sandbox/Local.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { plainSpec } from "../../src/sandbox/trial.ts"

const [name, directory = "", id = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const backend = name === "local" ? local() : bubblewrap()
  const homes = yield* Effect.provide(Effect.service(SandboxHome), SandboxHome.layer(directory))
  const sandboxId = SandboxId.make(id)
  const sandbox = yield* backend.create(plainSpec(yield* homes.open(sandboxId), sandboxId))
  const daemon = `(setsid sh -c '${beating("beat")}' >/dev/null 2>&1 </dev/null &)`
  const running = yield* sandbox.exec({ command: ["sh", "-c", `${daemon}; ${beating("front")}`] })
  console.log("running")
  yield* running.ending
}).pipe(Effect.scoped)

await Effect.runPromise(program)
