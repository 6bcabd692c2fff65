import { Schema } from "effect"

export const PreparationTrouble = Schema.TaggedUnion({
  /** It can't be prepared for this backend, whatever is tried. */
  Refused: { detail: Schema.String },
  /** The sandbox has no such program. */
  Missing: { program: Schema.String },
  /** A package manager or a script said no; its last lines. */
  Failed: { ending: Schema.String, said: Schema.Array(Schema.String) },
  /** Nothing could be started, or its network could not be had. */
  Sandbox: { detail: Schema.String },
  /** The runner's own disk. */
  Storage: { detail: Schema.String }
})
export type PreparationTrouble = typeof PreparationTrouble.Type

/** Why an environment could not be prepared. `step`: `apt`, `cargo` and so on, `setup`, `image`, or `environment` for none of them. */
export class PreparationFailed extends Schema.TaggedError<PreparationFailed>()("PreparationFailed", {
  step: Schema.String,
  reason: PreparationTrouble,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return PreparationTrouble.match(this.reason, {
      Refused: ({ detail }) => `The environment can't be prepared (${this.step}): ${detail}`,
      Missing: ({ program }) => `The environment needs ${program}, and its sandbox has no such program`,
      Failed: ({ ending, said }) => [`Preparing the environment failed (${this.step}, ${ending})`, ...said].join("\n"),
      Sandbox: ({ detail }) => `The environment's sandbox could not be used (${this.step}): ${detail}`,
      Storage: ({ detail }) => `The environment could not be kept on this host: ${detail}`
    })
  }
}

/** Whether trying again at once would find the same: what was said by the packages, not by the host. */
export const isLasting = ({ reason }: PreparationFailed): boolean =>
  reason._tag === "Missing" || reason._tag === "Failed"
