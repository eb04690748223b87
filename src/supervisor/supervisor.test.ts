import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect } from "vitest";
import { settle, TestClock } from "../../test/support/clock.ts";
import { AppError } from "../error.ts";
import { COMPONENTS, type Component, type Finding, type RepairEnd, type Watched } from "./component.ts";
import type { PassReport } from "./report.ts";
import { Supervisor } from "./supervisor.ts";
import type { SupervisorEvent, SupervisorParts } from "./supervisor-parts.ts";

const GOOD: Finding = { isGood: true, detail: "it answers" };
const BAD: Finding = { isGood: false, detail: "nobody answers" };
const LIMITS = {
  threshold: 3,
  openForMs: 60_000,
  openMaxMs: 900_000,
  windowMs: 1_800_000,
  opensMax: 3,
  repairsMax: 5,
  goodProbes: 2,
};

type Answer = Finding | (() => Promise<Finding>);

/** A machine whose parts answer as the test says, and note in which order they were asked. */
class Machine {
  readonly asked: string[] = [];
  readonly answers: Partial<Record<Component, Answer>> = {};
  readonly notConfigured = new Set<Component>();
  repair: () => Promise<RepairEnd> = async () => ({ state: "done", detail: "started" });
  sessions = 0;
  closed = 0;

  watched(component: Component): Watched {
    const repairs =
      component === "ssh" || component === "backend"
        ? []
        : [{ name: "start_cmd" as const, run: () => this.#repair(component) }];
    return {
      component,
      notConfigured: this.notConfigured.has(component) ? `${component} is not configured` : undefined,
      repairs,
      probe: async () => {
        this.asked.push(component);
        const answer = this.answers[component] ?? GOOD;
        return typeof answer === "function" ? answer() : answer;
      },
    };
  }

  #repair(component: Component): Promise<RepairEnd> {
    this.asked.push(`repair ${component}`);
    return this.repair();
  }
}

interface Fixture {
  readonly folder: string;
  readonly clock: TestClock;
  readonly machine: Machine;
  readonly events: SupervisorEvent[];
  open(parts?: Partial<SupervisorParts>): Supervisor;
}

const test = base.extend<{ desk: Fixture }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  desk: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "windlass-supervisor-"));
    const [clock, machine] = [new TestClock(), new Machine()];
    const events: SupervisorEvent[] = [];
    const opened: Supervisor[] = [];
    await use({
      folder,
      clock,
      machine,
      events,
      open(parts = {}) {
        const supervisor = Supervisor.open({
          clock,
          random: () => 0,
          limits: LIMITS,
          settleMs: 5_000,
          stepLimitMs: 120_000,
          failpoint: undefined,
          isOnce: false,
          folder,
          hosts: ["default"],
          onEvent: (event) => events.push(event),
          openHost: (host) => {
            machine.sessions++;
            const watched = COMPONENTS.map((component) => machine.watched(component));
            return { host, watched, [Symbol.asyncDispose]: async () => void machine.closed++ };
          },
          ...parts,
        });
        opened.push(supervisor);
        return supervisor;
      },
    });
    for (const supervisor of opened) supervisor[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  },
});

const never = new AbortController().signal;
const signals = { stop: never, signal: never };

/** One pass, in which time goes on when the supervisor waits. */
async function passOf(supervisor: Supervisor, clock: TestClock): Promise<PassReport> {
  let report: PassReport | undefined;
  const passing = supervisor.pass(signals).then((done) => {
    report = done;
  });
  for (let turn = 0; turn < 50 && report === undefined; turn++) await clock.advance(1_000);
  await passing;
  if (report === undefined) throw new Error("there is no report");
  return report;
}

const checkOf = (report: PassReport, component: Component) =>
  report.hosts[0]?.checks.find((check) => check.component === component);

test("all is asked in order, each once, and the machine is left again", async ({ desk: { open, machine, clock } }) => {
  const report = await passOf(open(), clock);
  expect(machine.asked).toEqual(["ssh", "aloha_server", "aloha_client", "backend", "playwright"]);
  expect(report).toMatchObject({ state: "healthy", circuitBreaker: "closed" });
  expect([machine.sessions, machine.closed]).toEqual([1, 1]);
});

