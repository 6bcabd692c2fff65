import type { McpAuthorization, McpAuthorize } from "@troupe/client"

interface Shown {
  readonly tone: "good" | "bad" | "warn" | ""
  readonly text: string
  /** What the button says. */
  readonly verb: string
  readonly facts: ReadonlyArray<readonly [name: string, value: string]>
}

const standings: Readonly<Record<McpAuthorization["status"], Pick<Shown, "tone" | "text" | "verb">>> = {
  none: { tone: "", text: "Nobody has logged in", verb: "Connect" },
  pending: { tone: "warn", text: "A login is under way", verb: "Connect" },
  connected: { tone: "good", text: "Connected", verb: "Connect again" },
  login_required: { tone: "bad", text: "Somebody has to log in again", verb: "Connect" }
}

const fact = (name: string, value: string | null): ReadonlyArray<readonly [string, string]> =>
  value === null ? [] : [[name, value]]

const timeOf = (time: string | null): string | null => (time === null ? null : new Date(time).toLocaleString())

/** How a login stands, and what is known of it. */
export const loginShown = (authorization: McpAuthorization): Shown => {
  const { authorized_at, client_id, expires_at, issuer, renewable, scope, status } = authorization
  const until = timeOf(expires_at)
  return {
    ...standings[status],
    facts: [
      ...fact("At", issuer),
      ...fact("For", scope),
      ...fact("As the client", client_id),
      ...fact("Since", timeOf(authorized_at)),
      ...fact("Its token ends", until === null ? null : renewable ? `${until}, and is renewed by itself` : until)
    ]
  }
}

/** What a login begins with. A client that was registered there beforehand is named; nobody else has to be. */
export const authorizeBody = (clientId: string, secret: string): McpAuthorize => ({
  back_to: "console",
  ...(clientId.trim() === ""
    ? {}
    : { client: { client_id: clientId.trim(), ...(secret === "" ? {} : { client_secret: secret }) } })
})
