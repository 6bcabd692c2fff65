import { Schema } from "effect"
import { AttemptId, SessionId } from "../Ids.ts"
import { JsonObject } from "../Json.ts"

/** A harness or a sandbox backend as the runner found it, by trying it. */
export const Capability = Schema.Struct({
  name: Schema.String,
  version: Schema.NullOr(Schema.String),
  usable: Schema.Boolean,
  /** Why it is not usable, or what it can't do here, for whoever runs the host. */
  notes: Schema.Array(Schema.String),
  details: JsonObject
})
export type Capability = typeof Capability.Type

export const Capacity = Schema.Struct({
  /** Attempts that may work at the same time. */
  attempts: Schema.Int,
  /** Sessions whose sandboxes may be kept. */
  sessions: Schema.Int
})
export type Capacity = typeof Capacity.Type

/** An attempt in the runner's journal. */
export const JournaledAttempt = Schema.Struct({
  sessionId: SessionId,
  attemptId: AttemptId,
  /** The highest epoch that the runner has heard of for this session. */
  epoch: Schema.Int,
  /** Its last frame, and the last that was acknowledged. */
  frame: Schema.Int,
  acknowledged: Schema.Int,
  /** Whether it still works; else its journal waits to be collected. */
  working: Schema.Boolean
})
export type JournaledAttempt = typeof JournaledAttempt.Type

const abilities = {
  harnesses: Schema.Array(Capability),
  sandboxes: Schema.Array(Capability),
  /** The backend for environments that name none. */
  defaultSandbox: Schema.NullOr(Schema.String),
  models: Schema.Array(Capability),
  /** The preparation profiles that environments may name. Runners of before say nothing of theirs. */
  profiles: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The variables of its host that environments may have passed on: what its owner allowed and what is set there. */
  hostVariables: Schema.optionalKey(Schema.Array(Schema.String))
}

/** What a runner can do, as it found out by trying. */
export const Abilities = Schema.Struct(abilities)
export type Abilities = typeof Abilities.Type

/** What a runner says of itself when a node greets it. */
export const Hello = Schema.Struct({
  version: Schema.Int,
  release: Schema.String,
  /** One for each start of the process. */
  bootId: Schema.String,
  /** One for each journal: another one means that the attempts of before are gone. */
  journalId: Schema.String,
  name: Schema.String,
  labels: Schema.Array(Schema.String),
  capacity: Capacity,
  ...abilities,
  draining: Schema.Boolean,
  attempts: Schema.Array(JournaledAttempt)
})
export type Hello = typeof Hello.Type

/** Whether a turn of an agent that asks for nothing special could be done there: a harness and the default sandbox work. */
export const isUsable = ({ defaultSandbox, harnesses, sandboxes }: Abilities): boolean =>
  harnesses.some(({ usable }) => usable) && sandboxes.some(({ name, usable }) => usable && name === defaultSandbox)

/** Whether it can do what it ever will, as far as it knows: what it still tries is not known yet. */
export const isSettled = (abilities: Abilities): boolean =>
  isUsable(abilities) && abilities.sandboxes.every(({ details }) => details["unfinished"] !== true)

/**
 * What becomes of a journaled attempt. `resume`: it works on, its owner attaches. `drain`: it works no more, its owner
 * collects what it left. `discard`: it has ended in the log, the runner stops and forgets it.
 */
export const Verdict = Schema.Struct({
  attemptId: AttemptId,
  verdict: Schema.Literals(["resume", "drain", "discard"])
})
export type Verdict = typeof Verdict.Type

/** How busy a runner is. */
export const Load = Schema.Struct({ attempts: Schema.Int, sessions: Schema.Int, draining: Schema.Boolean })
export type Load = typeof Load.Type
