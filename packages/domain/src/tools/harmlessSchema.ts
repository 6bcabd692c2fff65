import type { Json, JsonObject } from "../Json.ts"

const bytesMax = 65_536
const depthMax = 24
const nodesMax = 2_000

const maps: ReadonlySet<string> = new Set(["properties"])
const lists: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"])
const singles: ReadonlySet<string> = new Set(["items", "additionalProperties", "not"])

type Holds = (value: Json) => boolean

const types: ReadonlySet<Json> = new Set(["null", "boolean", "object", "array", "number", "string", "integer"])
const anything: Holds = () => true
const isText: Holds = (value) => typeof value === "string"
const isNumber: Holds = (value) => typeof value === "number"
const isCount: Holds = (value) => typeof value === "number" && Number.isInteger(value) && value >= 0
const isList: Holds = (value) => Array.isArray(value)

/** Keywords that hold no schemas, and what each may be: providers refuse a whole request for one that is something else. */
const plain: Readonly<Record<string, Holds>> = {
  type: (value) => (Array.isArray(value) ? value.length > 0 && value.every((one) => types.has(one)) : types.has(value)),
  enum: (value) => Array.isArray(value) && value.length > 0,
  const: anything,
  default: anything,
  examples: isList,
  title: isText,
  description: isText,
  format: isText,
  required: (value) => Array.isArray(value) && value.every(isText),
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => typeof value === "number" && value > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  uniqueItems: (value) => typeof value === "boolean",
  minProperties: isCount,
  maxProperties: isCount
}

/**
 * The schema of a tool's input, from a server nobody vouches for, as something that costs little to check and that every
 * provider takes: references are put where they are used, and what refers to itself allows anything there; regular
 * expressions are told and not run; keywords that nobody checks, or that hold what they can't, are gone. A sentence where that
 * can't be done.
 */
export const harmlessSchema = (schema: JsonObject): JsonObject | string => rebuilt(schema, false)

/** What is wrong with the schema of an input that somebody vouches for, or null: it is used as it is. */
export const schemaFault = (schema: JsonObject): string | null => {
  const found = rebuilt(schema, true)
  return typeof found === "string" ? found : null
}

const rebuilt = (schema: JsonObject, isStrict: boolean): JsonObject | string => {
  if (JSON.stringify(schema).length > bytesMax) return `is longer than ${bytesMax} bytes`
  const type = schema["type"]
  if (type !== undefined && type !== "object") return "does not describe an object"
  try {
    const found = new Rebuilt(schema, isStrict).of(schema, 0, [])
    return isObject(found) ? { ...found, type: "object" } : "does not describe an object"
  } catch (cause) {
    if (cause instanceof SchemaRefused) return cause.message
    throw cause
  }
}

class SchemaRefused extends Error {}

class Rebuilt {
  private readonly root: JsonObject
  private readonly isStrict: boolean
  private nodes = 0

  constructor(root: JsonObject, isStrict: boolean) {
    this.root = root
    this.isStrict = isStrict
  }

  of(schema: Json, depth: number, within: ReadonlyArray<string>): Json {
    if (typeof schema === "boolean") return schema
    if (!isObject(schema)) throw new SchemaRefused("holds something that is no schema")
    if (depth > depthMax) throw new SchemaRefused(`is nested more than ${depthMax} deep`)
    if (++this.nodes > nodesMax) throw new SchemaRefused(`has more than ${nodesMax} parts`)
    const own = this.parts(schema, depth, within)
    const reference = schema["$ref"]
    if (reference === undefined) return own
    const target = this.referred(reference, depth, within)
    return isObject(target) ? { ...target, ...own } : target
  }

  private parts(schema: JsonObject, depth: number, within: ReadonlyArray<string>): JsonObject {
    const found: Record<string, Json> = {}
    for (const [key, value] of Object.entries(schema)) {
      if (maps.has(key)) found[key] = this.map(value, depth, within)
      else if (lists.has(key)) found[key] = this.list(value, depth, within)
      else if (singles.has(key)) found[key] = this.of(value, depth + 1, within)
      else if (!Object.hasOwn(plain, key)) continue
      else if (plain[key]!(value)) found[key] = value
      else if (this.isStrict) throw new SchemaRefused(`has something for ${key} that can't be there`)
    }
    const { pattern } = schema
    if (typeof pattern === "string") {
      const { description } = schema
      found["description"] = `${typeof description === "string" ? `${description} ` : ""}(Must match ${pattern})`
    }
    return found
  }

  private map(value: Json, depth: number, within: ReadonlyArray<string>): JsonObject {
    if (!isObject(value)) throw new SchemaRefused("has properties that are none")
    // `__proto__` is a name like any other here.
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.of(one, depth + 1, within)]))
  }

  private list(value: Json, depth: number, within: ReadonlyArray<string>): ReadonlyArray<Json> {
    if (!Array.isArray(value)) throw new SchemaRefused("has alternatives that are no list")
    return value.map((one) => this.of(one, depth + 1, within))
  }

  private referred(reference: Json, depth: number, within: ReadonlyArray<string>): Json {
    if (typeof reference !== "string" || !reference.startsWith("#")) {
      throw new SchemaRefused("refers to something outside of itself")
    }
    if (within.includes(reference)) return {}
    const target = reference
      .slice(1)
      .split("/")
      .slice(1)
      .reduce<Json | undefined>((at, key) => {
        const name = key.replaceAll("~1", "/").replaceAll("~0", "~")
        return isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
      }, this.root)
    if (target === undefined) throw new SchemaRefused("refers to nothing")
    return this.of(target, depth + 1, [...within, reference])
  }
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
