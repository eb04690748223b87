import { once } from "node:events";
import { afterAll, describe, expect } from "vitest";
import { judgeApproval } from "../../src/approval/verify.ts";
import type { ServeOptions } from "../../src/backend/serving.ts";
import { AppError } from "../../src/error.ts";
import type { JobType } from "../../src/job/definition.ts";
import { Approvers, pendingOf, questions } from "../support/approvers.ts";
import { TestClock } from "../support/clock.ts";
import { durable, emitted, gate, waits } from "../support/durable.ts";
import { needs } from "../support/system.ts";
import { type Bench, EMBEDDED, TESTER, testOn } from "../support/test.ts";
import { workType } from "../support/work-type.ts";

// What people do between a worker's look at their decisions and what it does by them.

needs("ssh");
const test = testOn(EMBEDDED);
const people = new Approvers("anna", "bert");
afterAll(() => people[Symbol.dispose]());

const demand = { terms: { approvers: [], quorum: 1, level: "advisory" as const }, expiresInMs: 3_600_000 };
const DURABLE = durable(async (ctx) => {
  const all = await ctx.all({
    leave: () => ctx.approve({ title: "Go on" }),
    other: () => ctx.waitFor("other"),
  });
  return all.leave.decision;
});

/** A worker whose looks end when the test lets them; each is told to `onLook`. */
async function serve(
  bench: Bench,
  type: JobType,
  onLook: (look: number) => Promise<unknown> | undefined,
  needsLeave = type.kind === "plain",
) {
  let looks = 0;
  const { inForce } = bench.windlass.gate;
  const options: ServeOptions = {
    types: [{ type, handlers: { run: type.run as never } }],
    concurrency: 2,
    labels: {},
    onStuck: "report",
    claims: true,
    prepareChild: () => expect.fail("no children here"),
    submitChild: () => expect.fail("no children here"),
    checkPolicy: () => (needsLeave ? demand : undefined),
    demandOf: ({ wanted }) => wanted,
    async judge(approval, terms) {
      const judgement = await judgeApproval(approval, terms, inForce, bench.windlass.clock.now());
      await onLook(++looks);
      return judgement;
    },
    fireSchedules: async () => undefined,
    secret: () => undefined,
  };
  return bench.backend.serve(options);
}

const open1 = (bench: Bench) => workType(bench.folder, { name: "app.work" }) as JobType;

/** A job that was claimed once and waits for leave. */
async function held(bench: Bench): Promise<{ readonly id: string; readonly approvalId: string }> {
  const id = await bench.submit("app.work", { name: "a" });
  await bench.reaches(id, ({ state }) => state === "waiting");
  return { id, approvalId: (await pendingOf(bench, id)).approvalId };
}

