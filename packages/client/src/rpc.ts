export { TroupeRpc, type TroupeRpcOptions } from "./rpc/TroupeRpc.ts"
