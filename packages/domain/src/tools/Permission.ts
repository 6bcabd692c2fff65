import { canonical } from "../CanonicalJson.ts"
import type { Json } from "../Json.ts"
import type { PermissionPolicy } from "./PermissionPolicy.ts"
import type { PermissionRule } from "./PermissionRule.ts"
import { type LayerName, type PolicyLayer, readPolicy, restrictionsIn } from "./PolicyLayers.ts"
import { presetOf } from "./Presets.ts"
import { restrictionOf } from "./Restrictions.ts"
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
  readonly layers: ReadonlyArray<PolicyLayer>
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
  /** To be asked, unless a model that is there for it finds the call harmless or harmful. */
  readonly auto?: true
}

/**
 * Layers, from the server to the turn, each of which may say something; within a layer, its policies in their order, the
 * first that says anything. Between layers the strictest counts: the first that denies, wherever it stands, else the first
 * that asks, else the first that allows. What none of them speaks of is asked for where a preset wants that, or where nothing
 * isolates what it does; else the tool's own policy says. Nobody saying anything means asking, and so does a policy that
 * can't be read.
 */
export const permit = (permissions: Permissions, call: AskedCall): Verdict => {
  const { layers, policy, unisolated } = permissions
  const said = layers.flatMap((layer) => ofLayer(layer, call))
  const own = ofPolicy(`tools.${call.name}`, policy, call, "ask")
  const first = (permission: Verdict["permission"]) => said.find((verdict) => verdict.permission === permission)
  if (own?.permission === "deny" && first("deny") === undefined) return own
  const spoken = first("deny") ?? first("ask") ?? first("allow")
  if (spoken !== undefined) return spoken
  const unspoken = layers.flatMap((layer) => ofUnspoken(layer))[0]
  if (unspoken !== undefined) return unspoken
  if (unisolated) return ask("isolation.none", "nothing isolates what this does")
  return own ?? ask("nothing", "no rule speaks of it")
}

const ask = (rule: string, reason: string | null): Verdict => ({ permission: "ask", rule, reason })

/** What a layer says by its policies, and what its presets take away from that. */
const ofLayer = ({ name, policies }: PolicyLayer, call: AskedCall): ReadonlyArray<Verdict> => {
  const speaking: Array<Verdict> = []
  const taking: Array<Verdict> = []
  for (const [index, policy] of policies.entries()) {
    const place = placeOf(name, index, policy)
    if (readPolicy(policy) && (policy.type === "preset" || policy.type === "restrictions")) {
      taking.push(...taken(place, policy, call))
      continue
    }
    const verdict = ofPolicy(place, policy, call, null)
    if (verdict !== null) speaking.push(verdict)
  }
  const spoken = speaking.find(({ permission }) => permission === "deny") ?? speaking[0]
  return spoken === undefined ? taking : [...taking, spoken]
}

const placeOf = (layer: LayerName, index: number, policy: unknown): string => {
  const preset = readPolicy(policy) && policy.type === "preset" ? `preset.${policy.preset}` : null
  // A turn has one preset, and nothing else.
  if (layer === "turn") return `turn.${preset ?? "preset"}`
  return [layer, `policies[${index}]`, ...(preset === null ? [] : [preset])].join(".")
}

/** What a preset or a list of restrictions denies or asks for. */
const taken = (place: string, policy: PermissionPolicy, call: AskedCall): ReadonlyArray<Verdict> => {
  const preset = policy.type === "preset" ? presetOf(policy.preset) : undefined
  const found = restrictionsIn(policy).flatMap((restriction): ReadonlyArray<Verdict> => {
    const { denyChanges, rules } = restrictionOf(restriction)
    const rule = `${place}.${restriction}`
    if (denyChanges === true && !call.readOnly) {
      return [{ permission: "deny", rule, reason: "this turn may only read" }]
    }
    const fitting = rules.filter((one) => fits(one, call))
    const strict = fitting.find(({ then }) => then === "deny") ?? fitting[0]
    return strict === undefined ? [] : [{ permission: strict.then, rule, reason: strict.reason ?? null }]
  })
  return preset?.asks === "changes" && !call.readOnly ? [...found, ask(place, null)] : found
}

/** Presets by which only what somebody speaks of goes unasked. */
const ofUnspoken = ({ name, policies }: PolicyLayer): ReadonlyArray<Verdict> =>
  policies.flatMap((policy, index) =>
    readPolicy(policy) && policy.type === "preset" && presetOf(policy.preset)?.asks === "unspoken"
      ? [ask(placeOf(name, index, policy), "no policy speaks of it")]
      : []
  )

const ofPolicy = (name: string, policy: unknown, call: AskedCall, otherwise: "ask" | null): Verdict | null => {
  if (!readPolicy(policy)) return ask(name, "this policy is not understood")
  switch (policy.type) {
    case "always_allow":
      return { permission: "allow", rule: `${name}.always_allow`, reason: null }
    case "always_ask":
      return ask(`${name}.always_ask`, null)
    case "auto":
      return { ...ask(`${name}.auto`, null), auto: true }
    case "preset":
    case "restrictions":
      return taken(name, policy, call)[0] ?? null
    case "rules": {
      const fitting = policy.rules.flatMap((rule, index) => (fits(rule, call) ? [{ rule, index }] : []))
      const found = fitting.find(({ rule }) => rule.then === "deny") ?? fitting[0]
      if (found !== undefined) {
        const { index, rule } = found
        return { permission: rule.then, rule: `${name}.rules[${index}]`, reason: rule.reason ?? null }
      }
      const last = policy.otherwise ?? otherwise
      return last === null ? null : { permission: last, rule: `${name}.otherwise`, reason: null }
    }
  }
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
