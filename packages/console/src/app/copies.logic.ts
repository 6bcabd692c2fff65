import type { SessionListQuery } from "@troupe/client"

export interface Copy {
  readonly title: string
  readonly text: string
}

/** What a page shows, as it is asked for elsewhere. */
export interface Asked {
  /** Behind the server's address. */
  readonly path: string
  /** Of the typed client: an expression of `troupe`. */
  readonly client: string
  /** Whether that is a list, to be gone through. */
  readonly isList?: boolean
  /** Behind `npx troupe`; null where the command line has none. */
  readonly command: string | null
}

export const curl = (origin: string, path: string, flags = ""): string =>
  `curl ${flags}-H "Authorization: Bearer $TROUPE_API_KEY" '${origin}${path}'`

export const program = (origin: string, line: string): string =>
  [
    `import { Troupe } from "@troupe/client"`,
    ``,
    `const troupe = new Troupe({ baseURL: "${origin}", apiKey: process.env.TROUPE_API_KEY })`,
    line
  ].join("\n")

export const commandLine = (origin: string, command: string): string =>
  `TROUPE_SERVER_URL=${origin} npx troupe ${command}`

/** What one would type elsewhere to have what a page shows. */
export const copiesOf = ({ client, command, isList = false, path }: Asked, origin: string): ReadonlyArray<Copy> => [
  { title: "curl", text: curl(origin, path) },
  {
    title: "TypeScript",
    text: program(
      origin,
      isList ? `for await (const one of ${client}) console.log(one)` : `console.log(await ${client})`
    )
  },
  ...(command === null ? [] : [{ title: "Command line", text: commandLine(origin, command) }])
]

const queryOf = (query: object): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  return search.size === 0 ? "" : `?${search.toString()}`
}

const argumentOf = (query: object): string => (Object.keys(query).length === 0 ? "" : JSON.stringify(query))

/** The sessions of a filter, with nothing said of what is not filtered by. */
export const sessionsAsked = ({ "statuses[]": statuses = [], ...rest }: SessionListQuery): Asked => {
  const query = { ...rest, ...(statuses.length === 0 ? {} : { "statuses[]": statuses }) }
  return {
    path: `/v1/sessions${queryOf(query)}`,
    client: `troupe.sessions.list(${argumentOf(query)})`,
    isList: true,
    command: [
      "sessions list",
      ...statuses.map((status) => `--status ${status}`),
      ...(rest.agent_id === undefined ? [] : [`--agent ${rest.agent_id}`]),
      ...(rest.include_archived === "true" ? ["--archived"] : [])
    ].join(" ")
  }
}

export const foundAsked = (q: string): Asked => ({
  path: `/v1/search${queryOf({ q })}`,
  client: `troupe.sessions.search(${argumentOf({ q })})`,
  isList: true,
  command: null
})

export const usageAsked = (from: string, to: string, by: string): Asked => {
  const query = { from, to, "group_by[]": [by] }
  return {
    path: `/v1/usage${queryOf(query)}`,
    client: `troupe.usage.query(${argumentOf(query)})`,
    isList: true,
    command: `usage --from ${from} --to ${to} --by ${by}`
  }
}

/** One thing by its id. */
export const oneAsked = (resource: string, client: string, command: string, id: string): Asked => ({
  path: `/v1/${resource}/${id}`,
  client: `troupe.${client}.retrieve("${id}")`,
  command: `${command} ${id}`
})

/** A list that is shown as it is. */
export const listAsked = (resource: string, client: string, command: string): Asked => ({
  path: `/v1/${resource}`,
  client: `troupe.${client}.list()`,
  isList: true,
  command: `${command} list`
})
