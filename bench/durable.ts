import type { Scale } from "./setup.ts";
import { median, milliseconds, percentile, spread } from "./statistics.ts";
import { type CrowdRun, sleeperRun, waitingRun } from "./workloads/crowd.ts";
import { wakeRun } from "./workloads/events.ts";
import { fanOutRuns } from "./workloads/fan-out.ts";
import { replayRun } from "./workloads/steps.ts";

/** Prints what durable jobs do beside their steps: replay, children, events, and many that wait. */
export async function printDurable(scale: Scale, runs: number): Promise<void> {
  const replays = [];
  for (let n = 0; n < runs; n++) replays.push(await replayRun(scale.replayed));
  printMs(`replay of ${scale.replayed + 1} calls`, replays, "rows read");
  printMs(`${scale.children} children, joined`, await fanOutRuns(scale.children, runs * 4), "same rows, same commits");
  const { parked, replayed, raw } = await wakeRun(scale.wakes);
  console.log(`${"emit to code, in memory".padEnd(30)} ${delays(parked)}   raw commit ${delays(raw)}`);
  console.log(`${"emit to code, replayed".padEnd(30)} ${delays(replayed)}`);
  printCrowd("jobs that sleep", await sleeperRun(scale.sleepers));
  printCrowd("jobs that wait for an event", await waitingRun(scale.waiting));
}

function printMs(name: string, runs: readonly { product: number; raw: number }[], what: string): void {
  const product = spread(
    runs.map((run) => run.product),
    milliseconds,
  );
  const raw = spread(
    runs.map((run) => run.raw),
    milliseconds,
  );
  const share = median(runs.map((run) => run.raw / run.product));
  console.log(
    `${name.padEnd(30)} ${`${product} ms`.padEnd(32)} raw ${`${raw} ms`.padEnd(34)} ${what}  share ${Math.round(share * 100)} %`,
  );
}

/** Percentiles of delays in milliseconds. */
export function delays(values: readonly number[]): string {
  return `p50 ${percentile(values, 0.5).toFixed(2)}  p90 ${percentile(values, 0.9).toFixed(2)}  p99 ${percentile(values, 0.99).toFixed(2)}  max ${Math.max(...values).toFixed(2)} ms`;
}

function printCrowd(name: string, crowd: CrowdRun): void {
  const { jobs, microsecondsToWait, memoryBytes, fileBytes, oneMs, allMs, stalledMs } = crowd;
  const one = oneMs.length === 0 ? "" : `; one of them from emit to its end ${delays(oneMs)}`;
  console.log(
    `${`${jobs.toLocaleString("en-US")} ${name}`.padEnd(30)} ${microsecondsToWait.toFixed(0)} µs each until they wait; memory ${Math.round(memoryBytes)} and file ${Math.round(fileBytes)} bytes each; all woken and ended in ${allMs.toFixed(0)} ms (${((allMs / jobs) * 1_000).toFixed(0)} µs each), event loop held up ${stalledMs.toFixed(0)} ms at most${one}`,
  );
}
