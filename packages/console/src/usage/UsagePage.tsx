import { queryOptions, useQuery } from "@tanstack/react-query"
import { ChartColumn } from "lucide-react"
import { useMemo } from "react"
import type { UsageRow } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { allOf, troupe } from "../api/troupe.ts"
import { usePlace, WorkspaceLink } from "../app/links.tsx"
import { usageAsked } from "../app/copies.logic.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { Empty } from "../ui/Empty.tsx"
import { count, plural, short } from "../ui/format.logic.ts"
import { Loaded } from "../ui/Loaded.tsx"
import { Segments } from "../ui/Segments.tsx"
import { Chart } from "./Chart.tsx"
import { SessionName } from "./SessionName.tsx"
import {
  barsOf,
  daysUntil,
  groups,
  type Group,
  type Metric,
  metrics,
  nameIn,
  ranked,
  spans,
  totalOf
} from "./usage.logic.ts"
import "./usage.css"

const usage = (from: string, to: string, by: Group | "day") =>
  queryOptions({
    queryKey: ["usage", from, to, by],
    queryFn: ({ signal }) => allOf(troupe.usage.query({ from, to, "group_by[]": [by], limit: 100 }, { signal }))
  })

/** Those whose names are known at once; older ones are asked for as they are seen. */
const newestSessions = queryOptions({
  queryKey: ["newest-sessions", "names"],
  queryFn: async ({ signal }) => (await troupe.sessions.list({ limit: 100, include_archived: "true" }, { signal })).data
})

const Breakdown = (props: {
  readonly rows: ReadonlyArray<UsageRow>
  readonly group: Group
  readonly metric: Metric
}) => {
  const { group, metric, rows } = props
  const agents = useQuery(queries.agents)
  const sessions = useQuery({ ...newestSessions, enabled: group === "session" })
  const names = useMemo(
    () =>
      new Map<string, string>([
        ...(agents.data ?? []).map(({ id, name }) => [id, name] as const),
        ...(sessions.data ?? []).flatMap(({ id, title }) => (title === null ? [] : [[id, title] as const]))
      ]),
    [agents.data, sessions.data]
  )
  const total = totalOf(rows, metric)
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{groups.find(({ id }) => id === group)!.title}</th>
          <th className="right optional">Requests</th>
          <th className="right optional">In</th>
          <th className="right optional">Out</th>
          <th className="right optional">Tool calls</th>
          <th className="right">{metric.title}</th>
          <th className="share" aria-label="Share" />
        </tr>
      </thead>
      <tbody>
        {ranked(rows, metric).map((row) => {
          const name = nameIn(row, group, names)
          const value = metric.of(row)
          return (
            <tr key={row.session_id ?? name}>
              <td className="wide cut">
                {group === "session" && row.session_id !== null ? (
                  <WorkspaceLink to={`sessions/${row.session_id}`}>
                    {name === row.session_id ? <SessionName id={name} /> : name}
                  </WorkspaceLink>
                ) : (
                  name
                )}
              </td>
              <td className="right number soft optional">{count(row.model_requests)}</td>
              <td className="right number soft optional">{short(row.input_tokens)}</td>
              <td className="right number soft optional">{short(row.output_tokens)}</td>
              <td className="right number soft optional">{count(row.tool_calls)}</td>
              <td className="right number">{metric.text(value)}</td>
              <td className="share">
                <span style={{ width: `${total === 0 ? 0 : (value / total) * 100}%` }} />
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

const UsagePage = () => {
  const [place, change] = usePlace()
  const span = spans.find((days) => String(days) === place["days"]) ?? 30
  const group: Group = groups.find(({ id }) => id === place["by"])?.id ?? "model"
  const metric = metrics.find(({ id }) => id === place["of"]) ?? metrics[1]
  const days = useMemo(() => daysUntil(Date.now(), span), [span])
  const [from, to] = [days[0]!, days.at(-1)!]
  const daily = useQuery(usage(from, to, "day"))
  const parts = useQuery(usage(from, to, group))
  const unpriced = daily.data?.reduce((sum, row) => sum + row.unpriced_requests, 0) ?? 0
  return (
    <>
      <PageHeader title="Usage" asked={usageAsked(from, to, group)}>
        <Segments
          name="Days"
          value={String(span)}
          options={spans.map((one) => ({ id: String(one), title: `${one} days` }))}
          onChange={(one) => change({ days: one })}
        />
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Usage">
        <Loaded of={daily}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty icon={ChartColumn} title="Nothing used yet">
                <p>Tokens, cost and calls are counted here as sessions run, by day, model, agent and session.</p>
              </Empty>
            ) : (
              <>
                <div className="totals" role="group" aria-label="What the chart shows">
                  {metrics.map((one) => (
                    <button
                      key={one.id}
                      type="button"
                      className={one.id === metric.id ? "total here" : "total"}
                      aria-pressed={one.id === metric.id}
                      onClick={() => change({ of: one.id })}
                    >
                      <span className="faint">{one.title}</span>
                      <strong className="number">{one.text(totalOf(rows, one))}</strong>
                    </button>
                  ))}
                </div>
                <Chart bars={barsOf(days, rows, metric)} metric={metric} />
                {unpriced === 0 ? null : (
                  <p className="faint unpriced">
                    {plural(unpriced, "request")} of models without a known price: their cost is not in the sum.
                  </p>
                )}
                <div className="usage-by">
                  <Segments name="By" value={group} options={groups} onChange={(one) => change({ by: one })} />
                </div>
                <Loaded of={parts} rows={3}>
                  {(some) => <Breakdown rows={some} group={group} metric={metric} />}
                </Loaded>
              </>
            )
          }
        </Loaded>
      </div>
    </>
  )
}
export default UsagePage
