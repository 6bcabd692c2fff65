import { egress } from "../sandbox/Sandbox.ts"

/**
 * Where a sandbox finds the certificates it trusts. In the place of the system's own, so that programs find them that read
 * no variable.
 */
export const bundleTarget = "/etc/ssl/certs/ca-certificates.crt"

const url = `http://${egress.host}:${egress.port}`
/** What runs inside of the sandbox is reached directly. */
const direct = "localhost,127.0.0.1,::1"

/** curl reads `http_proxy` in lower case alone, others only capitals. */
const bothCases = (name: string, value: string) => [
  [name, value],
  [name.toLowerCase(), value]
]

const proxyVariables: Readonly<Record<string, string>> = Object.fromEntries([
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY"].flatMap((name) => bothCases(name, url)),
  ...bothCases("NO_PROXY", direct),
  // Node's fetch and http, from 24 on.
  ["NODE_USE_ENV_PROXY", "1"],
  ["npm_config_noproxy", direct],
  ["CLOUDSDK_PROXY_TYPE", "http"],
  ["CLOUDSDK_PROXY_ADDRESS", egress.host],
  ["CLOUDSDK_PROXY_PORT", String(egress.port)],
  [
    "JAVA_TOOL_OPTIONS",
    ["http", "https"]
      .flatMap((scheme) => [`-D${scheme}.proxyHost=${egress.host}`, `-D${scheme}.proxyPort=${egress.port}`])
      .concat("-Dhttp.nonProxyHosts=localhost|127.*|[::1]")
      .join(" ")
  ]
])

/** Each takes a file of certificates; most of them in place of the system's, which is why the file holds those too. */
const trustVariables = [
  "AWS_CA_BUNDLE",
  "BUNDLE_SSL_CA_CERT",
  "CARGO_HTTP_CAINFO",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "CURL_CA_BUNDLE",
  "DENO_CERT",
  "GIT_SSL_CAINFO",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
  "HEX_CACERTS_PATH",
  "NIX_SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "PIP_CERT",
  "REQUESTS_CA_BUNDLE",
  "SSL_CERT_FILE",
  "npm_config_cafile"
]

/** What makes ordinary programs use the proxy, and trust what it signs. `bundle` is the file's path inside. */
export const sandboxVariables = (bundle: string = bundleTarget): Readonly<Record<string, string>> => ({
  ...proxyVariables,
  ...Object.fromEntries(trustVariables.map((name) => [name, bundle]))
})
