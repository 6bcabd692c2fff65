/** The same thing from elsewhere: what one would type to be where this page is. */
export const copies = (
  sessionId: string,
  origin: string
): ReadonlyArray<{ readonly title: string; readonly text: string }> => [
  { title: "Session id", text: sessionId },
  {
    title: "curl",
    text: `curl -N -H "Authorization: Bearer $TROUPE_API_KEY" ${origin}/v1/sessions/${sessionId}/log/stream`
  },
  { title: "Command line", text: `TROUPE_SERVER_URL=${origin} npx troupe attach ${sessionId}` },
  {
    title: "TypeScript",
    text: [
      `import { Troupe } from "@troupe/client"`,
      ``,
      `const troupe = new Troupe({ baseURL: "${origin}", apiKey })`,
      `for await (const event of troupe.session("${sessionId}").followLog()) console.log(event.seq, event.type)`
    ].join("\n")
  }
]
