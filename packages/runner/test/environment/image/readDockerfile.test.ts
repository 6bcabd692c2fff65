import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readDockerfile } from "../../../src/environment/image/readDockerfile.ts"

const bases = (...lines: ReadonlyArray<string>) => Result.getOrThrow(readDockerfile(lines.join("\n"))).bases
const refusal = (...lines: ReadonlyArray<string>) => {
  const read = readDockerfile(lines.join("\n"))
  return Result.isFailure(read) ? read.failure : assert.fail("it was taken")
}

describe("readDockerfile", () => {
  it("finds the images that it begins with, and not its own stages", () => {
    assert.deepStrictEqual(
      bases(
        "# comment",
        "ARG VERSION=1",
        "FROM --platform=linux/amd64 golang:1.26 AS Build",
        "RUN go build \\",
        "  # in between",
        "  ./...",
        "from build as second",
        "FROM scratch",
        "COPY --chown=1:1 --from=build /a /b",
        "COPY --from=0 /a /c",
        "COPY --from=registry.example:5000/tools@sha256:abc /bin/x /bin/x",
        "RUN echo ADD this; echo FROM nowhere"
      ),
      ["golang:1.26", "registry.example:5000/tools@sha256:abc"]
    )
  })

  it("refuses what the engine would fetch by itself, however it is written down", () => {
    for (const line of [
      "ADD http://169.254.169.254/ /x",
      "\tadd --chown=1 http://a /x",
      "\uFEFFADD http://a /x",
      "RUN true \\\n\nADD http://a /x",
      "RUN true\rADD http://a /x",
      "RUN <<END \\\nEND\nADD http://a /x"
    ]) {
      assert.match(refusal("FROM a", line), /ADD is not supported/, JSON.stringify(line))
    }
    for (const line of ["AD\\\nD http://a /x", "  A\\  \nDD http://a /x", "COP\\\nY --from=b /a /b"]) {
      assert.match(refusal("FROM a", line), /the first word of a line has to end/, JSON.stringify(line))
    }
    assert.match(refusal("# escape=`", "FROM a"), /line 1: another escape character/)
    assert.match(refusal("FROM a", "ONBUILD ADD http://a /x"), /ONBUILD/)
  })

  it("refuses names that can't be looked at before", () => {
    for (const line of ["FROM $BASE", "FROM $" + "{BASE}:1", "FROM", "FROM \\\na", 'FROM "a"', "FROM -a"]) {
      assert.match(refusal(line), /FROM has to name its image|it has no FROM/, line)
    }
    for (const line of ["COPY . /app", "COPY --from=$X /a /b", "COPY --fr\\\nom=x /a /b", "COPY --from=a /a \\\n/b"]) {
      assert.match(refusal("FROM a", line), /COPY has to say --from=/, line)
    }
    assert.strictEqual(refusal("RUN true"), "it has no FROM")
    assert.strictEqual(refusal(""), "it has no FROM")
  })
})
