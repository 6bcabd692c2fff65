import * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Access from "./Access.ts"
import * as Agents from "./Agents.ts"
import { describe } from "./describe.ts"
import * as Environments from "./Environments.ts"
import * as Events from "./Events.ts"
import * as Feed from "./Feed.ts"
import * as Fleet from "./Fleet.ts"
import * as Inbox from "./Inbox.ts"
import * as Redactions from "./Redactions.ts"
import * as Replay from "./Replay.ts"
import * as Places from "./Places.ts"
import * as Files from "./Files.ts"
import * as McpAuthorizations from "./McpAuthorizations.ts"
import * as McpProbes from "./McpProbes.ts"
import * as McpServers from "./McpServers.ts"
import * as ModelCards from "./ModelCards.ts"
import * as Policies from "./Policies.ts"
import * as Projects from "./Projects.ts"
import * as Search from "./Search.ts"
import * as SessionResources from "./SessionResources.ts"
import * as Sessions from "./Sessions.ts"
import * as Settings from "./Settings.ts"
import * as UsageReport from "./UsageReport.ts"
import * as Turns from "./Turns.ts"
import * as Uploads from "./Uploads.ts"
import * as Work from "./Work.ts"
import * as Workspace from "./Workspace.ts"

/** The public API: what the gateway serves, and what clients and descriptions are derived from. */
export const Api = HttpApi.make("troupe")
  .add(
    Agents.group,
    Environments.group,
    Work.group,
    Sessions.group,
    Events.group,
    Files.group,
    Uploads.group,
    Places.group,
    SessionResources.group,
    Workspace.group,
    Turns.group,
    Replay.group,
    Redactions.group,
    Inbox.group,
    Feed.group,
    Access.group
  )
  .add(
    ModelCards.group,
    McpServers.group,
    McpAuthorizations.group,
    McpProbes.group,
    Projects.group,
    Policies.group,
    Settings.group
  )
  .add(UsageReport.group, Search.group, Fleet.group)
  .annotateMerge(
    OpenApi.annotations({
      title: "Troupe",
      version: "1",
      description: "Agent sessions as durable, sharded actors.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      transform: describe
    })
  )
