import type { SandboxId } from "@troupe/domain/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import { spawn } from "node:child_process"
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync
} from "node:fs"
import { dirname, join } from "node:path"
import { type Account, claimAccount, isRoot, ownAccount, releaseAccount } from "./Account.ts"
import { type Mount, places } from "./Sandbox.ts"
import { temporaryOf } from "./SandboxPaths.ts"
import { findTool, systemPath } from "./Tools.ts"

export class SandboxHomeError extends Schema.TaggedError<SandboxHomeError>()("SandboxHomeError", {
  path: Schema.String,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `Cannot use ${this.path}: ${this.detail}`
  }
}

/** The directories of one sandbox on the host. */
export interface Home {
  /** Ours, not the sandbox's: what is in it cannot be replaced by what runs in the sandbox. */
  readonly home: string
  readonly workspace: string
  readonly uploads: string
  readonly outputs: string
  /** Who owns the directories, and as whom the sandbox's processes run. */
  readonly account: Account
  readonly mounts: ReadonlyArray<Mount>
}

/** Makes and owns what sandboxes have on disk, below one directory of the runner. */
export class SandboxHome extends Context.Service<
  SandboxHome,
  {
    /** Makes the directories, or finds those that were made. */
    readonly open: (sandboxId: SandboxId) => Effect.Effect<Home, SandboxHomeError>
    /** Removes them with all that an agent left there, and gives the account's number back. */
    readonly remove: (sandboxId: SandboxId) => Effect.Effect<void, SandboxHomeError>
    readonly list: Effect.Effect<ReadonlyArray<string>, SandboxHomeError>
  }
>()("runner/SandboxHome") {
  /** The directory is one that other accounts may pass through where the runner is root, as `/var/lib/troupe` is. */
  static readonly layer = (directory: string): Layer.Layer<SandboxHome, SandboxHomeError> =>
    Layer.effect(SandboxHome, make(directory))
}

const detailOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))

const withPath = <A>(path: string, work: () => A): Effect.Effect<A, SandboxHomeError> =>
  Effect.try({ try: work, catch: (cause) => new SandboxHomeError({ path, detail: detailOf(cause), cause }) })

const make = Effect.fnUntraced(function* (directory: string) {
  const register = join(directory, "accounts")
  yield* withPath(directory, () => {
    mkdirSync(directory, { recursive: true, mode: 0o711 })
    if (isRoot()) {
      chmodSync(directory, 0o711)
      mkdirSync(register, { recursive: true, mode: 0o700 })
    }
    const closed = isRoot() ? firstClosed(directory) : undefined
    if (closed !== undefined) {
      throw new Error(
        `${closed} keeps other accounts out, and sandboxes run as others; chmod o+x it or choose another place`
      )
    }
  })

  const open = Effect.fn("SandboxHome.open")(function* (sandboxId: SandboxId) {
    const home = join(directory, sandboxId)
    return yield* withPath(home, () => openHome(home, register, sandboxId))
  })

  const remove = Effect.fn("SandboxHome.remove")(function* (sandboxId: SandboxId) {
    const home = join(directory, sandboxId)
    const account = yield* withPath(home, () => (existsSync(home) ? accountOf(home) : undefined))
    yield* removeTree(home)
    if (account !== undefined) yield* withPath(register, () => releaseAccount(register, account))
  })

  const list = withPath(directory, () => readdirSync(directory).filter((name) => name !== "accounts"))

  return SandboxHome.of({ open, remove, list })
})

/** The first directory on the way to `path` that accounts which are nobody in particular may not pass. */
const firstClosed = (path: string): string | undefined =>
  (dirname(path) === path ? undefined : firstClosed(dirname(path))) ??
  ((statSync(path).mode & 0o001) === 0 ? path : undefined)

const openHome = (home: string, register: string, sandboxId: string): Home => {
  // Made last, so that a home that has it is whole.
  const whole = existsSync(temporaryOf(home))
  if (!whole) {
    mkdirSync(home, { recursive: true, mode: 0o711 })
    const account = isRoot() ? claimAccount(register, sandboxId) : ownAccount()
    for (const name of ["workspace", "uploads", "outputs", "tmp"]) makeOwned(join(home, name), account)
  }
  const [workspace, uploads, outputs] = ["workspace", "uploads", "outputs"].map((name) => join(home, name)) as [
    string,
    string,
    string
  ]
  const mounts = [
    { source: workspace, target: places.workspace, readOnly: false },
    { source: uploads, target: places.uploads, readOnly: true },
    { source: outputs, target: places.outputs, readOnly: false }
  ]
  return { home, workspace, uploads, outputs, account: accountOf(home), mounts }
}

const makeOwned = (path: string, account: Account): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    fchmodSync(directory, 0o700)
    if (account.switched) fchownSync(directory, account.uid, account.gid)
  } finally {
    closeSync(directory)
  }
}

/** As whom the processes of a sandbox run: whoever owns its `/tmp`, in a directory where only the runner can put one. */
export const accountOf = (home: string): Account => {
  if (!isRoot()) return ownAccount()
  const { gid, uid } = lstatSync(temporaryOf(home))
  if (uid === 0) throw new Error("it belongs to root, as whom nothing may run: homes are made by SandboxHome")
  return { uid, gid, switched: true }
}

/**
 * Removes a tree that somebody hostile may have built: links are not followed, directories without permissions are opened,
 * names deeper than a path can say are reached step by step, and no other file system is entered. The tools of the system do
 * all that, in a process of their own; Node's own removal gives up at the longest path. Where programs still run, it is
 * `SafeDirectory.remove` that removes.
 */
export const removeTree = Effect.fnUntraced(function* (path: string) {
  const [chmod, rm] = [findTool("chmod"), findTool("rm")]
  if (chmod === undefined || rm === undefined) {
    return yield* new SandboxHomeError({ path, detail: "the system has no chmod and rm" })
  }
  if (!isRoot() && existsSync(path)) yield* run(path, chmod, ["-R", "u+rwX", "--", path])
  const said = yield* run(path, rm, ["-rf", "--one-file-system", "--", path])
  if (yield* withPath(path, () => isThere(path))) {
    return yield* new SandboxHomeError({ path, detail: said === "" ? "something of it is left" : said })
  }
})

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** Answers the first that the program had to complain about. */
const run = (path: string, command: string, args: ReadonlyArray<string>): Effect.Effect<string, SandboxHomeError> =>
  Effect.callback((resume) => {
    let said = ""
    const child = spawn(command, args, {
      env: { PATH: systemPath, LC_ALL: "C" },
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"]
    })
    child.stderr.on("data", (chunk: Buffer) => {
      if (said.length < 400) said += chunk.toString("utf8", 0, 400)
    })
    child.on("error", (cause) => resume(Effect.fail(new SandboxHomeError({ path, detail: cause.message, cause }))))
    child.on("close", () => resume(Effect.succeed(said.trim())))
  })
