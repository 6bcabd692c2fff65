import type { RunnerId, SessionId } from "@troupe/domain/Ids"
import { assert, describe, it } from "@effect/vitest"
import { type Candidate, choose, homeWaitMs, type Wanted } from "../../src/runners/Placement.ts"

const capability = (name: string, usable = true, ...notes: ReadonlyArray<string>) => ({
  ...{ name, version: "1", usable, notes, details: {} }
})

const runner = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  runnerId: `rnr_${name}` as RunnerId,
  name,
  labels: [],
  connected: true,
  draining: false,
  silentMs: 100,
  harnesses: [capability("openai-agents")],
  sandboxes: [capability("bubblewrap"), capability("none")],
  defaultSandbox: "bubblewrap",
  capacity: { attempts: 4, sessions: 10 },
  load: { attempts: 0, sessions: 0 },
  ...more
})

const wanted: Wanted = {
  sessionId: "sesn_1" as SessionId,
  labels: [],
  backend: null,
  harness: "openai-agents",
  home: null,
  only: null,
  waitedMs: 0
}

const busy = { load: { attempts: 4, sessions: 1 } }
const full = { load: { attempts: 0, sessions: 10 } }
const away = (silentMs: number | null) => ({ connected: false, silentMs })

/** What is wanted, who is there, and the runner that is chosen or the reason why none is. */
const table: ReadonlyArray<
  readonly [string, Partial<Wanted>, ReadonlyArray<Candidate>, { chosen: string } | { reason: string }]
> = [
  ["takes the only one", {}, [runner("a")], { chosen: "a" }],
  ["says that there is none", {}, [], { reason: "no runner is registered in this workspace" }],
  ["says that the only one is away", {}, [runner("a", away(5))], { reason: "no runner is connected: a is away" }],
  [
    "says that all are away",
    {},
    [runner("a", away(5)), runner("b", away(null))],
    { reason: "no runner is connected: a, b are away" }
  ],
  [
    "wants every label",
    { labels: ["gpu", "eu"] },
    [runner("a", { labels: ["gpu"] }), runner("b", { labels: ["gpu", "eu"] })],
    { chosen: "b" }
  ],
  [
    "names the label that nobody has",
    { labels: ["gpu", "eu"] },
    [runner("a", { labels: ["gpu"] })],
    { reason: "no connected runner has the label eu" }
  ],
  [
    "says when no one has them together",
    { labels: ["gpu", "eu"] },
    [runner("a", { labels: ["gpu"] }), runner("b", { labels: ["eu"] })],
    { reason: "no connected runner has all of the labels gpu, eu" }
  ],
  [
    "names the harness that is missing",
    { harness: "codex" },
    [runner("a")],
    { reason: "no fitting runner has the harness codex: a: it has none" }
  ],
  [
    "says why a harness can't be used",
    {},
    [runner("a", { harnesses: [capability("openai-agents", false, "no model key")] })],
    { reason: "no fitting runner has the harness openai-agents: a: it can't use it (no model key)" }
  ],
  [
    "takes the one with the sandbox",
    { backend: "docker" },
    [runner("a"), runner("b", { sandboxes: [capability("docker")] })],
    { chosen: "b" }
  ],
  [
    "says why a sandbox can't be used",
    { backend: "docker" },
    [runner("a", { sandboxes: [capability("docker", false, "the daemon does not answer")] })],
    { reason: "no fitting runner has the sandbox docker: a: it can't use it (the daemon does not answer)" }
  ],
  [
    "wants a default where none is named",
    {},
    [runner("a", { defaultSandbox: null })],
    { reason: "no fitting runner has a sandbox: a: it has no default" }
  ],
  [
    "passes by one that is draining",
    {},
    [runner("a", { draining: true }), runner("b", busy)],
    { reason: "every fitting runner is busy: b" }
  ],
  [
    "says that all are draining",
    {},
    [runner("a", { draining: true })],
    { reason: "every fitting runner is draining: a" }
  ],
  [
    "says that all are busy",
    {},
    [runner("a", busy), runner("b", full)],
    { reason: "every fitting runner is busy: a, b" }
  ],
  [
    "takes the least busy",
    {},
    [runner("a", { load: { attempts: 2, sessions: 0 } }), runner("b", { load: { attempts: 1, sessions: 5 } })],
    { chosen: "b" }
  ],
  [
    "counts how busy by what a runner can do",
    {},
    [
      runner("a", { load: { attempts: 2, sessions: 0 }, capacity: { attempts: 16, sessions: 10 } }),
      runner("b", { load: { attempts: 1, sessions: 0 } })
    ],
    { chosen: "a" }
  ],
  [
    "goes home",
    { home: "rnr_a" },
    [runner("a", { load: { attempts: 3, sessions: 10 } }), runner("b")],
    { chosen: "a" }
  ],
  [
    "waits for a home that is away",
    { home: "rnr_a" },
    [runner("a", away(homeWaitMs - 1)), runner("b")],
    { reason: "runner a, which has the session's sandbox, is away; after 60 s another takes its place" }
  ],
  ["waits no longer than that", { home: "rnr_a" }, [runner("a", away(homeWaitMs)), runner("b")], { chosen: "b" }],
  [
    "waits for a home that is busy",
    { home: "rnr_a", waitedMs: homeWaitMs - 1 },
    [runner("a", busy), runner("b")],
    { reason: "runner a, which has the session's sandbox, is busy; after 60 s another takes its place" }
  ],
  [
    "waits no longer than that either",
    { home: "rnr_a", waitedMs: homeWaitMs },
    [runner("a", busy), runner("b")],
    { chosen: "b" }
  ],
  [
    "leaves a home that is draining",
    { home: "rnr_a" },
    [runner("a", { draining: true }), runner("b")],
    { chosen: "b" }
  ],
  [
    "takes the one runner that has its directory, however busy others are",
    { only: "rnr_b" as never },
    [runner("a"), runner("b")],
    { chosen: "b" }
  ],
  [
    "waits for that one, and takes no other",
    { only: "rnr_a" as never, home: "rnr_a" },
    [runner("a", away(0)), runner("b")],
    { reason: "no runner is connected: a is away" }
  ],
  [
    "says so where that one will never be back",
    { only: "rnr_z" as never },
    [runner("a")],
    { reason: "the runner whose host has the session's directory is not registered any more" }
  ],
  ["leaves a home that is gone for good", { home: "rnr_z" }, [runner("b")], { chosen: "b" }],
  [
    "leaves a home that does not fit any more",
    { home: "rnr_a", labels: ["gpu"] },
    [runner("a"), runner("b", { labels: ["gpu"] })],
    { chosen: "b" }
  ]
]

describe("a placement", () => {
  it.each(table)("%s", (_name, want, candidates, expected) => {
    const choice = choose({ ...wanted, ...want }, candidates)
    assert.deepStrictEqual(
      choice._tag === "Chosen" ? { chosen: choice.candidate.name } : { reason: choice.reason },
      expected
    )
  })

  it("spreads sessions over runners that are equally busy, and keeps a session where it is", () => {
    const runners = ["a", "b", "c", "d"].map((name) => runner(name))
    const chosen = Array.from({ length: 400 }, (_, n) => {
      const choice = choose({ ...wanted, sessionId: `sesn_${n}` as SessionId }, runners)
      assert.deepStrictEqual(choose({ ...wanted, sessionId: `sesn_${n}` as SessionId }, [...runners].reverse()), choice)
      return choice._tag === "Chosen" ? choice.candidate.name : "none"
    })
    for (const { name } of runners) assert.isAbove(chosen.filter((one) => one === name).length, 60)
  })
})
