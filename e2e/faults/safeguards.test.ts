// The judge of these campaigns is only worth its verdict while it notices: nodes go without one of the product's own safeguards
// each, and with all of them through the same troubles.
import { toUuid, type ResourceId } from "@troupe/domain/Ids"
import { readFileSync } from "node:fs"
import { assert, it } from "vitest"
import { plainMessage } from "../../packages/server/test/support/CommandGenerator.ts"
import type { Unsafe } from "../../packages/server/test/support/unsafe.ts"
import { requires } from "../../test/requires.ts"
import { mintId, type Prng } from "../../test/support/Prng.ts"
import { inTurn } from "../support/inTurn.ts"
import { sleep, withFaults, type Room } from "./withFaults.ts"

const seed = Number(process.env["TROUPE_SEED"] ?? 1)
const lease = { contactLeaseMs: 6_000 }

const message = (random: Prng) => ({ _tag: "Send", inputs: [plainMessage(random)] }) as const

/** Polls until something is so. */
const until = async (what: string, isSo: () => boolean | Promise<boolean>) => {
  const deadline = Date.now() + 120_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`It never came to this: ${what}`)
    await sleep(10)
  }
}

const isStopped = (pid: number): boolean => /^\d+ \(.*\) T /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))

/** What nodes write and read the log by. */
const backends = "FROM pg_stat_activity a WHERE datname = current_database() AND application_name = 'troupe log'"

/** Those that wait for what a test holds. */
const waiting = `${backends} AND EXISTS (
  SELECT FROM pg_stat_activity h WHERE h.pid = ANY(pg_blocking_pids(a.pid)) AND h.state = 'idle in transaction')`

/** Whoever holds the lock that says that this node lives. */
const lockOf = (address: string) => `FROM pg_locks JOIN nodes ON objid = lock_key::oid
  WHERE locktype = 'advisory' AND granted AND address = '${address}'`

interface Scene {
  /** The promise that breaks without the safeguard, and how the judge says so. */
  readonly invariant: string
  readonly says: RegExp
  readonly play: (room: Room, unsafe: Unsafe | undefined) => Promise<void>
}

const scenes: Record<Unsafe, Scene> = {
  // An owner freezes over what it is about to write, another one takes the session, and the first thaws.
  fencing: {
    invariant: "INV-5",
    says: /: epoch \d+ wrote \d+ after \d+ was taken/,
    play: async ({ busiest, campaign, freeze, start, superuser, taken, thaw }) => {
      await start()
      const sessionId = await campaign.openOwn()
      const [owner, epochs] = await busiest()
      await owner.freezeAt("command.planned")
      const told = campaign.tell(sessionId, campaign.command(message))
      await until("the owner freezes", () => isStopped(owner.pid))
      freeze(owner)
      await start()
      // Sooner than by its lock's expiry: what holds it is cut off from the database.
      await superuser(`SELECT pg_terminate_backend(pid) ${lockOf(owner.address)}`)
      await taken(epochs)
      thaw(owner)
      await told
      campaign.start()
    }
  },
  // A command is refused, and sent again when it would be taken.
  duplicates: {
    invariant: "INV-2",
    says: /: cmd_\w+ got two different answers/,
    play: async ({ campaign }) => {
      const sessionId = await campaign.openOwn()
      const resourceId = mintId(campaign.random, "Resource") as ResourceId
      const remove = campaign.command(() => ({ _tag: "RemoveResource", resourceId }))
      await campaign.tell(sessionId, remove)
      const resource = { resourceId, type: "file", spec: { path: "/a" } }
      await campaign.tell(
        sessionId,
        campaign.command(() => ({ _tag: "AddResource", resource }))
      )
      await campaign.tell(sessionId, remove)
    }
  },
  // What began first commits last, and a reader of everything comes by in between.
  horizon: {
    invariant: "INV-7",
    says: /: the feed went from \d+ to \d+/,
    play: async ({ campaign, hold, superuser }) => {
      const [late, early] = [await campaign.openOwn(), await campaign.openOwn()]
      const release = await hold(`SELECT FROM sessions WHERE session_id = '${toUuid(late)}' FOR UPDATE`)
      const told = campaign.tell(late, campaign.command(message))
      await until("an append waits, with its place in the order of all", async () => {
        const rows = await superuser(`SELECT pid ${waiting} AND backend_xid IS NOT NULL`)
        return rows.length > 0
      })
      await campaign.tell(early, campaign.command(message))
      await campaign.readOn()
      await release()
      await told
      await campaign.tell(late, campaign.command(message))
      await campaign.readOn()
    }
  },
  // Nothing can be written, and then every node ends.
  outputGate: {
    invariant: "INV-1",
    says: /: cmd_\w+ was accepted and is not in the log/,
    play: async ({ campaign, hold, kill, nodes, start, superuser }, unsafe) => {
      const sessionId = await campaign.openOwn()
      const release = await hold("LOCK TABLE heads IN SHARE ROW EXCLUSIVE MODE")
      const told = campaign.tell(sessionId, campaign.command(message))
      await until("a write waits", async () => (await superuser(`SELECT pid ${waiting}`)).length > 0)
      // Where output waits for the log, no answer comes.
      if (unsafe === "outputGate") await told
      await Promise.all(nodes().map(kill))
      await until("all that was sent is ended", async () => {
        const rows = await superuser(`SELECT pg_terminate_backend(pid) ${backends}`)
        return rows.length === 0
      })
      await release()
      await start()
      await told
    }
  }
}

requires("postgres")("the judge of a system at work", () => {
  it.concurrent("finds nothing where every safeguard is there", { timeout: 600_000 }, async () => {
    const { fencing, ...others } = scenes
    const { events, problems } = await inTurn(() =>
      withFaults({ seed, ...lease }, async (room) => {
        await fencing.play(room, undefined)
        for (const { play } of Object.values(others)) await play(room, undefined)
      })
    )
    assert.deepStrictEqual(problems, [], `with TROUPE_SEED=${seed}`)
    assert.isAbove(events, 50)
  })

  for (const [name, { invariant, play, says }] of Object.entries(scenes)) {
    const unsafe = name as Unsafe
    it.concurrent(`sees that nodes go without ${name}`, { timeout: 600_000 }, async () => {
      const { problems } = await inTurn(() =>
        withFaults({ seed, ...lease, unsafe }, async (room) => {
          if (unsafe !== "fencing") {
            await room.start()
            room.campaign.start()
          }
          await play(room, unsafe)
        })
      )
      const found = problems.find((problem) => problem.startsWith(`${invariant} `) && says.test(problem))
      assert.isDefined(found, `${invariant} held without ${name}, and this was found: ${problems.join("; ")}`)
      if (process.env["TROUPE_DEPTH"] === "1") process.stdout.write(`${name}: ${found}\n`)
    })
  }
})
