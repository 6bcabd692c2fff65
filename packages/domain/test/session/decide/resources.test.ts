import { assert, describe, it } from "@effect/vitest"
import { Limits } from "../../../src/Limits.ts"
import { after, given } from "../given.ts"
import { open, resource, resourceId } from "../make.ts"

const add = (n: number) => ({ _tag: "AddResource", resource: resource(n) }) as const
const remove = (n: number) => ({ _tag: "RemoveResource", resourceId: resourceId(n) }) as const
const refresh = (n: number) => ({ _tag: "RefreshResource", resourceId: resourceId(n), details: { etag: "2" } }) as const
const resources = (count: number) => Array.from({ length: count }, (_, n) => resource(n))

describe("a resource", () => {
  it("is added under a new id", () => {
    const story = after(open({ resources: [resource(1)] }))
      .when(add(2))
      .thenEvents({ _tag: "ResourceAdded", resource: resource(2) })
    assert.deepStrictEqual(story.session.resources, [resourceId(1), resourceId(2)])
    story.when(add(1)).thenRejected({ _tag: "IdTaken", id: resourceId(1) })
    story.when(add(2)).thenRejected({ _tag: "IdTaken", id: resourceId(2) })
  })

  it("is removed, and may come back", () => {
    const story = after(open({ resources: [resource(1)] }))
      .when(remove(1))
      .thenEvents({ _tag: "ResourceRemoved", resourceId: resourceId(1) })
    assert.deepStrictEqual(story.session.resources, [])
    story.when(remove(1)).thenRejected({ _tag: "UnknownResource", resourceId: resourceId(1) })
    story.when(add(1)).thenEvents("ResourceAdded")
  })

  it("is refreshed while it is there", () => {
    const story = after(open(), add(1))
    story.when(refresh(1)).thenEvents({ _tag: "ResourceRefreshed", details: { etag: "2" } })
    story.when(refresh(2)).thenRejected("UnknownResource")
  })

  it("is one of a bounded number", () => {
    const max = Limits.resourcesMax
    const full = after(open({ resources: resources(max) }))
    full.when(add(max)).thenRejected({ _tag: "TooManyResources", max })
    full.and(remove(0)).when(add(max)).thenEvents("ResourceAdded")
    given()
      .when(open({ resources: resources(max + 1) }))
      .thenRejected("TooManyResources")
  })

  it("is not opened with twice", () => {
    given()
      .when(open({ resources: [resource(1), resource(1)] }))
      .thenRejected({ _tag: "IdTaken", id: resourceId(1) })
  })
})
