import { secretsOf } from "@troupe/domain/Variables"

/**
 * The environment of this process for a runner, and apart from it what of it is secret: that others have seen already, and it
 * is said.
 */
export const environmentApart = () => {
  const environment = { ...process.env }
  const found: Record<string, string> = {}
  for (const name of secretsOf("runner")) {
    const value = environment[name]
    if (value === undefined) continue
    found[name] = value
    delete environment[name]
    const prefer = name === "TROUPE_RUNNER_TOKEN" ? "--token-file or --token-fd" : "--secrets-fd"
    console.error(`${name} is in the environment, where other processes of this user can read it: prefer ${prefer}`)
  }
  return { environment, found }
}
