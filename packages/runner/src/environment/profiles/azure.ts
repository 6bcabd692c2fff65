import { Effect, Redacted, Stream } from "effect"
import { Scrubber } from "../../secrets/Scrubber.ts"
import { type HookContext, HookFailed, type Profile } from "./Profile.ts"
import { required } from "./options.ts"

const loginMs = 120_000
const detailChars = 1_000

/** The password goes from one variable of this one process through a pipe; the arguments of programs can be read by others. */
const script = `
command -v az >/dev/null || { echo "the sandbox has no program az" >&2; exit 127; }
printf %s "$TROUPE_AZURE_PASSWORD" | {
  unset TROUPE_AZURE_PASSWORD
  az login --service-principal --username "$1" --tenant "$2" --password @- --output none
} || exit
[ -z "$3" ] || az account set --subscription "$3"`

const fail = (detail: string) => new HookFailed({ hook: "azure", detail })

/** Logs a service principal in, once in each fresh sandbox. What `az` keeps of it is in the sandbox's own `/tmp`. */
export const azure: Profile = {
  name: "azure",
  prepare: Effect.fnUntraced(function* (options) {
    const tenant = yield* required("azure", options, "tenant")
    const client = yield* required("azure", options, "client")
    const name = yield* required("azure", options, "passwordSecret")
    const run = Effect.fnUntraced(function* ({ sandbox, secret }: HookContext) {
      const password = yield* secret(name).pipe(Effect.mapError(({ message }) => fail(message)))
      const { ending, said } = yield* Effect.scoped(
        Effect.gen(function* () {
          const process = yield* sandbox.exec({
            command: ["sh", "-c", script, "sh", client, tenant, options.subscription ?? ""],
            variables: { TROUPE_AZURE_PASSWORD: Redacted.value(password) },
            timeoutMs: loginMs
          })
          const said = yield* Stream.runFold(
            process.output,
            () => "",
            (text, { bytes }) => (text + Buffer.from(bytes).toString("utf8")).slice(-8 * detailChars)
          )
          return { said, ending: yield* process.ending }
        })
      ).pipe(Effect.mapError(({ message }) => fail(message)))
      if (ending._tag === "Exited" && ending.code === 0) return
      const scrubber = new Scrubber()
      scrubber.add(Redacted.value(password))
      const how = ending._tag === "Exited" ? `exit code ${ending.code}` : ending._tag
      return yield* fail(`az ended with ${how}: ${scrubber.text(said).trim().slice(-detailChars)}`)
    })
    return {
      files: {},
      variables: { AZURE_CONFIG_DIR: "/tmp/azure", AZURE_CORE_COLLECT_TELEMETRY: "false" },
      hooks: [{ name: "azure", when: "made", run }]
    }
  })
}
