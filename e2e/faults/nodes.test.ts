import { assert, it } from "vitest"
import { requires } from "../../test/requires.ts"
import { crashPoints } from "../../packages/server/src/session/CrashPoints.ts"
import { inTurn } from "../support/inTurn.ts"
import { sleep, withFaults, type Room, type RoomOptions } from "./withFaults.ts"

const full = process.env["TROUPE_FULL"] === "1"
const seed = Number(process.env["TROUPE_SEED"] ?? 1)
/** A run in CI works for seconds where a full one works for a minute. */
const workMs = full ? 30_000 : 4_000

/** What is waited for after a kill, with a margin on top. */
const lease = full ? {} : { contactLeaseMs: 6_000 }
/** With the margin still longer than the lock of a node that is frozen. */
const longLease = full ? {} : { contactLeaseMs: 20_000 }

/** Runs faults and holds what is left to every promise. */
const holds = (
  name: string,
  faults: (room: Room) => Promise<void>,
  options: Omit<RoomOptions, "seed"> = {},
  eventsMin = 50
) =>
  it.concurrent(
    name,
    async () => {
      const { events, problems } = await inTurn(() => withFaults({ seed, ...lease, ...options }, faults))
      assert.deepStrictEqual(problems, [], `with TROUPE_SEED=${seed}`)
      assert.isAbove(events, eventsMin)
    },
    1_800_000
  )

requires("postgres")("a system at work keeps every promise", () => {
  holds("when its owners are killed, one after the other", async ({ campaign, kill, nodes, start }) => {
    await Promise.all([start(), start()])
    campaign.start()
    for (let i = 0; i < (full ? 8 : 2); i++) {
      await sleep(workMs / 4)
      const [started] = await Promise.all([start(), kill(nodes()[0]!)])
      assert.include(nodes(), started)
    }
    await sleep(workMs / 2)
  })

  holds("when the connection is lost between a COMMIT and its answer", async ({ campaign, proxy, start }) => {
    await start()
    campaign.start()
    for (let i = 0; i < (full ? 20 : 4); i++) {
      await sleep(workMs / 8)
      proxy.swallowAnswers()
      await sleep(200)
      proxy.heal()
    }
    await sleep(workMs / 2)
  })

  holds("when the database ends its connections", async ({ campaign, start, superuser }) => {
    await Promise.all([start(), start()])
    campaign.start()
    for (let i = 0; i < (full ? 20 : 4); i++) {
      await sleep(workMs / 8)
      await superuser(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = 'troupe_app' AND random() < 0.5"
      )
    }
    await sleep(workMs / 2)
  })

  holds(
    "when an owner is frozen until another took over, and thaws",
    async ({ busiest, campaign, freeze, start, taken, thaw }) => {
      await Promise.all([start(), start()])
      campaign.start()
      for (let i = 0; i < (full ? 3 : 1); i++) {
        await sleep(workMs / 4)
        const [frozen, epochs] = await busiest()
        freeze(frozen)
        // The other node owns everything before this one wakes up and still believes.
        await taken(epochs)
        thaw(frozen)
        await sleep(2_000)
      }
      await sleep(workMs / 2)
    },
    longLease
  )

  holds(
    "when the database crashes, and recovers from what it had written",
    async ({ campaign, postgres, start }) => {
      await Promise.all([start(), start()])
      campaign.start()
      for (let i = 0; i < (full ? 10 : 3); i++) {
        await sleep(workMs / 3)
        await postgres!.crash()
        // Now at once, now after the nodes have begun to give up on it.
        await sleep(i % 2 === 0 ? 0 : 3_000)
        const before = campaign.accepted()
        await postgres!.restart()
        await campaign.acceptedMore(before)
      }
      await sleep(workMs / 2)
    },
    { ownPostgres: true }
  )

  holds(
    "when no commit reaches the disk for seconds, and no session changes its owner for that",
    async ({ busiest, campaign, start, superuser }) => {
      await start()
      campaign.start()
      await sleep(workMs / 4)
      const [, before] = await busiest()
      const accepted = campaign.accepted()
      // Every commit waits for a standby that is not there, as it would for a disk that is busy with others.
      await superuser("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
      await superuser("SELECT pg_reload_conf()")
      await sleep(5_000)
      await superuser("ALTER SYSTEM RESET synchronous_standby_names")
      await superuser("SELECT pg_reload_conf()")
      await campaign.acceptedMore(accepted)
      const [, after] = await busiest()
      for (const [sessionId, epoch] of before) assert.strictEqual(after.get(sessionId), epoch, sessionId)
      await sleep(workMs / 2)
    },
    { ownPostgres: true }
  )

  // A run in CI takes every third of them, which ones depends on the seed; a full one takes all.
  for (const point of full ? crashPoints : crashPoints.filter((_, index) => index % 3 === seed % 3)) {
    holds(`when a node ends at ${point}`, async ({ campaign, start }) => {
      // It owns everything, so it comes by soon; the next one finds what it left.
      const doomed = await start({ TROUPE_TEST_CRASH: `${point}:${3 + seed}` })
      campaign.start()
      await Promise.race([doomed.exited, sleep(120_000)])
      assert.isTrue(doomed.hasExited(), `${point} was not reached`)
      await start()
      await sleep(full ? workMs : 1_000)
    })
  }

  requires("full")("over minutes", () => {
    holds("when owners are frozen for longer than a runner waits for them, with turns under way", async (room) => {
      const { campaign, freeze, nodes, start, thaw } = room
      await Promise.all([start(), start(), start()])
      campaign.start()
      for (let i = 0; i < 3; i++) {
        await sleep(10_000)
        const frozen = nodes()[0]!
        freeze(frozen)
        // The runner's lease and its margin pass: what it began under the frozen owner was long taken over.
        await sleep(80_000)
        thaw(frozen)
      }
      await sleep(workMs / 2)
    })
  })
})
