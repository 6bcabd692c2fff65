/** How far runs got: how often each thing of interest happened, by group and name. */
export class Depth {
  readonly groups = new Map<string, Map<string, number>>()

  add(group: string, name: string, times = 1): void {
    const names = this.groups.get(group) ?? new Map<string, number>()
    this.groups.set(group, names)
    names.set(name, (names.get(name) ?? 0) + times)
  }

  merge(other: Depth): void {
    for (const [group, names] of other.groups) for (const [name, times] of names) this.add(group, name, times)
  }

  count(group: string, name: string): number {
    return this.groups.get(group)?.get(name) ?? 0
  }

  names(group: string): ReadonlyArray<string> {
    return [...(this.groups.get(group)?.keys() ?? [])]
  }
}
