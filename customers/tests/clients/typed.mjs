/** What generators make of the API's description: without a warning, strictly typed, and at work. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";

const { BASE_URL } = process.env;
const DOCUMENT = "openapi.json";

/** Runs a program of node_modules; returns all that it says, and rejects when it fails. */
async function run(program, ...args) {
  const { stdout, stderr } = await promisify(execFile)(`node_modules/.bin/${program}`, args);
  return stdout + stderr;
}

await writeFile(DOCUMENT, await (await fetch(`${BASE_URL}/api/schema`)).text());

test("redocly finds nothing wrong with the description", async () => {
  const said = await run("redocly", "lint", DOCUMENT, "--format=json");
  const { totals } = JSON.parse(said.slice(said.indexOf("{"), said.lastIndexOf("}") + 1));
  assert.deepEqual(totals, { errors: 0, warnings: 0, ignored: 0 });
});

test("typed clients are generated without a warning, checked strictly, and work", async () => {
  for (const [program, ...args] of [
    ["openapi-typescript", DOCUMENT, "--output", "generated/paths.d.ts"],
    ["openapi-ts", "--input", DOCUMENT, "--output", "generated/hey"],
  ]) {
    assert.doesNotMatch(await run(program, ...args), /warn|error/i);
  }
  assert.equal(await run("tsc", "--project", "tsconfig.json"), "");
  for (const acts of ["by_openapi_fetch.ts", "by_hey_api.ts"]) {
    assert.equal(await run("tsx", acts), "");
  }
});
