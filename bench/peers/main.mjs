// `npm run bench:peers`: durable steps, replay, children and messages of DBOS, on the disk and with the durability (every
// commit waits for the disk) that `npm run bench` has. First `npm ci --prefix bench/peers`. `--quick` takes a look.
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { percentile, rate, spread } from "../statistics.ts";
import { startPostgres } from "./postgres.mjs";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const scale = values.quick
  ? { runs: 3, one: 200, many: 30, replayed: 1_000, children: 100, wakes: 30 }
  : { runs: 3, one: 500, many: 100, replayed: 9_999, children: 1_000, wakes: 200 };

const seen = { began: 0, passed: 0, woken: 0 };

const stepping = DBOS.registerWorkflow(
  async (steps) => {
    for (let n = 0; n < steps; n++) await DBOS.runStep(async () => 1, { name: "add" });
  },
  { name: "steps" },
);
const replayed = DBOS.registerWorkflow(
  async (steps) => {
    seen.began = performance.now();
    for (let n = 0; n < steps; n++) await DBOS.runStep(async () => 1, { name: "add" });
    seen.passed = performance.now();
    await DBOS.recv("go", 600);
  },
  { name: "replayed" },
);
const child = DBOS.registerWorkflow(async () => null, { name: "child" });
const parent = DBOS.registerWorkflow(
  async (children) => {
    const started = performance.now();
    const handles = [];
    for (let n = 0; n < children; n++) handles.push(DBOS.startWorkflow(child)());
    await Promise.all((await Promise.all(handles)).map((handle) => handle.getResult()));
    return performance.now() - started;
  },
  { name: "parent" },
);
const waiting = DBOS.registerWorkflow(
  async () => {
    await DBOS.recv("go", 600);
    seen.woken = performance.now();
  },
  { name: "waiting" },
);

async function launch(url) {
  DBOS.setConfig({ name: "bench", systemDatabaseUrl: url, logLevel: "error" });
  await DBOS.launch();
}

const load = () => loadavg()[0].toFixed(1);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function steps(jobs, each) {
  const rates = [];
  for (let n = 0; n < scale.runs; n++) {
    const started = performance.now();
    const handles = await Promise.all(Array.from({ length: jobs }, () => DBOS.startWorkflow(stepping)(each)));
    await Promise.all(handles.map((handle) => handle.getResult()));
    rates.push((jobs * each) / ((performance.now() - started) / 1_000));
  }
  console.log(`durable steps, ${`${jobs} at once`.padEnd(16)} ${spread(rates, rate)} a second; load ${load()}`);
}

/** The process's own recovery when it is launched again: from the first line of the code to the last recorded step. */
async function replay(url) {
  const handle = await DBOS.startWorkflow(replayed)(scale.replayed);
  while (seen.passed === 0) await pause(20);
  const took = [];
  for (let n = 0; n < scale.runs; n++) {
    await DBOS.shutdown();
    Object.assign(seen, { began: 0, passed: 0 });
    await launch(url);
    while (seen.passed === 0) await pause(5);
    took.push(seen.passed - seen.began);
  }
  await DBOS.send(handle.workflowID, 1, "go");
  console.log(`replay of ${String(scale.replayed).padEnd(20)} ${spread(took, (ms) => ms.toFixed(1))} ms; load ${load()}`);
}

async function children() {
  const took = [];
  for (let n = 0; n < scale.runs; n++) took.push(await (await DBOS.startWorkflow(parent)(scale.children)).getResult());
  console.log(`${`${scale.children} children, joined`.padEnd(30)} ${spread(took, (ms) => ms.toFixed(1))} ms; load ${load()}`);
}

async function wakes() {
  const took = [];
  for (let n = 0; n < scale.wakes; n++) {
    const handle = await DBOS.startWorkflow(waiting)();
    await pause(20);
    const started = performance.now();
    await DBOS.send(handle.workflowID, 1, "go");
    await handle.getResult();
    took.push(seen.woken - started);
  }
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentile(took, share).toFixed(2));
  console.log(`${"message to code".padEnd(30)} p50 ${p50}  p90 ${p90}  p99 ${p99} ms load ${load()}`);
}

const postgres = startPostgres();
try {
  const { version } = JSON.parse(readFileSync(new URL("node_modules/@dbos-inc/dbos-sdk/package.json", import.meta.url), "utf8"));
  console.log(`DBOS ${version}, ${postgres.version}, Node ${process.version}; its defaults, one process, median [smallest-largest]`);
  await launch(postgres.url);
  await steps(1, scale.one);
  await steps(64, scale.many);
  await children();
  await wakes();
  await replay(postgres.url);
  await DBOS.shutdown();
} finally {
  postgres.stop();
}
process.exit(0);
