import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * Suites of whole systems first: they wait for minutes, and whatever else there is fits beside them. Those that share a
 * worker last, one after the other: a worker is kept only for a next one of the same kind, and the end is of small pieces.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId, project }: TestSpecification) =>
      moduleId.includes("/e2e/faults/") ? 0 : moduleId.includes("/e2e/") ? 1 : project.config.isolate ? 2 : 3
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}
