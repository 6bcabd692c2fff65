import { Schema } from "effect"

/** Any JSON value, and an object of them. */
export const Json = Schema.Json
export type Json = Schema.Json
export const JsonObject = Schema.Record(Schema.String, Schema.Json)
export type JsonObject = typeof JsonObject.Type
