import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { availableParallelism, cpus, loadavg } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { rounded, spread, ratios as paired } from "./stats.ts"

/** One line of a suite's result. `ours` and `peer` are medians over the rounds. */
export interface Result {
  readonly id: string
  readonly metric: string
  readonly ours: number
  readonly peer: number | null
  readonly peerName: string | null
  /** Median of the rounds' own ratios, ours to the peer's. */
  readonly ratio: number | null
  readonly ratioMin: number | null
  readonly ratioMax: number | null
  readonly unit: string
  readonly budget: string
  /** Null where nothing was promised, or where the peer is missing. */
  readonly ok: boolean | null
  readonly min: number
  readonly max: number
  readonly peerMin: number | null
  readonly peerMax: number | null
  readonly rounds: number
  /** Processor time of one operation, client and server together, in microseconds: noise changes it least. */
  readonly processorUs: number | null
  readonly peerProcessorUs: number | null
  readonly note: string | null
}

type Bound = { readonly atLeast: number } | { readonly atMost: number } | null

const sign = (bound: NonNullable<Bound>) => ("atLeast" in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`)
const holds = (bound: Bound, value: number): boolean | null =>
  bound === null ? null : "atLeast" in bound ? value >= bound.atLeast : value <= bound.atMost

interface Subject {
  readonly id: string
  readonly metric: string
  readonly unit: string
  readonly note?: string
  readonly processorUs?: number
  readonly peerProcessorUs?: number
}

const costOf = ({ peerProcessorUs, processorUs }: Subject) => ({
  processorUs: processorUs === undefined ? null : rounded(processorUs),
  peerProcessorUs: peerProcessorUs === undefined ? null : rounded(peerProcessorUs)
})

/** Ours against a peer measured in the same rounds; the budget is on the ratio. */
export const compared = (
  subject: Subject,
  ours: ReadonlyArray<number>,
  peerName: string,
  peer: ReadonlyArray<number>,
  bound: Bound
): Result => {
  const us = spread(ours)
  const them = spread(peer)
  const ratio = spread(paired(ours, peer))
  return {
    id: subject.id,
    metric: subject.metric,
    ours: rounded(us.median),
    peer: rounded(them.median),
    peerName,
    ratio: rounded(ratio.median),
    ratioMin: rounded(ratio.min),
    ratioMax: rounded(ratio.max),
    unit: subject.unit,
    budget: bound === null ? "–" : `${sign(bound)}×`,
    ok: holds(bound, ratio.median),
    min: rounded(us.min),
    max: rounded(us.max),
    peerMin: rounded(them.min),
    peerMax: rounded(them.max),
    rounds: ours.length,
    ...costOf(subject),
    note: subject.note ?? null
  }
}

/**
 * Ours against a number, or alone where nothing was promised. `slowdown` says how much slower this machine was in this run than the reference that the number
 * is from: a budget in time is held as that multiple, and both are reported.
 */
export const bounded = (
  subject: Subject,
  ours: ReadonlyArray<number>,
  bound: Bound,
  slowdown?: { readonly factor: number; readonly of: string }
): Result => {
  const us = spread(ours)
  const factor = slowdown?.factor ?? 1
  const held = scaled(bound, factor)
  return {
    id: subject.id,
    metric: subject.metric,
    ours: rounded(us.median),
    peer: null,
    peerName: null,
    ratio: null,
    ratioMin: null,
    ratioMax: null,
    unit: subject.unit,
    budget: budgetOf(bound, held, slowdown),
    ok: holds(held, us.median),
    min: rounded(us.min),
    max: rounded(us.max),
    peerMin: null,
    peerMax: null,
    rounds: ours.length,
    ...costOf(subject),
    note: subject.note ?? null
  }
}

const scaled = (bound: Bound, factor: number): Bound =>
  bound === null
    ? null
    : "atLeast" in bound
      ? { atLeast: rounded(bound.atLeast / factor) }
      : { atMost: rounded(bound.atMost * factor) }

const budgetOf = (bound: Bound, held: Bound, slowdown?: { readonly factor: number; readonly of: string }): string => {
  if (bound === null || held === null) return "–"
  if (slowdown === undefined) return sign(bound)
  const allowed = "atLeast" in held ? held.atLeast : held.atMost
  return `${sign(bound)} × ${slowdown.factor.toFixed(2)} (${slowdown.of}) = ${allowed}`
}

const shown = (value: number | null) =>
  value === null ? "" : value >= 1_000 ? Math.round(value).toLocaleString("en-US") : String(value)
const range = (min: number | null, max: number | null) =>
  min === null || max === null ? "" : ` [${shown(min)}..${shown(max)}]`

const bench = fileURLToPath(new URL("../results/", import.meta.url))
const page = join(bench, "README.md")

/** One of a file: what was measured, when, and how much the machine had to do before. */
type Kept = Result & { readonly at: string; readonly load?: number }

const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
const head = ["id", "what", "ours", "peer", "ratio", "processor, ours : peer", "budget", ""]

const cells = (one: Result): ReadonlyArray<string> => [
  one.id,
  one.metric,
  `${shown(one.ours)}${range(one.min, one.max)} ${one.unit}`,
  one.peerName === null ? "" : `${one.peerName}: ${shown(one.peer)}${range(one.peerMin, one.peerMax)}`,
  one.ratio === null ? "" : `${one.ratio}×${range(one.ratioMin, one.ratioMax)}`,
  one.processorUs === null
    ? ""
    : `${one.processorUs}${one.peerProcessorUs === null ? "" : ` : ${one.peerProcessorUs}`} µs`,
  one.budget,
  one.ok === null ? "–" : one.ok ? "ok" : "MISSED"
]

const markdown = (columns: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) =>
  [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n")

/** The results as a Markdown table. */
export const table = (results: ReadonlyArray<Result>): string => markdown(head, results.map(cells))

const taken = ({ at, load }: Kept) =>
  `${at.slice(0, 16).replace("T", " ")}${load === undefined ? "" : `, load ${load}`}`

const kept = (file: string): ReadonlyArray<Kept> => JSON.parse(readFileSync(join(bench, file), "utf8"))

/** All that was kept of every suite, as the page of `bench/results`. */
export const results = (): string => {
  const suites = readdirSync(bench)
    .filter((file) => file.endsWith(".json") && !file.endsWith(".quick.json"))
    .toSorted()
    .map((file) => {
      const rows = kept(file).map((one) => [...cells(one), taken(one)])
      return `## ${basename(file, ".json")}\n\n${markdown([...head, "taken (UTC)"], rows)}\n`
    })
  const about =
    "Written by `npm run bench` from the files beside it; what it means, and what limits us, is in [bench](../README.md).\n" +
    "`load` is what the machine had to do in the minute before."
  return ["# Results of the benchmarks\n", `${about}\n`, ...suites].join("\n")
}

/**
 * Writes the suite's file, one result a line, so that two runs are easily compared. Results of an earlier run stay where
 * this one did not measure: each says when it was taken.
 */
export const write = (name: string, ids: ReadonlyArray<string>, load: number, measured: ReadonlyArray<Result>) => {
  mkdirSync(bench, { recursive: true })
  const file = join(bench, `${name}.json`)
  const at = new Date().toISOString()
  const anew = new Set(measured.map(({ id }) => id))
  const earlier = existsSync(file) ? kept(`${name}.json`) : []
  const all = [
    ...earlier.filter(({ id }) => !anew.has(id)),
    ...measured.map((one) => ({ ...one, at, load: rounded(load) }))
  ].toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
  writeFileSync(file, `[\n${all.map((one) => `  ${JSON.stringify(one)}`).join(",\n")}\n]\n`)
  writeFileSync(page, results())
  return file
}

export const machine = (): string =>
  `${availableParallelism()} × ${cpus()[0]?.model ?? "?"}, load ${loadavg()
    .map((one) => one.toFixed(1))
    .join(" ")}, Node ${process.version}`
