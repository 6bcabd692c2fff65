import type { ContentBlock } from "@modelcontextprotocol/client"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Result } from "effect"
import { objectSchema } from "../tools/builtin/BuiltIn.ts"
import { say, type ToolOutput } from "../tools/Tool.ts"
import { mcpContent } from "./mcpContent.ts"
import type { McpError } from "./McpError.ts"
import type { McpListedPrompt, McpListedResource } from "./McpListing.ts"
import { failed, type McpOffer, type McpToolParts } from "./McpOffer.ts"

/** Resources and prompts of a server, as tools. */
export const readingTools = (parts: McpToolParts): ReadonlyArray<McpOffer> => [
  ...ofResources(parts),
  ...ofPrompts(parts)
]

/** They only read, as the protocol has it; but who answers is the server, so that it counts where the server is trusted. */
const offer = (
  { server }: McpToolParts,
  own: Pick<McpOffer, "name" | "description" | "inputSchema" | "run">
): McpOffer => {
  const { trustAnnotations } = server.config
  return { ...own, readOnly: trustAnnotations, idempotent: trustAnnotations }
}

const ofResources = (parts: McpToolParts): ReadonlyArray<McpOffer> => {
  const { listing, people, place, server } = parts
  if (!listing.hasResources) return []
  const name = server.config.name
  const line = ({ description, mediaType, name: called, uri }: McpListedResource) =>
    `- ${uri} (${called}${mediaType === null ? "" : `, ${mediaType}`})${description === "" ? "" : `: ${description}`}`
  return [
    offer(parts, {
      name: "list_resources",
      description: `Lists the resources of ${name}: addresses that read_resource reads. {…} stands for what is to be filled in.`,
      inputSchema: objectSchema({}, []),
      run: () => lines(parts, server.listResources, line, "There are no resources.")
    }),
    offer(parts, {
      name: "read_resource",
      description: `Reads one resource of ${name}.`,
      inputSchema: objectSchema({ uri: { type: "string", description: "The address, as list_resources gives it." } }, [
        "uri"
      ]),
      run: (input, callId) =>
        reading(
          server.readResource(String(input["uri"]), people(callId)),
          { server: name, uri: input["uri"] ?? null },
          ({ contents }) =>
            mcpContent(
              place,
              contents.map((resource): ContentBlock => ({ type: "resource", resource }))
            )
        )
    })
  ]
}

const ofPrompts = (parts: McpToolParts): ReadonlyArray<McpOffer> => {
  const { listing, people, place, server } = parts
  if (!listing.hasPrompts) return []
  const name = server.config.name
  const line = ({ arguments: takes, description, name: called }: McpListedPrompt) => {
    const given = takes.map((one) => `${one.name}${one.required ? "" : "?"}`).join(", ")
    return `- ${called}(${given})${description === "" ? "" : `: ${description}`}`
  }
  const strings = { type: "object", additionalProperties: { type: "string" }, description: "Its arguments by name." }
  return [
    offer(parts, {
      name: "list_prompts",
      description: `Lists the prompts of ${name}, which get_prompt gives. A ? marks an argument that may be left out.`,
      inputSchema: objectSchema({}, []),
      run: () => lines(parts, server.listPrompts, line, "There are no prompts.")
    }),
    offer(parts, {
      name: "get_prompt",
      description: `Gives the text of one prompt of ${name}, with its arguments filled in.`,
      inputSchema: objectSchema({ name: { type: "string" }, arguments: strings }, ["name"]),
      run: (input, callId) => {
        const given = (input["arguments"] ?? {}) as Readonly<Record<string, string>>
        const details = { server: name, prompt: input["name"] ?? null }
        return reading(server.getPrompt(String(input["name"]), given, people(callId)), details, ({ messages }) =>
          mcpContent(
            place,
            messages.flatMap(({ content, role }): ReadonlyArray<ContentBlock> => [
              { type: "text", text: `${role}:` },
              content
            ])
          )
        )
      }
    })
  ]
}

const lines = <A>(
  { place, server }: McpToolParts,
  list: Effect.Effect<ReadonlyArray<A>, McpError>,
  line: (one: A) => string,
  none: string
) =>
  reading(list, { server: server.config.name }, (found) =>
    mcpContent(place, [{ type: "text", text: found.length === 0 ? none : found.map(line).join("\n") }])
  )

const reading = Effect.fnUntraced(function* <A>(
  read: Effect.Effect<A, McpError>,
  details: JsonObject,
  content: (answer: A) => Effect.Effect<ToolOutput["content"]>
) {
  const answer = yield* Effect.result(read)
  if (Result.isFailure(answer)) return yield* failed(answer.failure, details)
  const found = yield* content(answer.success)
  return found.length === 0 ? say("[There is nothing in it.]", details) : { content: found, details }
})