test("while SSH is down the machine's parts are unknown, and the backend is still asked", async ({ desk }) => {
  desk.machine.answers.ssh = BAD;
  const report = await passOf(desk.open(), desk.clock);
  expect(desk.machine.asked).toEqual(["ssh", "backend"]);
  expect(report.state).toBe("ssh_down");
  expect(report.hosts[0]?.checks.map(({ state }) => state)).toEqual(["failed", "unknown", "unknown", "ok", "unknown"]);
});

test("parts that nobody configured are not asked and are no failure", async ({ desk }) => {
  for (const part of ["aloha_server", "aloha_client", "playwright"] as const) desk.machine.notConfigured.add(part);
  const report = await passOf(desk.open(), desk.clock);
  expect(desk.machine.asked).toEqual(["ssh", "backend"]);
  expect(report.state).toBe("healthy");
  expect(checkOf(report, "playwright")).toMatchObject({
    state: "not_configured",
    detail: "playwright is not configured",
  });
});

test("what breaks in a check is a failure of that check alone", async ({ desk }) => {
  desk.machine.answers.aloha_server = () => Promise.reject(new AppError("TIMEOUT", "it hangs"));
  const report = await passOf(desk.open(), desk.clock);
  expect(checkOf(report, "aloha_server")).toMatchObject({ state: "failed", detail: "TIMEOUT: it hangs" });
  expect(checkOf(report, "playwright")?.state).toBe("ok");
});

test("a check that never answers ends at its limit", async ({ desk }) => {
  desk.machine.answers.backend = () => new Promise(() => undefined);
  const report = await passOf(desk.open({ stepLimitMs: 3_000 }), desk.clock);
  expect(checkOf(report, "backend")).toMatchObject({
    state: "failed",
    detail: "TIMEOUT: it did not end within 3000 ms",
  });
});

test("over passes: repaired twice, open at the third failure, one probe after a minute", async ({ desk }) => {
  const { machine, clock } = desk;
  machine.answers.playwright = BAD;
  machine.notConfigured.add("aloha_server").add("aloha_client").add("backend");
  const supervisor = desk.open();
  const seen: string[] = [];
  for (let pass = 0; pass < 6; pass++) {
    machine.asked.length = 0;
    const check = checkOf(await passOf(supervisor, clock), "playwright");
    seen.push(`${machine.asked.slice(1).join("+")} ${check?.circuitBreaker} ${check?.remedyState}`);
    await clock.advance(29_000);
  }
  expect(seen).toEqual([
    "playwright+repair playwright closed done",
    "playwright+repair playwright closed done",
    "playwright open open",
    " open none",
    "playwright+repair playwright open done",
    " open none",
  ]);
});

test("a part that comes back is recovering until it was good twice", async ({ desk }) => {
  const { machine, clock } = desk;
  machine.answers.aloha_client = BAD;
  const supervisor = desk.open();
  expect((await passOf(supervisor, clock)).state).toBe("failing");
  machine.answers.aloha_client = GOOD;
  const first = await passOf(supervisor, clock);
  expect([first.state, checkOf(first, "aloha_client")?.remedyState]).toEqual(["recovering", "none"]);
  const second = await passOf(supervisor, clock);
  expect([second.state, checkOf(second, "aloha_client")?.remedyState]).toEqual(["healthy", "remediated"]);
});

test("one pass alone repairs, waits, and looks until the repair is proved", async ({ desk }) => {
  const { machine, clock } = desk;
  machine.answers.aloha_server = BAD;
  machine.repair = async () => {
    machine.answers.aloha_server = GOOD;
    return { state: "done", detail: "started" };
  };
  const report = await passOf(desk.open({ isOnce: true }), clock);
  expect(checkOf(report, "aloha_server")).toMatchObject({ state: "ok", probes: 3, remedyState: "remediated" });
  expect(report.state).toBe("healthy");
});

