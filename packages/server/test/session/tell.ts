// Tells what one story did: `node packages/server/test/session/tell.ts SEED ['STORY']`.
import { drawStory, type Story } from "./simulation/Story.ts"
import { run, verdict } from "./simulation/run.ts"

const [seed, given] = process.argv.slice(2)
const story = given === undefined ? drawStory(Number(seed)) : (JSON.parse(given) as Story)
const ending = await run(Number(seed), story)
const say = (...words: ReadonlyArray<unknown>) => process.stdout.write(`${words.join(" ")}\n`)

for (const { events, sessionId } of ending.evidence.sessions) {
  say(sessionId)
  for (const { epoch, payload, recordedAt, seq, type } of events) {
    say(seq, `e${epoch}`, (recordedAt / 1e6).toFixed(3), type, payload?.slice(0, 200))
  }
}
for (const note of ending.evidence.notes) say(JSON.stringify(note))
for (const call of ending.evidence.calls) say(JSON.stringify(call))
for (const problem of verdict(ending)) say(problem)
