import type { SessionVerification } from "@troupe/client"
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { createReadStream, existsSync, statSync } from "node:fs"
import { leaveWith, printOne } from "../../app/output.ts"
import { counted } from "../../app/progress.ts"
import { exitCodes } from "../../app/exitCodes.ts"
import { Trouble } from "../../app/Trouble.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionId } from "../../session/sessionId.ts"
import { ourName } from "../../app/NameConfig.ts"

/** A bundle is checked here, with nothing but its file. What checks it is loaded when it is asked for. */
const ofBundle = (file: string) =>
  Effect.tryPromise({
    try: async () => {
      const { verifyBundle } = await import("@troupe/client/verifyBundle")
      return await verifyBundle(counted(createReadStream(file, { encoding: "utf8" }), statSync(file).size))
    },
    catch: (cause) =>
      new Trouble({
        what: `${file} is no bundle that can be read: ${(cause as Error).message}.`,
        advice: `${ourName} replay export SESSION --to FILE writes one.`,
        code: exitCodes.failed
      })
  })

interface Report {
  readonly ok: boolean
  readonly chain: { readonly checked: number; readonly findings: ReadonlyArray<unknown> }
  readonly decisions: { readonly findings: ReadonlyArray<unknown>; readonly accepted: number } | null
  readonly unreadable: unknown
}

const inWords = ({ chain, decisions, ok, unreadable }: Report): string =>
  [
    ok ? "Nothing was changed." : "This is not what happened:",
    `${chain.checked} events, their chain ${chain.findings.length === 0 ? "whole" : "BROKEN"}`,
    ...(decisions === null
      ? []
      : [`${decisions.accepted} commands decided again, ${decisions.findings.length} of them otherwise`]),
    ...[...chain.findings, ...(decisions?.findings ?? [])].map((finding) => `  ${JSON.stringify(finding)}`),
    ...(unreadable === null ? [] : [`This release can't read: ${JSON.stringify(unreadable)}`])
  ].join("\n")

export const verify = Command.make(
  "verify",
  {
    target: Argument.String("session-or-bundle").pipe(
      Argument.withDescription("A session's id, last, or the file of an exported one")
    ),
    level: Flag.Literals("level", ["0", "1"]).pipe(
      Flag.withDefault("1"),
      Flag.withDescription("Of a session: 0 its log, 1 also whether its commands would be decided the same again")
    )
  },
  Effect.fnUntraced(function* ({ level, target }) {
    if (existsSync(target)) {
      const report = yield* ofBundle(target)
      yield* printOne<Report>(report, inWords)
      return yield* leaveWith(report.ok ? 0 : exitCodes.failed)
    }
    const connection = yield* connect("patient")
    const id = yield* sessionId(connection, target)
    const found: SessionVerification = yield* connection.ask(({ sessions }) => sessions.replay.verify(id, { level }))
    yield* printOne(found, inWords)
    yield* leaveWith(found.ok ? 0 : exitCodes.failed)
  })
).pipe(
  Command.withDescription(
    "Checks that a session's log is whole and says what happened. A bundle's file needs no server."
  )
)
