import { Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { AskDesk } from "./attempt/AskDesk.ts"
import { AttemptEngine } from "./attempt/AttemptEngine.ts"
import { Attempts } from "./attempt/Attempts.ts"
import { Admission } from "./link/Admission.ts"
import { Journal } from "./journal/Journal.ts"
import { BlobClient } from "./link/BlobClient.ts"
import { FileClient } from "./link/FileClient.ts"
import * as Connection from "./link/Connection.ts"
import { Identity } from "./link/Identity.ts"
import { StateLock } from "./link/StateLock.ts"
import type { RunnerConfig } from "./RunnerConfig.ts"

/** Raised with each release. */
export const release = "0.1.0"

const interruptGraceMs = 800
const contactEveryMs = 5_000
/** Nodes ping every five seconds. */
const silentMs = 20_000
const stableMs = 10_000

/** The work that comes to a runner. What it can do, its harnesses, tools and places, comes from outside. */
export const layer = (config: RunnerConfig) =>
  Attempts.layer({
    capacity: config.capacity.attempts,
    timing: { contactLeaseMs: config.contactLeaseMs, contactEveryMs, interruptGraceMs }
  }).pipe(
    Layer.provide(AttemptEngine.layer),
    Layer.provideMerge(AskDesk.layer),
    Layer.provideMerge(Journal.layer(join(config.state, "journal"), config.journal))
  )

/** Who a runner is, and its way to the nodes. */
export const foundation = (config: RunnerConfig) =>
  Layer.merge(BlobClient.layer(config.servers), FileClient.layer(config.servers)).pipe(
    Layer.provideMerge(Layer.merge(Identity.layer(config), Admission.layer)),
    Layer.provideMerge(StateLock.layer(config.state, config.name))
  )

/** Says what was found in the journal that could not be used, and keeps the runner connected. */
export const run = Effect.fnUntraced(function* (config: RunnerConfig) {
  const journal = yield* Journal
  for (const finding of journal.findings) {
    yield* Effect.logError("Something in the journal could not be used, and was moved aside").pipe(
      Effect.annotateLogs({ finding: finding.message })
    )
  }
  const { capacity, labels, name, servers } = config
  const self = { release, bootId: randomUUID(), name, labels, capacity }
  return yield* Connection.run({ servers, self, timing: { silentMs }, stableMs })
})

/**
 * The end of a runner that was told to stop: no new attempts, those that work go on for a while, what still works then is
 * ended, and what was said last is collected if a node is there to do so. What is not stays in the journal. One whose credential
 * was revoked ends at once: nobody takes what it would still do.
 */
export const windDown = Effect.fnUntraced(function* (config: RunnerConfig) {
  const attempts = yield* Attempts
  yield* attempts.drain
  yield* Effect.logInfo("Stopping: no new attempts").pipe(
    Effect.annotateLogs({ working: yield* attempts.working, graceMs: config.stopGraceMs })
  )
  const revoked = Effect.tap((yield* Admission).revoked, () =>
    Effect.logWarning("Stopping at once: the credential was revoked, and nobody takes what is still at work")
  )
  yield* Effect.raceFirst(revoked, Effect.timeoutOption(attempts.idle, config.stopGraceMs))
  yield* attempts.stop
  yield* Effect.raceFirst(Effect.timeoutOption(attempts.collected, 3_000), (yield* Admission).revoked)
})
