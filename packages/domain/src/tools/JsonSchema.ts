import { canonical } from "../CanonicalJson.ts"
import type { Json, JsonObject } from "../Json.ts"

/** What is wrong with a value, each in a sentence that names the place. Written for a model that is to try again. */
export const violations = (schema: JsonObject, value: Json): ReadonlyArray<string> =>
  check(schema, value, "", schema, 0)

const depthMax = 64
const shownMax = 60

type Check = (schema: JsonObject, value: Json, at: string, root: JsonObject, depth: number) => ReadonlyArray<string>

const check: Check = (schema, value, at, root, depth) => {
  if (depth > depthMax) return [`${place(at)} is nested too deeply`]
  const reference = schema["$ref"]
  const own = parts.flatMap((part) => part(schema, value, at, root, depth))
  if (reference === undefined) return own
  const target = resolve(root, reference)
  if (target === undefined) return [`${place(at)} has a schema that refers to nothing`]
  return [...check(target, value, at, root, depth + 1), ...own]
}

const types: Check = (schema, value, at) => {
  const wanted = typeof schema["type"] === "string" ? [schema["type"]] : texts(schema["type"])
  if (wanted.length === 0 || wanted.some((type) => isOfType(type, value))) return []
  return [`${place(at)} must be ${wanted.join(" or ")}, not ${show(value)}`]
}

const values: Check = (schema, value, at) => {
  const found: Array<string> = []
  const { const: constant, enum: options } = schema
  if (constant !== undefined && !isEqual(constant, value)) found.push(`${place(at)} must be ${show(constant)}`)
  if (Array.isArray(options) && !options.some((option) => isEqual(option, value))) {
    found.push(`${place(at)} must be one of ${options.map(show).join(", ")}, not ${show(value)}`)
  }
  return found
}

const numbers: Check = (schema, value, at) => {
  if (typeof value !== "number") return []
  const bounds: ReadonlyArray<readonly [string, (bound: number) => boolean, string]> = [
    ["minimum", (bound) => value >= bound, "at least"],
    ["maximum", (bound) => value <= bound, "at most"],
    ["exclusiveMinimum", (bound) => value > bound, "more than"],
    ["exclusiveMaximum", (bound) => value < bound, "less than"],
    ["multipleOf", (bound) => bound > 0 && Number.isInteger(value / bound), "a multiple of"]
  ]
  return bounds.flatMap(([keyword, holds, words]) => {
    const bound = schema[keyword]
    return typeof bound !== "number" || holds(bound) ? [] : [`${place(at)} must be ${words} ${bound}, not ${value}`]
  })
}

const lengths: Check = (schema, value, at) => {
  const [kind, size] = sizeOf(value)
  if (kind === undefined) return []
  const min = schema[`min${kind}`]
  const max = schema[`max${kind}`]
  const unit = { Length: "characters", Items: "items", Properties: "properties" }[kind]
  if (typeof min === "number" && size < min) return [`${place(at)} must have at least ${min} ${unit}, not ${size}`]
  if (typeof max === "number" && size > max) return [`${place(at)} must have at most ${max} ${unit}, not ${size}`]
  return []
}

/** A pattern that is no regular expression of ours says nothing about the value. */
const patterns: Check = (schema, value, at) => {
  const { pattern } = schema
  if (typeof value !== "string" || typeof pattern !== "string") return []
  try {
    return new RegExp(pattern, "u").test(value) ? [] : [`${place(at)} must match ${pattern}`]
  } catch {
    return []
  }
}

const properties: Check = (schema, value, at, root, depth) => {
  if (!isObject(value)) return []
  const known = isObject(schema["properties"]) ? schema["properties"] : {}
  const missing = texts(schema["required"]).flatMap((name) =>
    Object.hasOwn(value, name) ? [] : [`${place(join(at, name))} is missing`]
  )
  const others = schema["additionalProperties"]
  const wrong = Object.entries(value).flatMap(([name, one]) => {
    const own = Object.hasOwn(known, name) ? known[name] : undefined
    if (isObject(own)) return check(own, one, join(at, name), root, depth + 1)
    if (own === undefined && others === false) {
      return [`${place(join(at, name))} is not known; there is ${Object.keys(known).join(", ") || "nothing"}`]
    }
    return own === undefined && isObject(others) ? check(others, one, join(at, name), root, depth + 1) : []
  })
  return [...missing, ...wrong]
}

const items: Check = (schema, value, at, root, depth) => {
  if (!Array.isArray(value)) return []
  const first = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : []
  return value.flatMap((one, index) => {
    const own = first[index] ?? schema["items"]
    if (own === false) return [`${place(at)} has more items than are meant`]
    return isObject(own) ? check(own, one, `${at}[${index}]`, root, depth + 1) : []
  })
}

const combinations: Check = (schema, value, at, root, depth) => {
  const of = (keyword: string) => (Array.isArray(schema[keyword]) ? schema[keyword].filter(isObject) : [])
  const fails = (one: JsonObject) => check(one, value, at, root, depth + 1)
  const found = of("allOf").flatMap(fails)
  for (const keyword of ["anyOf", "oneOf"]) {
    const tried = of(keyword).map(fails)
    const fitting = tried.filter((problems) => problems.length === 0).length
    if (tried.length > 0 && fitting === 0) found.push(...tried.reduce((a, b) => (b.length < a.length ? b : a)))
    if (keyword === "oneOf" && fitting > 1) found.push(`${place(at)} fits ${fitting} alternatives, and must fit one`)
  }
  if (isObject(schema["not"]) && fails(schema["not"]).length === 0) found.push(`${place(at)} is what it must not be`)
  return found
}

const parts: ReadonlyArray<Check> = [types, values, numbers, lengths, patterns, properties, items, combinations]

const place = (at: string): string => (at === "" ? "The input" : `\`${at}\``)
const join = (at: string, name: string): string => (at === "" ? name : `${at}.${name}`)
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const texts = (value: Json | undefined): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : []
const isEqual = (a: Json, b: Json): boolean => canonical(a) === canonical(b)

const show = (value: Json): string => {
  if (Array.isArray(value)) return "an array"
  if (isObject(value)) return "an object"
  const text = JSON.stringify(value)
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

const isOfType = (type: string, value: Json): boolean => {
  switch (type) {
    case "null":
      return value === null
    case "array":
      return Array.isArray(value)
    case "object":
      return isObject(value)
    case "integer":
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

const sizeOf = (value: Json): readonly ["Length" | "Items" | "Properties" | undefined, number] =>
  typeof value === "string"
    ? ["Length", [...value].length]
    : Array.isArray(value)
      ? ["Items", value.length]
      : isObject(value)
        ? ["Properties", Object.keys(value).length]
        : [undefined, 0]

/** Of references only those into the schema itself. */
const resolve = (root: JsonObject, reference: Json): JsonObject | undefined => {
  if (typeof reference !== "string" || !reference.startsWith("#")) return undefined
  let found: Json | undefined = root
  for (const key of reference.slice(1).split("/").slice(1)) {
    const name = key.replaceAll("~1", "/").replaceAll("~0", "~")
    found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  return isObject(found) ? found : undefined
}
