/** Reading a log as an auditor does: every event checked against the chain and its schema, and folded. */
// As the server does: schemas that are made later are compiled.
import "effect/schema/SchemaJITCompiler/enable"
import type { CommandId } from "@troupe/domain/Ids"
import * as Chain from "@troupe/domain/log/Chain"
import { ChainCheck } from "@troupe/domain/replay/ChainCheck"
import * as Codec from "@troupe/domain/session/Codec"
import { evolve } from "@troupe/domain/session/evolve"
import { Command } from "@troupe/domain/session/SessionCommand"
import { initial, type SessionState } from "@troupe/domain/session/SessionState"
import type { NewEvent } from "@troupe/server/log/EventStore"
import { Minting } from "@troupe/server/log/Minting"
import { planBatch, type Standing } from "@troupe/server/session/planBatch"
import { Result, Schema } from "effect"
import { randomFillSync } from "node:crypto"
import { serve } from "../../harness/serve.ts"
import { messageOf, mint, openOf } from "./commands.ts"
import { sha256 } from "./services.ts"

const decode = Schema.decodeUnknownSync(Command)
const minting = Minting.make((bytes) => randomFillSync(bytes))

const takenInputs = new Set<string>()

const log: Array<NewEvent> = []
/** The texts that verifying hashes, for whoever only hashes. */
const hashed: Array<string> = []

const write = (sessionId: string, values: ReadonlyArray<object>, from: Standing): Standing => {
  const commands = values.map((value) => ({ command: decode(value), digest: mint("Command") as CommandId as string }))
  const context = {
    sessionId,
    epoch: 1,
    nowMicros: Date.now() * 1_000,
    sha256,
    minting,
    codec: Codec.codec,
    format: Codec.codec.format,
    takenInputs
  }
  const plan = planBatch(from, commands, context)
  log.push(...(plan.events as ReadonlyArray<NewEvent>))
  return plan.standing
}

/** Repeats a pass over the log for `ms`, and says how many events it did a second. */
const measure = (ms: number, pass: () => void): number => {
  const begun = performance.now()
  let passes = 0
  for (; performance.now() - begun < ms; passes++) pass()
  return (passes * log.length) / ((performance.now() - begun) / 1_000)
}

const replay = (read: typeof Codec.decodeStrict) => {
  const check = new ChainCheck({ sha256 })
  let state: SessionState = initial
  for (const row of log) {
    check.push(row)
    state = evolve(state, Result.getOrThrow(read(row)))
  }
  const report = check.report()
  if (!report.ok || report.checked !== log.length || state._tag !== "Open")
    throw new Error(JSON.stringify(report.firstBad))
}

serve({
  fill: ({ events }: { events: number }) => {
    const sessionId = mint("Session")
    let standing: Standing = { state: initial, version: 0, chain: Chain.genesis, lastRecordedAt: 0 }
    standing = write(sessionId, [openOf(sessionId)], standing)
    while (log.length < events)
      standing = write(
        sessionId,
        Array.from({ length: 64 }, () => messageOf("replay")),
        standing
      )
    const keep = (text: string) => {
      hashed.push(text)
      return sha256(text)
    }
    let previous = Chain.genesis
    for (const row of log) {
      Chain.commit(keep, row.salt, row.payload)
      previous = Chain.link(keep, previous, row, row.commitment)
    }
    // A text is flat once it has been hashed; ours are put together each time.
    return log.length
  },
  strict: ({ ms }: { ms: number }) => measure(ms, () => replay(Codec.decodeStrict)),
  fast: ({ ms }: { ms: number }) => measure(ms, () => replay(Codec.decodeFast)),
  bare: ({ ms }: { ms: number }) =>
    measure(ms, () => {
      for (const text of hashed) sha256(text)
    })
})
