import { Troupe } from "@troupe/client"
import { program } from "./program.ts"

const troupe = new Troupe({ baseURL: process.env["TROUPE_SERVER_URL"], apiKey: process.env["TROUPE_API_KEY"] })
console.log((await program(troupe)).join("\n"))
