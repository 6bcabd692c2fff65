import {
  Bot,
  Boxes,
  ChartColumn,
  Cpu,
  Inbox,
  KeyRound,
  type LucideIcon,
  MessagesSquare,
  Network,
  Plug,
  Scale,
  Server,
  SlidersHorizontal
} from "lucide-react"
import type { ComponentType } from "react"
import { useWaiting } from "../inbox/useInbox.ts"

/** A page of a workspace. Said once: routes, navigation, palette and keys all read it. */
export interface Page {
  readonly id: string
  /** Below `/w/<workspace>/`. */
  readonly path: string
  readonly title: string
  readonly load: () => Promise<{ readonly default: ComponentType }>
  /** Where it stands in the navigation; absent for pages that others lead to. */
  readonly menu?: {
    readonly section: string
    readonly icon: LucideIcon
    readonly keys: string
    /** A hook that tells how many things there wait for somebody. */
    readonly useCount?: () => number
  }
}

export const pages: ReadonlyArray<Page> = [
  {
    id: "sessions",
    path: "sessions",
    title: "Sessions",
    load: () => import("../sessions/SessionsPage.tsx"),
    menu: { section: "", icon: MessagesSquare, keys: "g s" }
  },
  {
    id: "new-session",
    path: "sessions/new",
    title: "New session",
    load: () => import("../sessions/NewSessionPage.tsx")
  },
  {
    id: "inbox",
    path: "inbox",
    title: "Inbox",
    load: () => import("../inbox/InboxPage.tsx"),
    menu: { section: "", icon: Inbox, keys: "g i", useCount: useWaiting }
  },
  { id: "session", path: "sessions/$session", title: "Session", load: () => import("../session/SessionPage.tsx") },
  {
    id: "agents",
    path: "agents",
    title: "Agents",
    load: () => import("../agents/AgentsPage.tsx"),
    menu: { section: "Build", icon: Bot, keys: "g a" }
  },
  { id: "new-agent", path: "agents/new", title: "New agent", load: () => import("../agents/NewAgentPage.tsx") },
  { id: "agent", path: "agents/$agent", title: "Agent", load: () => import("../agents/AgentPage.tsx") },
  {
    id: "environments",
    path: "environments",
    title: "Environments",
    load: () => import("../environments/EnvironmentsPage.tsx"),
    menu: { section: "Build", icon: Boxes, keys: "g e" }
  },
  {
    id: "environment",
    path: "environments/$environment",
    title: "Environment",
    load: () => import("../environments/EnvironmentPage.tsx")
  },
  {
    id: "mcp-servers",
    path: "mcp",
    title: "MCP servers",
    load: () => import("../mcp/McpServersPage.tsx"),
    menu: { section: "Build", icon: Plug, keys: "g t" }
  },
  {
    id: "new-mcp-server",
    path: "mcp/new",
    title: "Add an MCP server",
    load: () => import("../mcp/NewMcpServerPage.tsx")
  },
  { id: "mcp-server", path: "mcp/$server", title: "MCP server", load: () => import("../mcp/McpServerPage.tsx") },
  {
    id: "policies",
    path: "policies",
    title: "Policies",
    load: () => import("../policies/PoliciesPage.tsx"),
    menu: { section: "Build", icon: Scale, keys: "g p" }
  },
  {
    id: "runners",
    path: "runners",
    title: "Runners",
    load: () => import("../runners/RunnersPage.tsx"),
    menu: { section: "Operate", icon: Server, keys: "g r" }
  },
  {
    id: "fleet",
    path: "fleet",
    title: "Fleet",
    load: () => import("../fleet/FleetPage.tsx"),
    menu: { section: "Operate", icon: Network, keys: "g f" }
  },
  {
    id: "models",
    path: "models",
    title: "Models",
    load: () => import("../models/ModelsPage.tsx"),
    menu: { section: "Operate", icon: Cpu, keys: "g m" }
  },
  {
    id: "usage",
    path: "usage",
    title: "Usage",
    load: () => import("../usage/UsagePage.tsx"),
    menu: { section: "Operate", icon: ChartColumn, keys: "g u" }
  },
  {
    id: "keys",
    path: "keys",
    title: "API keys",
    load: () => import("../keys/KeysPage.tsx"),
    menu: { section: "Operate", icon: KeyRound, keys: "g k" }
  },
  {
    id: "workspace-settings",
    path: "settings",
    title: "Workspace settings",
    load: () => import("../settings/SettingsPage.tsx"),
    menu: { section: "Operate", icon: SlidersHorizontal, keys: "g w" }
  }
]

export const startPage = "sessions"
