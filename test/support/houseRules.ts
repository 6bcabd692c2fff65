import { variableNames } from "@troupe/domain/Variables"

/** A rule of the house: the files it is about and what it finds wrong in one of them. */
export interface HouseRule {
  readonly says: string
  readonly about: RegExp
  readonly except?: RegExp
  readonly wrong: (text: string, file: string) => ReadonlyArray<string>
  /** A file name and a text that break the rule, so that it is known to bite. */
  readonly sample: readonly [file: string, text: string]
}

const code = /\.(ts|tsx|mjs)$/
const source = /^packages\/[^/]+\/src\/.*\.tsx?$/
const domain = /^packages\/domain\/src\/.*\.ts$/

/** Comments may name what code may not use. */
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1")

const matches = (pattern: RegExp) => (text: string) =>
  [...withoutComments(text).matchAll(pattern)].map(([found]) => found.trim())

/** A package may be there a second time, by another name. */
const exact = /^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/

const loosePins = (text: string) => {
  const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>
  return ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}).flatMap(([name, version]) =>
      exact.test(version) ? [] : [`${name}: ${version}`]
    )
  )
}

export const lineLimit = 500

const variable = /\b(?:TROUPE|OTEL|OPENAI|ANTHROPIC|AZURE_OPENAI|TAVILY|DATABASE)_[A-Z0-9_]*[A-Z0-9]\b/g
const declared = new Set<string>(variableNames)

// Written in two halves, so that this file does not break the rules it states.
const join = (...halves: ReadonlyArray<string>) => halves.join("")

export const houseRules: ReadonlyArray<HouseRule> = [
  {
    says: "Every dependency is pinned to an exact version.",
    about: /(^|\/)package\.json$/,
    wrong: loosePins,
    sample: ["package.json", `{ "dependencies": { "effect": "^4.1.0" } }`]
  },
  {
    says: "The lock names no registry.",
    about: /(^|\/)package-lock\.json$/,
    wrong: (text) => [...text.matchAll(/"resolved": "(?:https?|git).*"/g)].map(([found]) => found),
    sample: ["package-lock.json", `"resolved": "https://example.com/x.tgz"`]
  },
  {
    says: "A skipped test says through requires() what the machine lacks, and none runs alone.",
    about: /\.test\.tsx?$/,
    wrong: matches(/\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:only|skip|todo|skipIf|runIf)\b/g),
    sample: ["test/a.test.ts", join(`describe.`, `skip("x", () => {})`)]
  },
  {
    says: "What is left to do is an issue, not a comment.",
    about: code,
    wrong: (text) =>
      [...text.matchAll(new RegExp(join("\\b(?:TO", "DO|FIX", "ME|X", "XX)\\b"), "g"))].map(([found]) => found),
    sample: ["a.ts", join("// TO", "DO: later")]
  },
  {
    says: `A source file has at most ${lineLimit} lines: look for the noun that wants its own file.`,
    about: source,
    wrong: (text) => (text.split("\n").length - 1 > lineLimit ? [`${text.split("\n").length - 1} lines`] : []),
    sample: ["packages/server/src/a.ts", "\n".repeat(lineLimit + 1)]
  },
  {
    says: "Platform modules are imported one by one; the barrel loads all of them.",
    about: code,
    wrong: matches(/from ["']@effect\/platform-(?:node|browser)["']/g),
    sample: ["a.ts", join(`import { NodeRuntime } from "@effect/`, `platform-node"`)]
  },
  {
    says: "The environment is read in one place, Config, or in the main file of a program.",
    about: source,
    // What the console copies are whole programs, as text.
    except: /\/(?:[^/]*Config[^/]*|(?:[\w-]+-)?main|app\/copies\.logic)\.tsx?$/,
    wrong: matches(/\b(?:process\.env|Deno\.env|Bun\.env|import\.meta\.env)\b/g),
    sample: ["packages/server/src/a.ts", "const port = process.env.TROUPE_PORT"]
  },
  {
    says: "A variable that we are told by is declared in domain, in Variables.ts, where troupe doctor has it from.",
    about: source,
    // There it is the variable of a sandbox, which nobody says.
    except: /\/environment\/profiles\/azure\.ts$/,
    wrong: (text) => matches(variable)(text).filter((name) => !declared.has(name)),
    sample: ["packages/server/src/a.ts", join(`const name = "TROUPE_`, `UNKNOWN"`)]
  },
  {
    says: "domain has no clock, no randomness and no I/O.",
    about: domain,
    wrong: matches(/\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)|\bprocess\.|\bBuffer\b|["']node:[^"']+["']/g),
    sample: ["packages/domain/src/a.ts", "export const now = () => new Date()"]
  },
  {
    says: "A package is loaded by name, at run time too: server and runner never load each other.",
    about: /^packages\/(?:domain|client|server|runner)\/src\/.*\.tsx?$/,
    wrong: (text, file) => {
      const own = file.split("/")[1]
      const others = ["server", "runner", "cli", "console"].filter((name) => name !== own).join("|")
      return matches(new RegExp(`import\\(["'](?:@troupe/|(?:\\.\\./)+)(?:${others})/[^"']*["']\\)`, "g"))(text)
    },
    sample: ["packages/server/src/a.ts", `await import("@troupe/runner/main")`]
  }
]
