import { assert, it } from "vitest"
import { requires } from "../../test/requires.ts"
import { withFaults } from "./withFaults.ts"

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

requires("postgres")("nodes in trouble", () => {
  it("keep every promise when nothing goes wrong", async () => {
    const { events, problems } = await withFaults({ seed: 1 }, async ({ campaign, start }) => {
      await start()
      campaign.start()
      await sleep(5_000)
    })
    assert.deepStrictEqual(problems, [])
    assert.isAbove(events, 100)
  }, 120_000)
})
