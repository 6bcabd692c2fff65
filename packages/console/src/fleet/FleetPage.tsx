import { useQuery } from "@tanstack/react-query"
import type { Fleet } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { Ago } from "../ui/Ago.tsx"
import { count, duration, plural } from "../ui/format.logic.ts"
import { Loaded } from "../ui/Loaded.tsx"
import { concernsOf, peopleText, releasesOf, shareOf, waitText } from "./fleet.logic.ts"
import "../usage/usage.css"
import "./fleet.css"

const Number = (props: { readonly title: string; readonly value: string; readonly more: string }) => (
  <div className="fleet-number">
    <dt className="faint">{props.title}</dt>
    <dd>
      <strong className="number">{props.value}</strong>
      <span className="faint">{props.more}</span>
    </dd>
  </div>
)

const Numbers = ({ fleet: { queues, runners, sessions, work } }: { readonly fleet: Fleet }) => (
  <dl className="fleet-numbers">
    <Number
      title="Sessions at work"
      value={count(sessions.running)}
      more={sessions.rescheduling === 0 ? "" : `${count(sessions.rescheduling)} try again soon`}
    />
    <Number
      title="Turns on runners"
      value={count(runners.attempts)}
      more={`${plural(runners.connected, "runner")}${runners.draining === 0 ? "" : `, ${count(runners.draining)} draining`}`}
    />
    <Number title="Wait for a runner" value={count(queues.runner.turns)} more={waitText(queues.runner)} />
    <Number title="Queued behind others" value={count(queues.turn.turns)} more={waitText(queues.turn)} />
    <Number title="Wait for people" {...peopleText(sessions, queues)} />
    <Number
      title="Wait for workers"
      value={count(work.queued)}
      more={work.queued === 0 ? `${count(work.claimed)} claimed` : waitText({ oldest_ms: work.oldest_queued_ms })}
    />
  </dl>
)

const Nodes = ({ fleet: { nodes, shards } }: { readonly fleet: Fleet }) => (
  <table className="table">
    <thead>
      <tr>
        <th>Node</th>
        <th className="optional">Release</th>
        <th className="right">Shards</th>
        <th className="share" aria-label="Share of all shards" />
        <th className="right">Runners</th>
        <th className="right optional">Started</th>
      </tr>
    </thead>
    <tbody>
      {nodes.map((node) => (
        <tr key={node.id}>
          <td className="wide">
            <code>{node.address}</code> {node.answered ? <span className="badge">answered this</span> : null}
          </td>
          <td className="soft optional">{node.release}</td>
          <td className="right number">{count(node.shards)}</td>
          <td className="share">
            <span style={{ width: `${shareOf(node, shards.total) * 100}%` }} />
          </td>
          <td className="right number">{count(node.runners)}</td>
          <td className="right faint optional">
            <Ago at={Date.parse(node.started_at)} />
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)

const Readers = ({ fleet: { log } }: { readonly fleet: Fleet }) => (
  <table className="table">
    <thead>
      <tr>
        <th>Read table</th>
        <th className="right">Version</th>
        <th className="right">Behind the log</th>
      </tr>
    </thead>
    <tbody>
      <tr>
        <td className="wide">
          Horizon <span className="faint">below which all logs are read</span>
        </td>
        <td />
        <td className="right number">{log.horizon_age_ms === 0 ? "–" : duration(log.horizon_age_ms)}</td>
      </tr>
      {log.projections.map(({ lag_ms, live, name, version }) => (
        <tr key={`${name} ${version}`}>
          <td className="wide">
            {name} {live ? null : <span className="badge">fills beside the one that is read</span>}
          </td>
          <td className="right number">{version}</td>
          <td className="right number">{lag_ms === 0 ? "–" : duration(lag_ms)}</td>
        </tr>
      ))}
    </tbody>
  </table>
)

const asked = { path: "/v1/fleet", client: "troupe.fleet.retrieve()", command: null }

const FleetPage = () => {
  const fleet = useQuery({
    queryKey: ["fleet"],
    queryFn: ({ signal }) => troupe.fleet.retrieve({ signal }),
    refetchInterval: 2_000
  })
  const { data } = fleet
  const releases = releasesOf(data?.nodes ?? [])
  return (
    <>
      <PageHeader title="Fleet" asked={asked}>
        {data === undefined ? null : (
          <span className="faint number">
            {plural(data.nodes.length, "node")}
            {releases.length > 1 ? `, ${plural(releases.length, "release")} side by side` : ""}
          </span>
        )}
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Fleet">
        <Loaded of={fleet}>
          {(standing) => (
            <>
              {concernsOf(standing).map(({ todo, what }) => (
                <div key={what} className="above">
                  <div className="notice" role="status">
                    <strong>{what}</strong>
                    <span className="soft">{todo}</span>
                  </div>
                </div>
              ))}
              <Numbers fleet={standing} />
              <Nodes fleet={standing} />
              <Readers fleet={standing} />
            </>
          )}
        </Loaded>
      </div>
    </>
  )
}
export default FleetPage
