import { type Effect, type Redacted, Schema, type Scope } from "effect"
import type { Sandbox } from "../../sandbox/Sandbox.ts"

/** A secret that a profile names, and that the session was not given. */
export class SecretMissing extends Schema.TaggedError<SecretMissing>()("SecretMissing", { name: Schema.String }) {
  override get message() {
    return `The session has no secret ${this.name}`
  }
}

/** What stands in the way of a session's first use of its sandbox. Nothing secret is in it. */
export class HookFailed extends Schema.TaggedError<HookFailed>()("HookFailed", {
  hook: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Making the sandbox ready failed (${this.hook}): ${this.detail}`
  }
}

export interface HookContext {
  readonly sandbox: Sandbox
  /** A secret of the session, as it is now. */
  readonly secret: (name: string) => Effect.Effect<Redacted.Redacted, SecretMissing>
}

/** `made`: once in each fresh sandbox. `opened`: also whenever a runner takes one up again. The scope is the sandbox's. */
export interface Hook {
  readonly name: string
  readonly when: "made" | "opened"
  readonly run: (context: HookContext) => Effect.Effect<void, HookFailed, Scope.Scope>
}

/** What a profile adds to a sandbox. Files are to be read only, in the directory that `prepare` was told. */
export interface ProfileParts {
  readonly variables: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
  readonly hooks: ReadonlyArray<Hook>
}

export class ProfileRefused extends Schema.TaggedError<ProfileRefused>()("ProfileRefused", {
  profile: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `The preparation profile ${this.profile} can't be used: ${this.detail}`
  }
}

/** What makes a sandbox ready for a kind of work. Options hold no secrets; they may name some. */
export interface Profile {
  readonly name: string
  readonly prepare: (
    options: Readonly<Record<string, string>>,
    /** Where its files are going to be, as processes of the sandbox call it. */
    directory: string
  ) => Effect.Effect<ProfileParts, ProfileRefused>
}
