import { Result, Schema } from "effect"

/** The versions of the runner protocol that this release speaks: its own, and one back. */
export const spoken = { min: 1, max: 1 } as const

export const Versions = Schema.Struct({ min: Schema.Int, max: Schema.Int })
export type Versions = typeof Versions.Type

export class VersionRefused extends Schema.TaggedError<VersionRefused>()("VersionRefused", {
  asked: Versions,
  spoken: Versions
}) {
  override get message() {
    const { asked, spoken: own } = this
    const older = asked.max < own.min
    const advice = older ? "update the one that asks" : "update the one that was asked"
    return `Protocol ${asked.min} to ${asked.max} was asked for, ${own.min} to ${own.max} is spoken: ${advice}`
  }
}

/** The newest version that both sides speak. */
export const negotiate = (asked: Versions, own: Versions = spoken): Result.Result<number, VersionRefused> => {
  const version = Math.min(asked.max, own.max)
  return version >= Math.max(asked.min, own.min)
    ? Result.succeed(version)
    : Result.fail(new VersionRefused({ asked, spoken: own }))
}