test("one pass alone gives up when the breaker opens", async ({ desk }) => {
  desk.machine.answers.aloha_server = BAD;
  const report = await passOf(desk.open({ isOnce: true }), desk.clock);
  expect(checkOf(report, "aloha_server")).toMatchObject({ state: "failed", circuitBreaker: "open", probes: 3 });
  expect(desk.machine.asked.filter((word) => word === "repair aloha_server")).toHaveLength(2);
});

test("one pass alone gives what was started time for more than one look", async ({ desk }) => {
  let looks = 0;
  desk.machine.answers.playwright = async () => (++looks < 3 ? BAD : GOOD);
  const ends: RepairEnd[] = [{ state: "done", detail: "started" }];
  desk.machine.repair = async () => ends.pop() ?? { state: "skipped", detail: "it runs already" };
  const report = await passOf(desk.open({ isOnce: true }), desk.clock);
  expect(checkOf(report, "playwright")).toMatchObject({ state: "ok", probes: 4, remedyState: "remediated" });
});

test("one pass alone does not look again where no repair was made", async ({ desk }) => {
  desk.machine.answers.aloha_server = BAD;
  desk.machine.repair = async () => ({ state: "skipped", detail: "start_cmd is not set" });
  const supervisor = desk.open({ isOnce: true });
  for (let pass = 1; pass <= 2; pass++) {
    const check = checkOf(await passOf(supervisor, desk.clock), "aloha_server");
    expect(check).toMatchObject({ probes: 1, failures: pass, circuitBreaker: "closed", remedyState: "skipped" });
  }
});

test("a repair is not made where it could not help", async ({ desk }) => {
  desk.machine.answers.playwright = { ...BAD, canRepair: false };
  await passOf(desk.open(), desk.clock);
  expect(desk.machine.asked).not.toContain("repair playwright");
});

test("a repair that breaks is told, and does not end the pass", async ({ desk }) => {
  desk.machine.answers.aloha_server = BAD;
  desk.machine.repair = () => Promise.reject(new Error("no way in"));
  const report = await passOf(desk.open(), desk.clock);
  expect(checkOf(report, "aloha_server")).toMatchObject({
    remedyState: "failed",
    remedies: [{ name: "start_cmd", state: "failed", detail: "INTERNAL: no way in" }],
  });
  expect(checkOf(report, "playwright")?.state).toBe("ok");
});

test("a failpoint makes up to three probes in one pass, whether or not there is anything to ask", async ({ desk }) => {
  desk.machine.answers.ssh = BAD;
  desk.machine.notConfigured.add("aloha_server");
  const report = await passOf(desk.open({ isOnce: true, failpoint: "aloha_server" }), desk.clock);
  expect(checkOf(report, "aloha_server")).toMatchObject({ state: "failed", circuitBreaker: "open", probes: 3 });
  expect(report.circuitBreaker).toBe("open");
  // Nothing real was asked, and over an SSH that is down nothing was repaired.
  expect(desk.machine.asked).toEqual(["ssh", "backend"]);
});

test("what is known outlives the process, in a file of the account alone", async ({ desk }) => {
  desk.machine.answers.backend = BAD;
  for (let pass = 1; pass <= 3; pass++) {
    const supervisor = desk.open();
    const check = checkOf(await passOf(supervisor, desk.clock), "backend");
    expect(check).toMatchObject({ failures: pass, circuitBreaker: pass === 3 ? "open" : "closed" });
    supervisor[Symbol.dispose]();
  }
  desk.machine.asked.length = 0;
  const report = await passOf(desk.open(), desk.clock);
  expect(desk.machine.asked).not.toContain("backend");
  expect(checkOf(report, "backend")?.detail).toMatch(/^left alone until 2026-/);
  const stored = JSON.parse(readFileSync(join(desk.folder, "default.json"), "utf8")) as object;
  expect(stored).toMatchObject({ version: 1, checks: { backend: { failures: 3, opens_ms: [expect.any(Number)] } } });
});

