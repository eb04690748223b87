import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/**
 * `npm run torture`: the crash tests of the default suite with many more rounds and kills and another seed each round, until
 * the time is up. A round that fails prints the seed that repeats it.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    kills: { type: "string", default: "300" },
    "event-rounds": { type: "string", default: "10000" },
    "event-kills": { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_007) },
  },
});
const endMs = Date.now() + Number(values.minutes) * 60_000;

/** Tests, with what says how much they do. */
const SUITES = [
  {
    say: `${values["event-rounds"]} rounds of events around a wait, with deaths at failpoints`,
    file: "test/scenarios/event-races.test.ts",
    env: { ROUNDS: values["event-rounds"] },
  },
  {
    say: `${values["event-kills"]} kills of workers while events come`,
    file: "test/scenarios/event-kills.test.ts",
    env: { EVENT_KILLS: values["event-kills"] },
  },
  { say: `${values.kills} kills under load`, file: "test/scenarios/kills.test.ts", env: { KILLS: values.kills } },
];

for (let round = 0; round === 0 || Date.now() < endMs; round++) {
  const seed = Number(values.seed) + round;
  for (const { say, file, env } of SUITES) {
    console.log(`round ${round + 1}: ${say}, seed ${seed}`);
    const { status } = spawnSync("vitest", ["run", file], {
      stdio: "inherit",
      env: { ...process.env, ...env, SEED: String(seed) },
    });
    if (status === 0) continue;
    const told = Object.entries({ ...env, SEED: seed }).map(([name, value]) => `${name}=${value}`);
    console.error(`failed; once more with: ${told.join(" ")} npx vitest run ${file}`);
    process.exit(1);
  }
}
