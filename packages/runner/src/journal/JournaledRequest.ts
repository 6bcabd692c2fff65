import { RunRequest } from "@troupe/domain/runner/Attempt"
import { Schema, Struct } from "effect"

/** What an attempt was asked to do, as its journal has it: without the secrets. */
export const JournaledRequest = Schema.Struct(Struct.omit(RunRequest.fields, ["secrets"]))
export type JournaledRequest = typeof JournaledRequest.Type

export const withoutSecrets = ({ secrets: _secrets, ...request }: RunRequest): JournaledRequest => request
