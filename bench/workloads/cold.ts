import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { openWindlass } from "../../src/library/open-windlass.ts";
import { noop, payload, temporaryFolder } from "../setup.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** What is installed, where it was built; Node takes the types out of the sources else. */
const PROGRAM = [join(ROOT, "dist/bin.js"), join(ROOT, "src/bin.ts")].find((path) => existsSync(path)) ?? "";

/** Programs that are started, of each kind. */
const TIMES = 12;

/** A command from the start of its program to its end. */
export interface ColdCommand {
  readonly name: string;
  readonly args: readonly string[];
  /** How many milliseconds more than an empty program it is meant to take at most. */
  readonly wantedMs?: number;
  /** Milliseconds of each. */
  readonly took: number[];
}

/** Starts an empty program and some commands in turn; the first of each compiles its code and keeps it for the others. */
export async function coldRun(): Promise<{
  readonly empty: readonly number[];
  readonly commands: readonly ColdCommand[];
}> {
  using folder = temporaryFolder();
  const db = join(folder.path, "windlass.db");
  const config = join(folder.path, "config.yaml");
  copyFileSync(join(ROOT, "windlass.example.yaml"), config);
  const id = await storeJob(db);
  const input = ["--type", "exec", "--input-json", '{"argv":["true"]}', "--db", db];
  const commands: ColdCommand[] = [
    { name: "--help", args: ["--help"], wantedMs: 150, took: [] },
    { name: "config show", args: ["config", "show", "--config", config], took: [] },
    { name: "jobs status", args: ["jobs", "status", id, "--db", db], wantedMs: 150, took: [] },
    { name: "schedules add refused", args: ["schedules", "add", "bad", ...input, "--cron", "61 * * * *"], took: [] },
  ];
  const empty: number[] = [];
  for (let n = 0; n < TIMES; n++) {
    empty.push(start(["-e", "0"], folder.path));
    for (const { args, took } of commands) took.push(start([PROGRAM, ...args], folder.path));
  }
  return { empty, commands };
}

async function storeJob(db: string): Promise<string> {
  await using client = await openWindlass({ db, jobs: [noop] });
  return (await client.submit(noop, payload(1))).jobId;
}

/** @returns milliseconds. */
function start(args: readonly string[], cwd: string): number {
  const started = performance.now();
  spawnSync(process.execPath, args, { cwd, stdio: "ignore", env: { ...process.env, XDG_CACHE_HOME: cwd } });
  return performance.now() - started;
}
