import { Api } from "@troupe/domain/api/Api"
import * as OpenApi from "effect/http-api/OpenApi"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { escape, page } from "./html.ts"

interface SchemaOut {
  readonly $ref?: string
  readonly type?: string | ReadonlyArray<string>
  readonly description?: string
  readonly properties?: Readonly<Record<string, SchemaOut>>
  readonly required?: ReadonlyArray<string>
  readonly items?: SchemaOut
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<SchemaOut>
  readonly oneOf?: ReadonlyArray<SchemaOut>
  readonly allOf?: ReadonlyArray<SchemaOut>
}

interface Parameter {
  readonly $ref?: string
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: SchemaOut
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: ReadonlyArray<string>
  readonly parameters: ReadonlyArray<Parameter>
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: SchemaOut }>> }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, { schema: SchemaOut }>> }>
  >
}

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, SchemaOut>> }
}

const refName = (ref: string): string => ref.split("/").at(-1)!

const linkTo = (name: string): string => `<a href="#schema-${escape(name)}"><code>${escape(name)}</code></a>`

const deepest = 4

/** A schema in a line, or as a table where it has fields. */
const shape = (schema: SchemaOut, depth = 0): string => {
  if (schema.$ref !== undefined) return linkTo(refName(schema.$ref))
  if (schema.enum !== undefined)
    return schema.enum.map((one) => `<code>${escape(JSON.stringify(one))}</code>`).join(" | ")
  const options = schema.anyOf ?? schema.oneOf
  if (options !== undefined) return options.map((one) => shape(one, depth)).join(" or ")
  if (schema.type === "array") return `list of ${schema.items === undefined ? "anything" : shape(schema.items, depth)}`
  if (schema.properties === undefined) return `<code>${escape([schema.type ?? "any"].flat().join(" | "))}</code>`
  return depth >= deepest ? "<code>object</code>" : fields(schema, depth)
}

const fields = ({ properties = {}, required = [] }: SchemaOut, depth: number): string => {
  const rows = Object.entries(properties).map(
    ([name, schema]) =>
      `<tr><td><code>${escape(name)}</code>${required.includes(name) ? "" : "?"}</td><td>${shape(schema, depth + 1)}${
        schema.description === undefined ? "" : `<br>${escape(schema.description)}`
      }</td></tr>`
  )
  return `<table>${rows.join("")}</table>`
}

const parameters = (all: ReadonlyArray<Parameter>): string => {
  const own = all.filter(({ $ref }) => $ref === undefined)
  if (own.length === 0) return ""
  const rows = own.map(
    ({ in: place, name, required, schema }) =>
      `<tr><td><code>${escape(name)}</code>${required === true ? "" : "?"}</td><td>${place}</td><td>${shape(schema)}</td></tr>`
  )
  return `<p>Parameters</p><table>${rows.join("")}</table>`
}

const contents = (title: string, all: Readonly<Record<string, { readonly schema: SchemaOut }>> | undefined): string =>
  Object.entries(all ?? {})
    .map(([type, { schema }]) => `<p>${title} <code>${escape(type)}</code></p>${shape(schema)}`)
    .join("")

const operation = (path: string, method: string, one: Operation): string => {
  const { "200": done, ...others } = one.responses
  const failures = Object.entries(others).map(
    ([status, { description }]) => `<tr><td>${status}</td><td>${escape(description)}</td></tr>`
  )
  return `<details id="${escape(one.operationId)}"><summary><span class="method">${method.toUpperCase()}</span>
<code>${escape(path)}</code> <span class="soft">${escape(one.summary)}</span></summary><div>
${one.description === undefined ? "" : `<p>${escape(one.description)}</p>`}
${parameters(one.parameters)}${contents("Body", one.requestBody?.content)}${contents("Answer", done?.content)}
<p>Failures, each as ${linkTo("Error")}</p><table>${failures.join("")}</table></div></details>`
}

const render = ({ components, paths }: Described): string => {
  const groups = new Map<string, Array<string>>()
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, one] of Object.entries(methods)) {
      const group = one.tags[0] ?? "other"
      groups.set(group, [...(groups.get(group) ?? []), operation(path, method, one)])
    }
  }
  const names = [...groups.keys()]
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${escape(name)}"><summary><code>${escape(name)}</code></summary><div>${shape(schema)}</div></details>`
  )
  return `<main>
<h1>The Troupe API</h1>
<p>Send a token as <code>Authorization: Bearer</code> or <code>x-api-key</code>. The same, for machines, is at
<a href="/openapi.json">/openapi.json</a>.</p>
<pre>curl -H "x-api-key: $TROUPE_API_KEY" http://127.0.0.1:4777/v1/me</pre>
<nav><ul>${names.map((name) => `<li><a href="#group-${escape(name)}">${escape(name)}</a></li>`).join("")}
<li><a href="#schemas">schemas</a></li></ul></nav>
${names.map((name) => `<h2 id="group-${escape(name)}">${escape(name)}</h2>${groups.get(name)!.join("")}`).join("")}
<h2 id="schemas">schemas</h2>${schemas.join("")}
</main>`
}

let rendered: HttpServerResponse | undefined

/** The description of the API for people, from the same source as the one for machines. */
export const docs = (): HttpServerResponse =>
  (rendered ??= page("The Troupe API", render(OpenApi.fromApi(Api) as unknown as Described)))
