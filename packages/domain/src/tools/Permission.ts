import { Schema } from "effect"
import { canonical } from "../CanonicalJson.ts"
import type { Json } from "../Json.ts"
import { PermissionPolicy, type PermissionRule, presets } from "./PermissionPolicy.ts"
import { matchesPath, matchesWildcard, normalPath } from "./Wildcard.ts"

/** A call as rules look at it. */
export interface AskedCall {
  readonly name: string
  readonly server: string | null
  readonly input: Json
  readonly readOnly: boolean
  /** Arguments that are paths, and where relative ones begin. */
  readonly paths: ReadonlyArray<string>
  readonly workspace: string
  /** Arguments that are shell scripts. */
  readonly scripts: ReadonlyArray<string>
}

/** Everything that has a say, as it was written: what can't be read is not passed over. */
export interface Permissions {
  readonly preset: string | null
  /** The agent's. */
  readonly policies: ReadonlyArray<unknown>
  /** The tool's own. */
  readonly policy: unknown
  /** Nothing keeps what runs there from the host. */
  readonly unisolated: boolean
}

/** What was decided, and by which rule. */
export interface Verdict {
  readonly permission: "allow" | "ask" | "deny"
  readonly rule: string
  readonly reason: string | null
}

/**
 * Layers, each of which may say something: the turn's preset, the agent's policies in their order, the absence of
 * isolation, the tool's own policy. The first that denies wins, wherever it stands; else the first that says anything.
 * Nobody saying anything means asking, and so does a policy that can't be read.
 */
export const permit = (permissions: Permissions, call: AskedCall): Verdict => {
  const said = [
    ofPreset(permissions.preset, call),
    ...permissions.policies.map((policy, index) => ofPolicy(`policies[${index}]`, policy, call, null)),
    permissions.unisolated && !call.readOnly ? ask("isolation.none", "nothing isolates what this does") : null,
    ofPolicy(`tools.${call.name}`, permissions.policy, call, "ask")
  ].filter((verdict) => verdict !== null)
  return said.find(({ permission }) => permission === "deny") ?? said[0] ?? ask("nothing", "no rule speaks of it")
}

const ask = (rule: string, reason: string | null): Verdict => ({ permission: "ask", rule, reason })

const ofPreset = (preset: string | null, call: AskedCall): Verdict | null => {
  if (preset === null || preset === "default") return null
  if (!presets.some((known) => known === preset)) return ask(`preset.${preset}`, "this preset is not known")
  if (call.readOnly) return null
  return preset === "ask"
    ? ask("preset.ask", null)
    : { permission: "deny", rule: "preset.read_only", reason: "this turn may only read" }
}

const isPolicy = Schema.is(PermissionPolicy)

const ofPolicy = (name: string, policy: unknown, call: AskedCall, otherwise: "ask" | null): Verdict | null => {
  if (!isPolicy(policy)) return ask(name, "this policy is not understood")
  if (policy.type !== "rules") {
    const permission = policy.type === "always_allow" ? "allow" : "ask"
    return { permission, rule: `${name}.${policy.type}`, reason: null }
  }
  const fitting = policy.rules.flatMap((rule, index) => (fits(rule, call) ? [{ rule, index }] : []))
  const found = fitting.find(({ rule }) => rule.then === "deny") ?? fitting[0]
  if (found !== undefined) {
    const { index, rule } = found
    return { permission: rule.then, rule: `${name}.rules[${index}]`, reason: rule.reason ?? null }
  }
  const last = policy.otherwise ?? otherwise
  return last === null ? null : { permission: last, rule: `${name}.otherwise`, reason: null }
}

const fits = (rule: PermissionRule, call: AskedCall): boolean => {
  const isMeant =
    matchesWildcard(rule.tool, call.name) ||
    (call.server !== null && matchesWildcard(rule.tool, `${call.server}/${call.name}`))
  if (!isMeant) return false
  return Object.entries(rule.when ?? {}).every(([argument, patterns]) => {
    const list = typeof patterns === "string" ? [patterns] : patterns
    return list.some((pattern) => argumentFits(rule, call, argument, pattern))
  })
}

const argumentFits = (rule: PermissionRule, call: AskedCall, argument: string, pattern: string): boolean => {
  const value = argumentOf(call.input, argument)
  if (value === undefined) return false
  if (call.paths.includes(argument)) {
    return matchesPath(normalPath(pattern, call.workspace), normalPath(value, call.workspace))
  }
  if (!call.scripts.includes(argument)) return matchesWildcard(pattern, value)
  // What allows must be sure that the script is that one command; what asks or denies looks at each piece of it.
  return rule.then === "allow"
    ? isOneCommand(value) && matchesWildcard(pattern, value.trim())
    : piecesOf(value).some((piece) => matchesWildcard(pattern, piece))
}

const argumentOf = (input: Json, name: string): string | undefined => {
  if (typeof input !== "object" || input === null || !Object.hasOwn(input, name)) return undefined
  const value = (input as Readonly<Record<string, Json>>)[name]!
  return typeof value === "string" ? value : canonical(value)
}

const joints = /[;&|<>$`\\(){}\r\n]/

const isOneCommand = (script: string): boolean => !joints.test(script.trim())

const piecesOf = (script: string): ReadonlyArray<string> => [
  script.trim(),
  ...script
    .split(/[;&|`(){}\r\n]+|\$\(/)
    .map((piece) => piece.trim().replaceAll(/\s+/g, " "))
    .filter((piece) => piece !== "")
]