describe("a job that needs leave", () => {
  const config = () => people.policy(["name: all, allow: true"]);
  const types = [{ name: "app.work" }];

  test("that is taken back while its worker is about to go on by it does not run", async ({ open }) => {
    const bench = await open({ types, config: config() });
    const look = gate();
    await serve(bench, open1(bench), (n) => (n === 1 ? look.pass() : undefined));
    const { id, approvalId } = await held(bench);
    await people.decide(bench, approvalId, "anna");
    await look.reached;
    await people.decide(bench, approvalId, "anna", { decision: "revoked" });
    look.open();
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "APPROVAL_REVOKED" } });
    expect(bench.effects.order("start")).toEqual([]);
  });

  test("that is cancelled meanwhile is cancelled, and does not run", async ({ open }) => {
    const bench = await open({ types, config: config() });
    const look = gate();
    await serve(bench, open1(bench), (n) => (n === 1 ? look.pass() : undefined));
    const { id, approvalId } = await held(bench);
    await people.decide(bench, approvalId, "anna");
    await look.reached;
    expect(await bench.cancel(id)).toEqual({ kind: "requested" });
    look.open();
    expect((await bench.settled(id)).state).toBe("cancelled");
    expect(bench.effects.order("start")).toEqual([]);
  });

  test("whose worker stops meanwhile is given back, and runs elsewhere", async ({ open }) => {
    const bench = await open({ types, config: config() });
    const look = gate();
    const first = await serve(bench, open1(bench), (n) => (n === 1 ? look.pass() : undefined));
    const { id, approvalId } = await held(bench);
    await people.decide(bench, approvalId, "anna");
    await look.reached;
    const stopped = first.stop({ graceMs: 0 });
    await stopped;
    look.open();
    await serve(bench, open1(bench), () => undefined);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", crashes: 0, failures: 0 });
    expect(bench.effects.count("a", "start")).toBe(1);
  });

  test.for([
    ["deadline", "failed", "DEADLINE_EXCEEDED"],
    ["expiresIn", "expired", "EXPIRED"],
  ] as const)(
    "whose %s passes while it is looked at, and that waits on, ends by it",
    async ([option, state, code], { open }) => {
      const clock = new TestClock();
      // The worker does not know anna.
      const bench = await open({ types, config: people.policy(["name: all, allow: true"], ["bert"]), clock });
      const look = gate();
      await serve(bench, open1(bench), (n) => (n === 1 ? look.pass() : undefined));
      const id = await bench.submit("app.work", { name: "a" }, { [option]: "1m" });
      await bench.reaches(id, (status) => status.state === "waiting");
      await people.decide(bench, (await pendingOf(bench, id)).approvalId, "anna");
      await look.reached;
      await clock.advance(61_000);
      look.open();
      await bench.reaches(id, (status) => status.state !== "running");
      await clock.advance(1_000);
      expect(await bench.settled(id)).toMatchObject({ state, error: { code } });
      expect(bench.effects.order("start")).toEqual([]);
    },
  );

  test("has its timeout for its own work, however long its worker looks", async ({ open }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: config(), clock });
    const look = gate();
    await serve(bench, open1(bench), (n) => (n === 1 ? look.pass() : undefined));
    const id = await bench.submit("app.work", { name: "a" }, { timeout: "1s" });
    await bench.reaches(id, ({ state }) => state === "waiting");
    await people.decide(bench, (await pendingOf(bench, id)).approvalId, "anna");
    await look.reached;
    await clock.advance(10_000);
    look.open();
    expect(await bench.settled(id)).toMatchObject({ state: "completed", failures: 0 });
  });

  test("and cannot be verified is looked at less and less often, within a minute, and pays its rate limit once", async ({
    open,
  }) => {
    const clock = new TestClock();
    const limited = { name: "app.work", rateLimit: { key: "name", units: 2, per: "1h" } } as const;
    const bench = await open({ types: [limited], config: { ...config(), "worker.tick": "10s" }, clock });
    let isMissing = true;
    await serve(bench, workType(bench.folder, limited) as JobType, async () => {
      if (isMissing) throw new AppError("PREREQUISITE_MISSING", "ssh-keygen is gone");
    });
    const id = await bench.submit("app.work", { name: "a" });
    await clock.advance(1_000);
    await people.decide(bench, (await pendingOf(bench, id)).approvalId, "anna");
    const pauses: number[] = [];
    for (let looks = 1; looks <= 8; looks++) {
      const { dueAtMs } = await bench.reaches(
        id,
        (status) => status.state === "queued" && status.dueAtMs > clock.now(),
      );
      pauses.push(Math.round((dueAtMs - clock.now()) / 1_000));
      await clock.advance(dueAtMs - clock.now());
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    const rows = (await bench.backend.history(id)).filter(({ event }) => event === "approval.unverified");
    expect(rows.map(({ data }) => data["looks"])).toEqual([expect.any(Number)]);
    isMissing = false;
    await clock.advance(60_000);
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 1, failures: 0 });
  });

  test("and cannot be verified when it is cancelled by a request that its worker has not seen, ends by that at once", async ({
    open,
  }) => {
    const clock = new TestClock();
    const bench = await open({ types, config: { ...config(), "worker.tick": "10s" }, clock });
    await serve(bench, open1(bench), async () => {
      await bench.windlass.embedded?.enqueueWith((db) =>
        db.run(
          "INSERT INTO cancel_request (job, run, at, actor) SELECT id, 1, 0, actor FROM job WHERE true ON CONFLICT DO NOTHING",
        ),
      );
      throw new AppError("PREREQUISITE_MISSING", "ssh-keygen is gone");
    });
    const id = await bench.submit("app.work", { name: "a" });
    await bench.reaches(id, ({ state }) => state === "waiting");
    await people.decide(bench, (await pendingOf(bench, id)).approvalId, "anna");
    await bench.reaches(id, ({ state }) => state === "queued");
    await clock.advance(10);
    expect((await bench.settled(id)).state).toBe("cancelled");
    expect(bench.effects.order("start")).toEqual([]);
  });

  test("is looked at again when verifying took too long, and fails by nothing that passes", async ({ open }) => {
    const bench = await open({ types, config: config() });
    await serve(bench, open1(bench), async (n) => {
      if (n === 1) throw new AppError("TIMEOUT", "ssh-keygen took too long");
    });
    const { id, approvalId } = await held(bench);
    await people.decide(bench, approvalId, "anna");
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 1, failures: 0 });
  });
});

