import type { Isolation } from "../Sandbox.ts"
import { isPromised, type Subject } from "./Check.ts"
import { conformance } from "./suite.ts"

const columns: ReadonlyArray<readonly [name: string, isolation: Isolation]> = [
  ["bubblewrap", "namespaces"],
  ["docker", "container"],
  ["local", "none"],
  ["none", "absent"]
]

const all = {
  terminal: true,
  network: true,
  limits: { cpus: "held", memory: "held", disk: "held", processes: "held" }
}

/** Promised without condition, or only where the probe says so. */
const mark = (subject: Subject, isolation: Isolation): string =>
  !isPromised({ subject }, { isolation }, all)
    ? "–"
    : ["running", "isolation", "absent"].includes(subject)
      ? "yes"
      : "if probed"

/** Each check, and by which backends it is promised. */
export const conformanceTable = (): string =>
  [
    `| subject | check | ${columns.map(([name]) => name).join(" | ")} |`,
    `|---|---|${columns.map(() => "---|").join("")}`,
    ...conformance.map(
      ({ name, subject }) =>
        `| ${subject} | ${name} | ${columns.map(([, isolation]) => mark(subject, isolation)).join(" | ")} |`
    )
  ].join("\n")
