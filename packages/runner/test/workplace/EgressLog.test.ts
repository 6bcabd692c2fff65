import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import type { EgressRecord } from "../../src/egress/EgressRecord.ts"
import { accounting } from "../../src/workplace/EgressLog.ts"
import { ids } from "../support/proxyWorld.ts"

const record: EgressRecord = {
  ...ids,
  kind: "tunnel",
  method: null,
  status: 200,
  host: "example.com",
  port: 443,
  address: "1.1.1.1",
  bytesUp: 1,
  bytesDown: 2,
  startedAtMs: 0,
  durationMs: 3,
  outcome: { _tag: "Forwarded" }
}

describe("What sandboxes ask of the network", () => {
  it.effect("is in the log of a runner that was told nothing else, taken and refused alike", () =>
    Effect.gen(function* () {
      const lines: Array<object> = []
      const listen = Logger.make(({ fiber }) => void lines.push(fiber.getRef(References.CurrentLogAnnotations)))
      yield* Effect.forEach(
        [record, { ...record, outcome: { _tag: "Refused", code: "own_service" } } as const],
        accounting
      ).pipe(Effect.provideService(References.MinimumLogLevel, "Info"), Effect.provide(Logger.layer([listen])))
      const about = { ...ids, host: "example.com", port: 443, address: "1.1.1.1", bytesUp: 1, bytesDown: 2 }
      assert.deepInclude(lines[0], { ...about, outcome: "Forwarded" })
      assert.deepInclude(lines[1], { ...about, outcome: "Refused", code: "own_service" })
      assert.lengthOf(lines, 2)
    })
  )
})
