/** What authors of a backend get: the port, and the suite that backends are held to. */
export * from "./Sandbox.ts"
export { makeBench, type SpecOverrides } from "./conformance/Bench.ts"
export { type Bench, type Check, CheckFailed, isPromised, type Subject, subjects } from "./conformance/Check.ts"
export { type Held, hold, type HoldOptions, type Verdict } from "./conformance/hold.ts"
export { conformance } from "./conformance/suite.ts"
