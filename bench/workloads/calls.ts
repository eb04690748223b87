import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { openWindlass } from "../../src/library/open-windlass.ts";
import { noop, payload, temporaryFolder } from "../setup.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Milliseconds of one kind of call, each. */
export type CallTimes = readonly (readonly [name: string, took: readonly number[]])[];

/** Reading a file with every setting, opening, and refusing a schedule that can never fire, in this process. */
export async function callTimes(times: number): Promise<CallTimes> {
  using folder = temporaryFolder();
  const configFile = join(folder.path, "config.yaml");
  copyFileSync(join(ROOT, "windlass.example.yaml"), configFile);
  const db = join(folder.path, "windlass.db");
  const load = () => loadConfig({ configPath: configFile, env: {}, cwd: folder.path, home: folder.path });
  await using client = await openWindlass({ configFile, db, jobs: [noop] });
  const refuse = async (times: { readonly cron: string } | { readonly after: string }): Promise<void> => {
    const refused = client.schedule(noop.name, payload(1), times as never).then(
      () => false,
      () => true,
    );
    if (!(await refused)) throw new TypeError(`${JSON.stringify(times)} was not refused`);
  };
  return [
    ["config of every setting, read", await measured(times, load)],
    ["library opened and closed", await measured(Math.ceil(times / 4), () => opened(configFile, db))],
    ["schedule refused, no cron line", await measured(times, () => refuse({ cron: "61 * * * *" }))],
    ["schedule refused, never fires", await measured(times, () => refuse({ cron: "0 0 30 2 *" }))],
    ["schedule refused, no duration", await measured(times, () => refuse({ after: "soon" }))],
  ];
}

async function opened(configFile: string, db: string): Promise<void> {
  await using _client = await openWindlass({ configFile, db, jobs: [noop] });
}

async function measured(times: number, call: () => unknown): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < times; n++) {
    const started = performance.now();
    await call();
    took.push(performance.now() - started);
  }
  return took;
}
