/** Kills a node in the middle of `sleep 5; echo done`, and prints what happened: `node e2e/system/transcript.ts`. */
import { lineOf } from "./lineOf.ts"
import { Trial } from "./Trial.ts"

const begun = Date.now()
const line = (at: number, who: string, what: string) =>
  console.log(`${((at - begun) / 1_000).toFixed(2).padStart(6)} s  ${who.padEnd(8)}${what}`)

const problems = await Trial.run({}, async (trial) => {
  const runner = await trial.runner()
  const session = await trial.open()
  const { line: command, token } = trial.effect("once", "sleep 5; echo done")
  await trial.say(session, command)
  await trial.happened(token)
  const [first] = trial.nodes()
  const killedAt = Date.now()
  await trial.killNode(first!)
  const second = await trial.node()
  const upAt = Date.now()
  await trial.ended(session)
  const stored = await trial.stored(session)
  const marks = [
    { at: killedAt, who: "test", what: `kill -9 ${first!.pid}: the only node is dead` },
    { at: upAt, who: "test", what: `node ${second.pid} is up` },
    ...trial.sink.effects.map(({ at, token: seen }) => ({ at, who: "outside", what: `${seen} happened` })),
    ...stored.flatMap(({ at, epoch, event, seq }) => {
      const what = lineOf(event)
      return what === null ? [] : [{ at, who: `#${seq} e${epoch}`, what }]
    })
  ]
  for (const { at, what, who } of marks.toSorted((a, b) => a.at - b.at)) line(at, who, what)
  console.log(
    `\nThe runner, process ${runner.pid}, was there all the time. The command ran ${trial.sink.count(token)} time.`
  )
})

console.log(problems.length === 0 ? "No promise was broken." : problems.join("\n"))
process.exit(problems.length === 0 ? 0 : 1)
