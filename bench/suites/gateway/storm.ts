/** Readers in a process of their own: what they do with what they get is no time of whoever writes meanwhile. */
import { serve } from "../../harness/serve.ts"
import { Crowd } from "./crowd.ts"

export interface Storm {
  readonly origin: string
  readonly path: string
  readonly readers: number
  /** How many frames each of them gets. */
  readonly frames: number
}

serve({
  /** All come at once; answers with how many milliseconds it took until all had everything. */
  come: async ({ frames, origin, path, readers }: Storm) => {
    const crowd = new Crowd()
    const begun = performance.now()
    await crowd.gets(readers * frames, () => crowd.join(origin, () => path, readers))
    const ms = performance.now() - begun
    crowd.leave()
    return ms
  }
})
