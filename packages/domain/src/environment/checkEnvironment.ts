import { type EnvironmentConfig, packageManagers } from "./EnvironmentConfig.ts"

/** What the runners of a workspace offer, by name. */
export interface KnownNames {
  readonly backends: ReadonlyArray<string>
  readonly profiles: ReadonlyArray<string>
  /** Variables of their hosts that they pass on. Null where one of them does not say: then no name is held against anybody. */
  readonly hostVariables: ReadonlyArray<string> | null
}

/** One thing that keeps an environment from being saved; `path` leads to the field. */
export interface EnvironmentProblem {
  readonly path: ReadonlyArray<string>
  readonly issue: string
}

/** The backends and profiles that every runner has. */
export const builtIn = {
  backends: ["bubblewrap", "docker", "local", "none"],
  profiles: ["none", "github", "azure"]
} as const satisfies Partial<KnownNames>

interface Options {
  readonly required: ReadonlyArray<string>
  readonly optional: ReadonlyArray<string>
}

/**
 * What the options of the built-in profiles are called. Those that end in `Secret` name a secret of the session; no option
 * is one.
 */
export const profileOptions: Readonly<Record<(typeof builtIn.profiles)[number], Options>> = {
  none: { required: [], optional: [] },
  github: { required: ["name", "email"], optional: ["tokenSecret"] },
  azure: { required: ["tenant", "client", "passwordSecret"], optional: ["subscription"] }
}

const problem = (issue: string, ...path: ReadonlyArray<string>): EnvironmentProblem => ({ path, issue })

const unknown = (what: string, name: string, known: ReadonlyArray<string>) =>
  `there is no ${what} ${name}; known are ${known.toSorted().join(", ")}`

/** Why an environment should not be saved: names that nobody knows, and parts that its backend can't have. */
export const checkEnvironment = (config: EnvironmentConfig, known: KnownNames): ReadonlyArray<EnvironmentProblem> => [
  ...checkBackend(config, [...new Set([...builtIn.backends, ...known.backends])]),
  ...checkProfile(config.preparation, [...new Set([...builtIn.profiles, ...known.profiles])]),
  ...checkHostVariables(config.hostVariables, known.hostVariables)
]

const checkBackend = (config: EnvironmentConfig, known: ReadonlyArray<string>): ReadonlyArray<EnvironmentProblem> => {
  const { backend } = config
  if (backend === null) return config.dockerfile === null ? [] : [needsDocker]
  if (!known.includes(backend)) return [problem(unknown("sandbox backend", backend, known), "backend")]
  return [
    ...(config.dockerfile !== null && backend !== "docker" ? [needsDocker] : []),
    ...(config.image !== null && ["bubblewrap", "local", "none"].includes(backend)
      ? [problem(`the backend ${backend} runs no images`, "image")]
      : []),
    ...(backend === "local" ? checkLocal(config) : []),
    ...(backend === "none" ? checkNothing(config) : [])
  ]
}

const needsDocker = problem("a Dockerfile needs the backend docker", "dockerfile")

/** Without isolation, what is prepared has to stay within a directory of its own. */
const checkLocal = ({ packages, setup }: EnvironmentConfig) => [
  ...(packages.apt.length > 0 ? [problem("the backend local would change the host", "packages", "apt")] : []),
  ...(setup === null ? [] : [problem("the backend local would let it change the host", "setup")])
]

const checkNothing = ({ packages, preparation, setup }: EnvironmentConfig) => [
  ...packageManagers.flatMap((manager) =>
    packages[manager].length > 0 ? [problem("nothing runs with the backend none", "packages", manager)] : []
  ),
  ...(setup === null ? [] : [problem("nothing runs with the backend none", "setup")]),
  ...(preparation.profile === "none" ? [] : [problem("nothing runs with the backend none", "preparation", "profile")])
]

const checkHostVariables = (
  names: ReadonlyArray<string>,
  known: KnownNames["hostVariables"]
): ReadonlyArray<EnvironmentProblem> =>
  names.flatMap((name, index) =>
    known === null || known.includes(name)
      ? []
      : [
          problem(
            `no runner passes on ${name} of its host (passed on are ${known.length === 0 ? "none" : known.toSorted().join(", ")}): its owner allows a name by TROUPE_RUNNER_HOST_VARIABLES`,
            "hostVariables",
            String(index)
          )
        ]
  )

const checkProfile = (
  { options, profile }: EnvironmentConfig["preparation"],
  known: ReadonlyArray<string>
): ReadonlyArray<EnvironmentProblem> => {
  if (!known.includes(profile)) {
    return [problem(unknown("preparation profile", profile, known), "preparation", "profile")]
  }
  const expected = Object.entries(profileOptions).find(([name]) => name === profile)?.[1]
  if (expected === undefined) return []
  const names = [...expected.required, ...expected.optional]
  return [
    ...expected.required.flatMap((name) =>
      (options[name] ?? "").trim() === ""
        ? [problem(`the profile ${profile} needs it`, "preparation", "options", name)]
        : []
    ),
    ...Object.keys(options).flatMap((name) =>
      names.includes(name) ? [] : [problem(`the profile ${profile} has no such option`, "preparation", "options", name)]
    )
  ]
}
