import type { Session } from "@troupe/client"

/** In capitals where nothing isolates, as the start of a runner says it. */
export const sandboxInWords = (sandbox: Session["troupe"]["sandbox"]): string | null =>
  sandbox === null ? null : `${sandbox.backend}: ${sandbox.isolation === "none" ? "NO ISOLATION" : sandbox.isolation}`
