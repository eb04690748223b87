import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { median, percentile } from "./statistics.ts";
import { type BenchMachine, realPwsh, startBenchMachine } from "./windows/machine.ts";
import { Others } from "./windows/others.ts";
import { BenchProduct, WARM_UP } from "./windows/product.ts";

/**
 * `npm run bench:windows`: what one command on a Windows machine costs, beside plain ssh and Ansible against the same server
 * on this machine's loopback. Every round measures every row, so that what else the machine does falls on all of them;
 * nothing is dropped. `--quick` takes a look.
 */
const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const scale = values.quick ? { rounds: 2, jobs: 20, few: 3 } : { rounds: 5, jobs: 60, few: 8 };
const ROW = "one windows.exec job";
const QUEUED = 100;
/** As many as the product runs on a host at once by default. */
const PARALLEL = 8;

type Rows = Map<string, number[]>;

type Add = (name: string, ...took: readonly number[]) => void;

async function measure(machine: BenchMachine): Promise<Rows> {
  const rows: Rows = new Map();
  const add: Add = (name, ...took) => void rows.set(name, [...(rows.get(name) ?? []), ...took]);
  await using product = await BenchProduct.open(machine);
  await using others = new Others(machine.ssh);
  await others.openMaster();
  // One of each first: what is started once is not what is measured.
  await product.cold();
  for (let round = 0; round < scale.rounds; round++) {
    await measureWorker(product, add);
    await measureOtherWorker(product, add);
    add("warm runner alone", ...(await product.warmRunner(scale.jobs)));
    for (let n = 0; n < scale.few; n++) {
      add("the program alone, no server", await others.local());
      add("ssh, multiplexed", await others.multiplexed());
      add("ssh", await others.plain());
    }
    for (let n = 0; n < Math.ceil(scale.few / 3); n++) add("win-automation windows exec", await product.cold());
    add(`${QUEUED} x ssh, multiplexed`, await others.manyMultiplexed(QUEUED, PARALLEL));
    if (Others.hasAnsible) await measureAnsible(others, add);
  }
  return rows;
}

/** A worker in this process: warm from the second job on, with all of its runners from the second hundred on. */
async function measureWorker(product: BenchProduct, add: Add): Promise<void> {
  const worker = await product.worker();
  for (let n = 0; n < WARM_UP; n++) await product.job();
  for (let n = 0; n < scale.jobs; n++) {
    const { own, caller } = await product.job();
    add(ROW, caller);
    add("the same, by the job's own times", own);
  }
  const first = await product.jobs(QUEUED);
  add(`${QUEUED} windows.exec jobs`, await product.jobs(QUEUED));
  add("the same, while runners start", first);
  await worker.stop({ graceMs: 5_000 });
}

async function measureOtherWorker(product: BenchProduct, add: Add): Promise<void> {
  await using _worker = await product.otherWorker();
  for (let n = 0; n < WARM_UP; n++) await product.job();
  for (let n = 0; n < scale.jobs; n++) {
    add("the same, worker in another process", (await product.job()).caller);
  }
}

async function measureAnsible(others: Others, add: Add): Promise<void> {
  for (const module of ["raw", "command"] as const) {
    add(`ansible -m ${module}`, await others.ansible(module));
    add(`Ansible, a task more (${module})`, await others.ansibleTask(module));
  }
}

function print(rows: Rows): void {
  const job = median(rows.get(ROW) ?? []);
  const ms = (value: number): string => value.toFixed(1).padStart(8);
  for (const [name, took] of rows) {
    const ratio = /^\d|runners start/.test(name) ? "" : `   x ${(median(took) / job).toFixed(1)}`;
    console.log(
      `${name.padEnd(38)} p50 ${ms(median(took))}  p99 ${ms(percentile(took, 0.99))}  max ${ms(Math.max(...took))} ms  n ${String(took.length).padStart(4)}${ratio}`,
    );
  }
}

const busy = (): string => loadavg()[0]?.toFixed(1) ?? "?";

console.log(`machine  ${cpus().length} x ${cpus()[0]?.model ?? "?"}; Node ${process.version}`);
console.log("x        times one windows.exec job by the caller's clock, medians of this run");
if (!Others.hasAnsible) console.log("Ansible is left out: apt-get install ansible-core");
for (const pwsh of new Set([undefined, realPwsh()])) {
  const before = busy();
  await using machine = await startBenchMachine(pwsh);
  const rows = await measure(machine);
  console.log(`\n${machine.shell}; load ${before} before, ${busy()} after`);
  print(rows);
}
