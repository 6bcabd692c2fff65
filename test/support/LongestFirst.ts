import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Suites of whole systems first: they wait for minutes, and whatever else there is fits beside them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId }: TestSpecification) =>
      moduleId.includes("/e2e/faults/") ? 0 : moduleId.includes("/e2e/") ? 1 : 2
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}
