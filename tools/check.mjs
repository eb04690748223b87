// Every check in one command: `npm run check`; with --static everything but the tests. A failed step does not stop the
// next one, so one run shows all that is wrong. With CHECK_TALLY=FILE it adds the line "static PASSED FAILED" to FILE.
import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { delimiter, resolve } from "node:path";

const STEPS = [
  ["format", "biome check --error-on-warnings --linter-enabled=false"],
  ["lint", "biome lint --error-on-warnings"],
  ["promises and switches", "oxlint --type-aware --deny-warnings"],
  ["types", "tsc"],
  ["directions, cycles, purity", "node tools/check-layers.mjs"],
  ["dead code, unused dependencies", "knip --no-config-hints"],
  ["public documentation", "typedoc"],
  ["documents in sync", "node tools/generate-docs.mjs --check"],
];
const TESTS = ["tests", "vitest run && npm run --silent test:scenarios"];

const steps = process.argv.includes("--static") ? STEPS : [...STEPS, TESTS];
// The tools run on the Node that the project pins, also when this file was started by hand.
const env = { ...process.env, PATH: `${resolve("node_modules/.bin")}${delimiter}${process.env.PATH}` };

const results = steps.map(([name, command]) => {
  console.log(`\n# ${name}: ${command}`);
  const startedMs = Date.now();
  const { status, error } = spawnSync(command, { shell: true, stdio: ["ignore", "inherit", "inherit"], env });
  if (error !== undefined) console.error(error.message);
  return { name, passed: status === 0, seconds: ((Date.now() - startedMs) / 1000).toFixed(1) };
});

console.log("");
for (const { name, passed, seconds } of results) console.log(`${passed ? "ok    " : "FAILED"} ${name} (${seconds} s)`);

const failed = results.filter(({ passed }) => !passed);
if (process.env.CHECK_TALLY) {
  const counted = results.filter(({ name }) => name !== TESTS[0]);
  const bad = counted.filter(({ passed }) => !passed).length;
  appendFileSync(process.env.CHECK_TALLY, `static ${counted.length - bad} ${bad}\n`);
}
process.exitCode = failed.length === 0 ? 0 : 1;
