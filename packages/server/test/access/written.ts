const id = (prefix: string) => `${prefix}_011CZkZAtmR3yMPDzynEDxu7`

const text = { type: "text", text: "words" }
const file = { type: "file", file_id: id("file") }
const pixel = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" }
const blocks = [
  text,
  { type: "image", source: pixel },
  { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
  { type: "document", source: { type: "text", media_type: "text/plain", data: "words" }, title: "t", context: "c" },
  { type: "document", source: file }
]
const result = { type: "search_result", source: "https://example.com", title: "t", content: [text] }

const message = { type: "user.message", content: blocks, troupe: { overrides: { model: "demo", effort: "low" } } }
const outcome = {
  type: "user.define_outcome",
  description: "d",
  rubric: { type: "text", content: "r" },
  max_iterations: 2
}
const system = { type: "system.message", content: [text] }
const events = [
  message,
  { ...message, content: [text] },
  { ...message, content: [{ type: "image", source: file }] },
  { type: "user.interrupt", session_thread_id: id("sthr") },
  { type: "user.tool_confirmation", tool_use_id: id("sevt"), result: "deny", deny_message: "no" },
  { type: "user.custom_tool_result", custom_tool_use_id: id("sevt"), content: [text, result], is_error: false },
  { type: "user.tool_result", tool_use_id: id("sevt"), content: [text] },
  outcome,
  { ...outcome, rubric: file }
]

const policy = { type: "rules", rules: [{ tool: "bash", when: { command: "ls*" }, then: "ask" }], otherwise: "deny" }
const tools = [
  {
    type: "agent_toolset_20260401",
    default_config: { enabled: true, permission_policy: { type: "auto" } },
    configs: [
      { name: "bash", permission_policy: policy },
      { name: "web_fetch", allowed_domains: ["example.com"], max_content_tokens: 5, url_sources: {} },
      { name: "web_search", blocked_domains: ["example.com"], user_location: { type: "approximate" } }
    ]
  },
  { type: "troupe_toolset", configs: [{ name: "ask_user" }] },
  { type: "mcp_toolset", mcp_server_name: "m", configs: [{ name: "t", enabled: false }] },
  {
    type: "custom",
    name: "own",
    description: "d",
    input_schema: { type: "object", properties: { a: { type: "string" } } }
  }
]
const mcp_servers = [{ type: "url", name: "m", url: "https://example.com/mcp" }]
const registered = [{ type: "registered", name: "m", server_id: id("mcpsrv") }]
const member = { type: "agent", id: id("agent"), version: 1 }
const rosters = [
  { type: "coordinator", agents: [member, { type: "self" }, { type: "advisor", model: "demo" }] },
  {
    type: "multiagent_20261001",
    subagents: { type: "enabled", inline_agents: { type: "disabled" }, predefined_agents: [member] },
    workflows: { type: "disabled" },
    advisor: { type: "enabled", model: "demo" }
  }
]

const resource = { ...file, mount_path: "a/b.txt" }
const agent = { name: "a", model: { id: "demo", effort: "high" }, tools, mcp_servers }
const overrides = { type: "agent_with_overrides", id: id("agent"), tools, mcp_servers, system: "s" }

/**
 * Bodies of endpoints whose contract leaves parts of them to rules of their own: what a schema alone draws for these ends
 * at their first line. Ids stand for any of their kind.
 */
export const written: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  createAgent: [
    { name: "a", model: "demo" },
    agent,
    { ...agent, mcp_servers: registered },
    ...rosters.map((multiagent) => ({ ...agent, multiagent }))
  ],
  updateAgent: [
    { tools, mcp_servers },
    { tools: null, mcp_servers: null },
    ...rosters.map((multiagent) => ({ multiagent }))
  ],
  createSession: [
    { agent: id("agent") },
    { agent: id("agent"), resources: [resource], initial_events: [message, outcome] },
    { agent: overrides, initial_events: [{ ...outcome, rubric: file }] },
    { agent: id("agent"), environment_id: id("env"), resources: [{ ...resource, troupe: { unpack: true } }] }
  ],
  updateSession: [{ agent: { tools, mcp_servers } }, { agent: { mcp_servers: registered, tools }, title: "t" }],
  sendEvents: [...events.map((one) => ({ events: [one] })), { events: [message, system] }, { events }],
  sendMessage: [{ content: blocks }, { content: "words", troupe: message.troupe }],
  addSessionResource: [resource, { type: "github_repository", url: "https://github.com/a/b" }],
  editTurn: [{ content: blocks, overrides: { tools } }]
}
