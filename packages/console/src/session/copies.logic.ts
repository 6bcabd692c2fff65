import { commandLine, type Copy, curl, program } from "../app/copies.logic.ts"

/** The same session from elsewhere: what one would type to follow it. */
export const copies = (sessionId: string, origin: string): ReadonlyArray<Copy> => [
  { title: "Session id", text: sessionId },
  { title: "curl", text: curl(origin, `/v1/sessions/${sessionId}/log/stream`, "-N ") },
  { title: "Command line", text: commandLine(origin, `attach ${sessionId}`) },
  {
    title: "TypeScript",
    text: program(
      origin,
      `for await (const event of troupe.session("${sessionId}").followLog()) console.log(event.seq, event.type)`
    )
  }
]
