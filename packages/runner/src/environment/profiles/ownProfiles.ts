import { Effect, Schema, Stream } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { extname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { type Hook, HookFailed, type Profile } from "./Profile.ts"

export class ProfilesError extends Schema.TaggedError<ProfilesError>()("ProfilesError", {
  path: Schema.String,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `The preparation profile ${this.path} can't be used: ${this.detail}`
  }
}

const namePattern = /^[a-z][a-z0-9-]{0,63}$/
const scriptMs = 600_000
const detailChars = 1_000

const wrong = (path: string, cause: unknown) =>
  new ProfilesError({ path, detail: cause instanceof Error ? cause.message : String(cause), cause })

/** Loads what a directory of the runner's owner has: `NAME.sh` is run in fresh sandboxes, modules export a `profile`. */
export const loadProfiles = Effect.fn("Profiles.load")(function* (directory: string) {
  const names = yield* Effect.try({
    try: () => readdirSync(directory).toSorted(),
    catch: (cause) => wrong(directory, cause)
  })
  const loaded: Array<Profile> = []
  for (const file of names) {
    const path = join(directory, file)
    const extension = extname(file)
    if (extension === ".sh") loaded.push(yield* scriptProfile(path, file.slice(0, -extension.length)))
    else if ([".js", ".mjs", ".ts"].includes(extension)) loaded.push(yield* moduleProfile(path))
  }
  return loaded
})

const checked = (path: string, name: unknown): Effect.Effect<string, ProfilesError> =>
  typeof name === "string" && namePattern.test(name)
    ? Effect.succeed(name)
    : Effect.fail(wrong(path, "its name has to begin with a small letter and be of small letters, digits and hyphens"))

const moduleProfile = Effect.fnUntraced(function* (path: string) {
  const module = (yield* Effect.tryPromise({
    try: (): Promise<unknown> => import(pathToFileURL(path).href),
    catch: (cause) => wrong(path, cause)
  })) as { readonly profile?: unknown; readonly default?: unknown }
  const found = (module.profile ?? module.default) as Partial<Profile> | null | undefined
  yield* checked(path, found?.name)
  if (typeof found?.prepare !== "function") return yield* wrong(path, "its `prepare` has to be a function")
  return found as Profile
})

const scriptProfile = Effect.fnUntraced(function* (path: string, given: string) {
  const name = yield* checked(path, given)
  const script = yield* Effect.try({ try: () => readFileSync(path, "utf8"), catch: (cause) => wrong(path, cause) })
  const hook = (options: Readonly<Record<string, string>>): Hook => ({
    name,
    when: "made",
    run: ({ sandbox }) =>
      Effect.gen(function* () {
        const process = yield* sandbox.exec({
          command: ["sh", "-c", script, name],
          variables: variablesOf(options),
          timeoutMs: scriptMs
        })
        const said = yield* Stream.runFold(
          process.output,
          () => "",
          (text, { bytes }) => (text + Buffer.from(bytes).toString("utf8")).slice(-detailChars)
        )
        const ending = yield* process.ending
        if (ending._tag === "Exited" && ending.code === 0) return
        const how = ending._tag === "Exited" ? `exit code ${ending.code}` : ending._tag
        return yield* new HookFailed({ hook: name, detail: `the script ended with ${how}: ${said.trim()}` })
      }).pipe(
        Effect.scoped,
        Effect.catchTag("SandboxError", ({ message }) => Effect.fail(new HookFailed({ hook: name, detail: message })))
      )
  })
  const profile: Profile = {
    name,
    prepare: (options) => Effect.succeed({ variables: {}, files: {}, hooks: [hook(options)] })
  }
  return profile
})

/** The option `region` is the variable OPTION_REGION of the script. */
const variablesOf = (options: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [`OPTION_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`, value])
  )
