// What is derived from the contract has to stand by itself: clients in other languages are generated from it.
import { Api } from "@troupe/domain/api/Api"
import * as OpenApi from "effect/http-api/OpenApi"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { root } from "./support/repository.ts"

interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly security?: ReadonlyArray<object>
  readonly parameters: ReadonlyArray<{ readonly name?: string; readonly in?: string }>
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>
}

const spec = JSON.parse(JSON.stringify(OpenApi.fromApi(Api))) as {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly security: ReadonlyArray<object>
}
const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
)

const refsIn = (value: unknown): ReadonlyArray<string> => {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : refsIn(inner)
  )
}

describe("the description of the API", () => {
  it("is the one that is checked in", () => {
    const kept = readFileSync(join(root, "docs/openapi.json"), "utf8")
    assert.isTrue(kept === `${JSON.stringify(spec, null, 2)}\n`, "npm run openapi writes docs/openapi.json anew")
  })

  it("names each operation once, in words, with its parameters", () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    assert.strictEqual(new Set(ids).size, ids.length)
    for (const { operation, path } of operations) {
      assert.match(operation.operationId, /^[a-z][A-Za-z]+$/)
      assert.isNotEmpty(operation.summary)
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const said = operation.parameters.filter((one) => one.in === "path").map(({ name }) => name)
      assert.sameMembers(said, inPath, path)
    }
  })

  it("says how to come in, and that only logging in and signed addresses need nothing", () => {
    assert.deepStrictEqual(spec.security, [{ bearer: [] }, { apiKey: [] }, { cookie: [] }])
    assert.hasAllKeys(spec.components["securitySchemes"], ["bearer", "apiKey", "cookie"])
    const own = operations.flatMap(({ operation }) =>
      operation.security === undefined ? [] : [[operation.operationId, operation.security] as const]
    )
    assert.deepStrictEqual(Object.fromEntries(own), {
      sendUpload: [{}],
      logIn: [{}],
      // A registration token, which no cookie is.
      registerRunner: [{ bearer: [] }, { apiKey: [] }]
    })
  })

  it("says of each operation how it fails, in one shape", () => {
    for (const { operation } of operations) {
      for (const status of ["400", "401", "403", "404", "429", "500"]) {
        const { content, description } = operation.responses[status]!
        assert.isNotEmpty(description)
        assert.deepStrictEqual(content, {
          "application/json": { schema: { $ref: "#/components/schemas/Error" } }
        })
      }
    }
  })

  it("refers to nothing that it does not have", () => {
    for (const ref of new Set(refsIn(spec))) {
      const [, , part, name] = ref.split("/") as [string, string, string, string]
      assert.isDefined(spec.components[part]?.[name], ref)
    }
  })
})
