import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/**
 * `npm run torture`: the crash test of the default suite with many more kills and another seed each round, until the time
 * is up. A round that fails prints the seed that repeats it.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    kills: { type: "string", default: "300" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_007) },
  },
});
const endMs = Date.now() + Number(values.minutes) * 60_000;

for (let round = 0; round === 0 || Date.now() < endMs; round++) {
  const seed = Number(values.seed) + round;
  console.log(`round ${round + 1}: ${values.kills} kills, seed ${seed}`);
  const { status } = spawnSync("vitest", ["run", "test/scenarios/kills.test.ts"], {
    stdio: "inherit",
    env: { ...process.env, SEED: String(seed), KILLS: values.kills },
  });
  if (status === 0) continue;
  console.error(`failed; once more with: npm run torture -- --minutes 0 --kills ${values.kills} --seed ${seed}`);
  process.exit(1);
}
