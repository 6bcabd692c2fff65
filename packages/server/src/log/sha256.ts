import type { Sha256 } from "@troupe/domain/log/Chain"
import { hash } from "node:crypto"

export const sha256: Sha256 = (text) => hash("sha256", text, "hex")
