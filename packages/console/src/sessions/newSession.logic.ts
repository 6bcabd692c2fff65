/** A title for what begins with these words. */
export const titleOf = (prompt: string): string => {
  const line = prompt.trim().split("\n", 1)[0]!.replaceAll(/\s+/g, " ").trim()
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`
}

/** Dollars as people write them, as whole cents; null where there is no limit, undefined where it can't be read. */
export const centsOf = (text: string): string | null | undefined => {
  const plain = text.trim().replace(/^\$/, "")
  if (plain === "") return null
  if (!/^\d{1,9}([.,]\d{1,2})?$/.test(plain)) return undefined
  const cents = Math.round(Number(plain.replace(",", ".")) * 100)
  return cents === 0 ? undefined : String(cents)
}

/** What the first agent of a workspace is like: all built-in tools, free inside their sandbox. */
export const starterAgent = (model: string) => ({
  name: "Assistant",
  model,
  description: "All built-in tools, in a sandbox.",
  tools: [
    {
      type: "agent_toolset_20260401",
      default_config: { enabled: true, permission_policy: { type: "always_allow" } }
    },
    { type: "troupe_toolset", configs: [{ name: "ask_user" }, { name: "update_plan" }] }
  ]
})
