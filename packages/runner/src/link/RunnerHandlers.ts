import type { Hello } from "@troupe/domain/runner/Hello"
import { negotiate } from "@troupe/domain/runner/Protocol"
import { RunnerRpc } from "@troupe/domain/runner/RunnerRpc"
import type { PlaceRef } from "@troupe/domain/runner/Workplace"
import { Effect, Stream } from "effect"
import { AskDesk } from "../attempt/AskDesk.ts"
import { Attempts } from "../attempt/Attempts.ts"
import { OwnServices } from "../egress/OwnServices.ts"
import { Journal } from "../journal/Journal.ts"
import { WorkplaceHost } from "../workplace/WorkplaceHost.ts"
import { Capabilities } from "./Capabilities.ts"

/** What a runner says of itself that does not change while it runs. */
export type Self = Pick<Hello, "release" | "bootId" | "name" | "labels" | "capacity">

/** One connection, as the calls over it see it. */
export interface LinkSigns {
  /** A node said hello. */
  readonly greeted: (greeting: { readonly node: string; readonly generation: number }) => void
  /** A node was heard. */
  readonly heard: () => void
}

/** Chunks of one: one that is too large would end the connection for all. */
const singly = <A, E, R>(stream: Stream.Stream<A, E, R>) => Stream.rechunk(stream, 1)

/** What a node may ask of this runner, over one link. */
export const layer = (self: Self, signs: LinkSigns) =>
  RunnerRpc.toLayer(
    Effect.gen(function* () {
      const attempts = yield* Attempts
      const journal = yield* Journal
      const host = yield* WorkplaceHost
      const desk = yield* AskDesk
      const capabilities = yield* Capabilities
      const own = yield* OwnServices

      /** Passes for the session's newest owner, and then asks the host. */
      const at =
        <Call extends { readonly place: PlaceRef }, A, E>(ask: (call: Call) => Effect.Effect<A, E>) =>
        (call: Call) =>
          Effect.andThen(attempts.fence(call.place), ask(call))
      const streamAt =
        <Call extends { readonly place: PlaceRef }, A, E>(ask: (call: Call) => Stream.Stream<A, E>) =>
        (call: Call) =>
          Stream.unwrap(Effect.as(attempts.fence(call.place), singly(ask(call))))

      return RunnerRpc.of({
        Hello: Effect.fnUntraced(function* ({ contactLeaseMs, generation, node, ours, versions }) {
          const version = yield* Effect.fromResult(negotiate(versions))
          signs.greeted({ node, generation })
          if (contactLeaseMs !== undefined) yield* attempts.adoptLease(contactLeaseMs)
          if (ours !== undefined) yield* own.adopt(ours)
          return {
            ...self,
            version,
            journalId: journal.journalId,
            draining: yield* attempts.draining,
            attempts: yield* attempts.journaled,
            ...(yield* capabilities.probe)
          }
        }),
        Settle: ({ verdicts }) => attempts.settle(verdicts),
        Ping: Effect.fnUntraced(function* () {
          signs.heard()
          const { length: sessions } = yield* host.places
          return { attempts: yield* attempts.working, sessions, draining: yield* attempts.draining }
        }),
        Drain: ({ reason }) =>
          Effect.andThen(attempts.drain, Effect.logInfo("Takes no new attempts").pipe(Effect.annotateLogs({ reason }))),

        Places: () => host.places,

        Run: (request) => attempts.run(request),
        Attach: ({ afterFrame, attempt }) => attempts.attach(attempt, afterFrame),
        Acknowledge: ({ attempt, contact, frame }) => attempts.acknowledge(attempt, { frame, contact }),
        Deliver: ({ attempt, delivery }) => attempts.deliver(attempt, delivery),
        Revoke: ({ attempt }) => attempts.revoke(attempt),
        RefreshSecret: ({ attempt, secret }) => attempts.refreshSecret(attempt, secret),

        ProbeModel: ({ card }) => capabilities.probeCard(card),
        ProbeMcpServer: (probed) => capabilities.probeMcpServer(probed),

        Asks: () => singly(desk.open),
        AnswerAsk: ({ answer, askId }) => desk.answer(askId, answer),

        Exec: streamAt(host.Exec),
        OpenTerminal: at(host.OpenTerminal),
        ReadTerminal: streamAt(host.ReadTerminal),
        WriteTerminal: at(host.WriteTerminal),
        ResizeTerminal: at(host.ResizeTerminal),
        CloseTerminal: at(host.CloseTerminal),
        ListFiles: at(host.ListFiles),
        ReadFile: streamAt(host.ReadFile),
        WriteFile: at(host.WriteFile),
        DeleteFile: at(host.DeleteFile),
        WatchFiles: streamAt(host.WatchFiles),
        Diff: streamAt(host.Diff),
        Capture: at(host.Capture),
        Restore: at(host.Restore),
        Destroy: at(host.Destroy),
        Browse: (call) => host.Browse(call),
        RegisterDirectory: (call) => host.RegisterDirectory(call)
      })
    })
  )
