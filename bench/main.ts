import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { delays, printDurable } from "./durable.ts";
import { commitCost } from "./raw.ts";
import { SCALES, temporaryFolder } from "./setup.ts";
import { median, rate, spread } from "./statistics.ts";
import { printTimers } from "./timers.ts";
import { callTimes } from "./workloads/calls.ts";
import { coldRun } from "./workloads/cold.ts";
import { latencyRun } from "./workloads/latency.ts";
import { stepsRun } from "./workloads/steps.ts";
import { bulkRun, drainRun, enqueueRun, type Pair } from "./workloads/throughput.ts";

/**
 * `npm run bench`: what the engine does beside raw SQLite's same work, in one run on one machine, each pair several times
 * and none dropped. `--quick` takes a look; `--gate 0.2` fails when enqueue at 64 callers or drain is below that share.
 */
const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, gate: { type: "string" }, runs: { type: "string" } },
});
const scale = values.quick ? SCALES.quick : SCALES.full;
const runs = Number(values.runs ?? (values.quick ? 3 : 5));

async function printMachine(): Promise<void> {
  using folder = temporaryFolder();
  const costs = await commitCost(folder.path, 0, 200);
  const rested = await commitCost(folder.path, 20, 30);
  const [cpu] = cpus();
  console.log(
    `machine  ${cpus().length} x ${cpu?.model ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}, SQLite ${process.versions["sqlite"] ?? "?"}`,
  );
  console.log(
    `disk     one commit of one row, synchronous=FULL: ${median(costs).toFixed(3)} ms back to back, ${median(rested).toFixed(3)} ms after 20 ms of rest`,
  );
  console.log(
    `runs     ${runs}, median [smallest-largest]; jobs a second; raw is SQLite alone with the same tables and batch\n`,
  );
}

async function printPair(name: string, run: () => Promise<Pair>): Promise<number> {
  const pairs: Pair[] = [];
  for (let n = 0; n < runs; n++) pairs.push(await run());
  const shares = pairs.map(({ product, raw }) => product / raw);
  const product = spread(
    pairs.map((pair) => pair.product),
    rate,
  );
  const raw = spread(
    pairs.map((pair) => pair.raw),
    rate,
  );
  console.log(
    `${name.padEnd(30)} ${product.padEnd(32)} raw ${raw.padEnd(34)} batch ${String(median(pairs.map(({ batch }) => batch))).padEnd(5)} share ${spread(shares, (share) => `${Math.round(share * 100)} %`)}`,
  );
  return median(shares);
}

async function printLatency(name: string, idleMs: number): Promise<void> {
  const { product, raw } = await latencyRun(idleMs, idleMs === 0 ? scale.latency : Math.min(scale.latency, 200));
  console.log(`${name.padEnd(30)} ${delays(product)}   raw commit ${delays(raw)}`);
}

async function printCold(): Promise<void> {
  const { empty, commands } = await coldRun();
  console.log(`${"node, an empty program".padEnd(30)} ${delays(empty)}`);
  for (const { name, took, wantedMs } of commands) {
    const more = `${(median(took) - median(empty)).toFixed(1)} ms more than that`;
    const wanted = wantedMs === undefined ? "" : `, wanted at most ${wantedMs}`;
    console.log(`${`${name}, cold`.padEnd(30)} ${delays(took)}   ${more}${wanted}`);
  }
}

await printMachine();
await printPair("enqueue, 1 caller", () => enqueueRun(1, scale.enqueueOne));
const enqueueShare = await printPair("enqueue, 64 callers", () => enqueueRun(64, scale.enqueueMany));
await printPair("enqueue in bulk of 1,000", () => bulkRun(scale.bulk));
const drainShare = await printPair("drain, concurrency 100", () => drainRun(100, scale.drain));
await printPair("durable steps, 1 job", () => stepsRun(1, Math.min(2_000, scale.steps / 20)));
await printPair("durable steps, 64 jobs", () => stepsRun(64, Math.round(scale.steps / 64)));
await printDurable(scale, runs);
await printLatency("start latency, back to back", 0);
await printLatency("start latency, after 20 ms rest", 20);
for (const [name, took] of await callTimes(scale.latency)) console.log(`${name.padEnd(30)} ${delays(took)}`);
await printCold();
await printTimers(values.quick ? "quick" : "full");
const memory = process.memoryUsage().rss;
console.log(`\nmemory   ${Math.round(memory / 2 ** 20)} MiB at the end`);

if (values.gate !== undefined) {
  const floor = Number(values.gate);
  const low = Object.entries({ "enqueue at 64 callers": enqueueShare, "drain at concurrency 100": drainShare }).filter(
    ([, share]) => share < floor,
  );
  for (const [name, share] of low)
    console.log(`below the gate: ${name} is ${share.toFixed(2)} of raw SQLite, wanted ${floor}`);
  if (low.length > 0) process.exitCode = 1;
}
