import { assert, describe, it } from "@effect/vitest"
import { signed, type S3Request } from "../../src/files/s3Signature.ts"

/** Of the service's own documentation of the signature. */
const key = {
  region: "us-east-1",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
}
const at = new Date("2013-05-24T00:00:00Z")
const host = "https://examplebucket.s3.amazonaws.com"
const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const published: ReadonlyArray<readonly [string, S3Request, string]> = [
  [
    "a GET of a range",
    { method: "GET", url: new URL(`${host}/test.txt`), headers: { range: "bytes=0-9" }, sha256: nothing },
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
  ],
  [
    "a PUT under a name with a $",
    {
      method: "PUT",
      url: new URL(`${host}/test$file.text`),
      headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      sha256: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    },
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
  ],
  [
    "a query without a value",
    { method: "GET", url: new URL(`${host}/?lifecycle`), headers: {}, sha256: nothing },
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
  ],
  [
    "a query with values",
    { method: "GET", url: new URL(`${host}/?max-keys=2&prefix=J`), headers: {}, sha256: nothing },
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
  ]
]

describe("a signature of S3", () => {
  for (const [name, request, signature] of published) {
    it(`is the published one for ${name}`, () => {
      assert.strictEqual(/Signature=(\w+)$/.exec(signed(request, key, at)["authorization"]!)![1], signature)
    })
  }
})
