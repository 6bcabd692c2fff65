interface Row {
  readonly statuses: Map<number, number>
  slowestMs: number
}

const told = (statuses: ReadonlyMap<number, number>): string =>
  [...statuses]
    .sort(([one], [other]) => one - other)
    .map(([status, count]) => `${status}: ${count}`)
    .join(", ")

/** What was sent to each endpoint, and how it was answered. */
export class FuzzTable {
  private readonly rows = new Map<string, Row>()

  note(endpoint: string, status: number, ms: number): void {
    const row = this.rows.get(endpoint) ?? { statuses: new Map<number, number>(), slowestMs: 0 }
    row.statuses.set(status, (row.statuses.get(status) ?? 0) + 1)
    row.slowestMs = Math.max(row.slowestMs, ms)
    this.rows.set(endpoint, row)
  }

  statuses(): ReadonlyMap<number, number> {
    const all = new Map<number, number>()
    for (const { statuses } of this.rows.values()) {
      for (const [status, count] of statuses) all.set(status, (all.get(status) ?? 0) + count)
    }
    return all
  }

  /** Whether any of it was done. */
  wasTaken(endpoint: string): boolean {
    return [...(this.rows.get(endpoint)?.statuses.keys() ?? [])].some((status) => status < 300)
  }

  /** In a line. */
  summary(): string {
    const statuses = this.statuses()
    const requests = [...statuses.values()].reduce((sum, count) => sum + count, 0)
    const [slowest] = [...this.rows].sort(([, one], [, other]) => other.slowestMs - one.slowestMs)
    const slow = slowest === undefined ? "" : `; slowest ${slowest[0]}, ${Math.round(slowest[1].slowestMs)} ms`
    return `${this.rows.size} endpoints, ${requests} requests; ${told(statuses)}${slow}`
  }

  markdown(): string {
    return [
      "## Whatever is sent to the API",
      "",
      `${this.summary()}.`,
      "",
      "| endpoint | answers | slowest, ms |",
      "|---|---|---|",
      ...[...this.rows].map(([name, row]) => `| ${name} | ${told(row.statuses)} | ${Math.round(row.slowestMs)} |`),
      ""
    ].join("\n")
  }
}
