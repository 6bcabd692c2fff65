import type { ErrorType } from "@troupe/domain/api/ApiError"

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Kinds that are not known yet are passed on: new ones come with new releases of the server. */
export const errorTypeOf = (value: unknown): ErrorType | null =>
  typeof value === "string" ? (value as ErrorType) : null
