import { assert, describe, it } from "vitest"
import { sandboxVariables } from "../../src/egress/sandboxVariables.ts"

describe("The variables of a sandbox", () => {
  const variables = sandboxVariables("/certificates.pem")

  it.each(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"])("name %s in both cases", (name) => {
    assert.isDefined(variables[name])
    assert.strictEqual(variables[name.toLowerCase()], variables[name])
  })

  it.each([
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT"
  ])("%s names the certificates", (name) => assert.strictEqual(variables[name], "/certificates.pem"))

  it("are names and values that any shell takes", () => {
    for (const [name, value] of Object.entries(variables)) {
      assert.match(name, /^[A-Za-z_]+$/)
      assert.notMatch(value, /["'\n\\$`]/)
    }
  })
})
