import { ApiFailure } from "@troupe/domain/api/ApiError"

/** What would be written is of a format that some node, of an older release, can't read yet. Nothing was done. */
export const notReadableYet = () =>
  new ApiFailure({
    type: "api_error",
    status: 503,
    message: "This needs every node to be of the newer release, and one of the older is still there",
    retryAfterMs: 5_000
  })