test("a repair is remembered before it is made", async ({ desk }) => {
  desk.machine.answers.aloha_server = BAD;
  let stored = "";
  desk.machine.repair = async () => {
    stored = readFileSync(join(desk.folder, "default.json"), "utf8");
    return { state: "done", detail: "started" };
  };
  await passOf(desk.open(), desk.clock);
  expect(JSON.parse(stored)).toMatchObject({ checks: { aloha_server: { repairs_ms: [expect.any(Number)] } } });
});

test.for(["", "{", "[]", '{"version":2,"checks":{}}', '{"version":1,"checks":{"backend":{"failures":-1}}}'])(
  "a damaged file (%s) is told, put aside, and the host starts afresh",
  async (text, { desk }) => {
    writeFileSync(join(desk.folder, "default.json"), text);
    const supervisor = desk.open();
    const told = desk.events.find(({ kind }) => kind === "problem");
    expect(told).toMatchObject({ host: "default", message: expect.stringContaining("cannot be read") as string });
    const [aside = ""] = readdirSync(desk.folder).filter((name) => name.includes("damaged"));
    expect(readFileSync(join(desk.folder, aside), "utf8")).toBe(text);
    expect((await passOf(supervisor, desk.clock)).state).toBe("healthy");
  },
);

test("a second supervisor is told who has the lock; the next one may have it", ({ desk }) => {
  const first = desk.open();
  expect(() => desk.open()).toThrow(
    expect.objectContaining({ code: "SUPERVISOR_RUNNING", details: { pid: process.pid } }) as Error,
  );
  first[Symbol.dispose]();
  expect(() => desk.open()).not.toThrow();
});

test("the loop makes a pass each interval, never two at once, and a slow one is followed at once", async ({ desk }) => {
  const { machine, clock } = desk;
  const stop = new AbortController();
  const reports: number[] = [];
  const startMs = clock.now();
  let slow: (() => void) | undefined;
  const running = desk
    .open()
    .run(
      { intervalMs: 30_000, onReport: (report) => reports.push(report.atMs - startMs) },
      { stop: stop.signal, signal: never },
    );
  await clock.advance(59_000);
  expect(reports).toEqual([0, 30_000]);
  machine.answers.ssh = () =>
    new Promise((resolve) => {
      slow = () => resolve(GOOD);
    });
  await clock.advance(71_000);
  expect(machine.sessions - machine.closed).toBe(1);
  machine.answers.ssh = GOOD;
  slow?.();
  await clock.advance(0);
  expect(reports).toEqual([0, 30_000, 60_000, 130_000]);
  stop.abort();
  await running;
  await clock.advance(100_000);
  expect(reports).toHaveLength(4);
});

test("a stop lets the step that runs end, and begins no other", async ({ desk }) => {
  const stop = new AbortController();
  let end: (() => void) | undefined;
  desk.machine.answers.ssh = () =>
    new Promise((resolve) => {
      end = () => resolve(GOOD);
    });
  const passing = desk.open().pass({ stop: stop.signal, signal: never });
  await settle();
  stop.abort();
  end?.();
  expect(await passing).toBeUndefined();
  expect(desk.machine.asked).toEqual(["ssh"]);
});

test("a pass that cannot even begin is told, and the next one is made", async ({ desk }) => {
  const stop = new AbortController();
  let isBroken = true;
  const reports: PassReport[] = [];
  const openHost: SupervisorParts["openHost"] = (host) => {
    if (isBroken) throw new Error("no folder for sockets");
    return { host, watched: [desk.machine.watched("ssh")], [Symbol.asyncDispose]: async () => undefined };
  };
  const running = desk
    .open({ openHost })
    .run({ intervalMs: 1_000, onReport: (report) => reports.push(report) }, { stop: stop.signal, signal: never });
  await settle();
  expect(desk.events).toContainEqual({ kind: "problem", host: "", message: "INTERNAL: no folder for sockets" });
  isBroken = false;
  await desk.clock.advance(1_000);
  expect(reports).toHaveLength(1);
  stop.abort();
  await running;
});
