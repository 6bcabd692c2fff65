export { TroupeClient, type TroupeClientOptions } from "./effect/TroupeClient.ts"
