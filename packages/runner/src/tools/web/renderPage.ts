import { Effect, Schema } from "effect"
import { Worker } from "node:worker_threads"
import type { Page } from "./markdown.ts"

/** The page is too much for a reader of pages: it takes too long, or too much memory. */
export class PageUnreadable extends Schema.TaggedError<PageUnreadable>()("PageUnreadable", {
  detail: Schema.String
}) {}

const memoryMb = 256
const stackMb = 8

/** In a thread of its own, that ends when it takes too long: a page comes from anywhere, and may mean harm. */
export const renderPage = (html: string, base: string, timeoutMs: number): Effect.Effect<Page, PageUnreadable> =>
  Effect.callback<Page, PageUnreadable>((resume) => {
    const worker = new Worker(new URL("render-main.ts", import.meta.url), {
      workerData: { html, base },
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, stackSizeMb: stackMb },
      env: {},
      stdin: false
    })
    const fail = (detail: string) => resume(Effect.fail(new PageUnreadable({ detail })))
    worker.once("message", (page: Page) => resume(Effect.succeed(page)))
    worker.once("error", (error) =>
      fail(error.name === "RangeError" ? "it is nested too deeply" : "it can't be taken apart")
    )
    worker.once("exit", () => fail("it takes too much memory"))
    return Effect.promise(() => worker.terminate())
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMs,
      orElse: () => new PageUnreadable({ detail: `it takes longer than ${timeoutMs} ms` })
    })
  )