describe("a call that waits for people", () => {
  const config = () => people.policy(["name: all, allow: true"]);

  test("does not sleep through a decision that comes while it is looked at for another one", async ({ open }) => {
    const two = durable(async (ctx) => {
      const { a, b } = await ctx.all({
        a: () => ctx.approve({ title: "a" }),
        b: () => ctx.approve({ title: "b" }),
      });
      return [a.decision, b.decision];
    });
    const bench = await open({ own: [two], config: config() });
    const look = gate();
    await serve(bench, two, (n) => (n === 2 ? look.pass() : undefined));
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    const { approvals } = await bench.backend.approvals.list({ jobId: id, limit: 9 });
    const [a, b] = approvals.toSorted((x, y) => x.subject.position - y.subject.position);
    await people.decide(bench, a?.approvalId ?? "", "anna");
    // Both are looked at; nothing was decided about the second one by then.
    await look.reached;
    await people.decide(bench, b?.approvalId ?? "", "bert", { decision: "rejected" });
    look.open();
    expect((await bench.settled(id)).result).toEqual(["approved", "rejected"]);
  });

  test("is judged by what was decided when it acts, not when it looked", async ({ open }) => {
    const bench = await open({ own: [DURABLE], config: config() });
    const look = gate();
    await serve(bench, DURABLE, (n) => (n === 1 ? look.pass() : undefined));
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    const { approvalId } = await pendingOf(bench, id);
    await people.decide(bench, approvalId, "anna");
    await look.reached;
    await people.decide(bench, approvalId, "bert", { decision: "revoked" });
    look.open();
    await waits(bench, id, 2);
    await emitted(bench, "other");
    expect((await bench.settled(id)).result).toBe("revoked");
  });

  test("that cannot be verified lets the step beside it end, which is not made again", async ({ open }) => {
    const [begun, missing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const held = gate();
    let steps = 0;
    const beside = durable(async (ctx) => {
      const { leave } = await ctx.all({
        leave: () => ctx.approve({ title: "Go on" }),
        step: () =>
          ctx.step("beside", async ({ signal }) => {
            if (++steps > 1) return held.pass();
            begun.resolve();
            await once(signal, "abort");
            throw new Error("its worker stops");
          }),
      });
      return leave.decision;
    });
    const bench = await open({ own: [beside], config: config() });
    const first = await serve(bench, beside, () => undefined);
    const id = await bench.submit("app.durable", {});
    await begun.promise;
    const [asked] = await questions(bench, id, 1);
    await people.decide(bench, asked?.approvalId ?? "", "anna");
    await first.stop({ graceMs: 0 });
    // It looks at once, while the step is made anew.
    await serve(bench, beside, async (n) => {
      if (n > 2) return;
      missing.resolve();
      throw new AppError("PREREQUISITE_MISSING", "ssh-keygen is gone");
    });
    await Promise.all([missing.promise, held.reached]);
    // Behind whatever that led to.
    for (const event of ["one", "another"]) await emitted(bench, event);
    expect((await bench.status(id)).state).toBe("running");
    held.open();
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: "approved", failures: 0, crashes: 0 });
    expect(steps).toBe(2);
    const events = (await bench.events(id)).filter((event) => event.startsWith("approval."));
    expect(events).toEqual(["approval.asked", "approval.decided", "approval.unverified", "approval.used"]);
  });

  test("that is cancelled while it is looked at ends so", async ({ open }) => {
    const bench = await open({ own: [DURABLE], config: config() });
    const look = gate();
    await serve(bench, DURABLE, (n) => (n === 1 ? look.pass() : undefined));
    const id = await bench.submit("app.durable", {});
    await waits(bench, id);
    await people.decide(bench, (await pendingOf(bench, id)).approvalId, "anna");
    await look.reached;
    expect(await bench.backend.cancel(id, TESTER)).toEqual({ kind: "requested" });
    look.open();
    expect((await bench.settled(id)).state).toBe("cancelled");
  });
});
