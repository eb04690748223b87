import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { TestClock } from "../support/clock.ts";
import { AGENT, type Bench, TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

const types = [{ name: "app.work" }, { name: "app.other" }];
const HOUR_MS = 3_600_000;

/** Rules in a file, as a setting of a bench. */
function policy(...rules: readonly string[]): { readonly policy: string } {
  const folder = mkdtempSync(join(tmpdir(), "windlass-rules-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "policy.yaml");
  writeFileSync(path, `version: 1\nrules:\n${rules.map((rule) => `  - { ${rule} }\n`).join("")}`);
  return { policy: path };
}

const asAgent = (bench: Bench, name: string, type = "app.work"): Promise<string> =>
  bench.submit(type, { name }, {}, { actor: AGENT });

conformance("the policy", (test) => {
  test("what no rule allows is refused, with its rule, and nothing is stored", async ({ open }) => {
    const bench = await open({ types, config: policy("name: work, types: [app.work], allow: true") });
    await expect(asAgent(bench, "a", "app.other")).rejects.toMatchObject({
      code: "POLICY_DENIED",
      message: expect.stringMatching(/rule no-match \(policy=advisory\).*types: \["app\.other"\]/),
      details: { rule: "no-match", policy: "advisory" },
    });
    expect((await bench.backend.list({ limit: 9 })).jobs).toEqual([]);
    const id = await asAgent(bench, "b");
    const [queued] = await bench.backend.history(id);
    expect(queued?.data).toEqual({ rule: "work", policy: "advisory" });
  });

  test("an operation that needs an approval is refused, because only jobs can wait for one", async ({ open }) => {
    const bench = await open({ types, config: { policy: writeApproval() } });
    const asked = { operation: "jobs.cancel", access: "write", labels: {} } as const;
    await expect(bench.windlass.gate.ask(AGENT, asked)).rejects.toMatchObject({
      code: "POLICY_DENIED",
      message: expect.stringMatching(/^jobs\.cancel needs an approval by the rule ask .*: only jobs can wait for one/),
      details: { rule: "ask", policy: "advisory" },
    });
  });

  test("a worker judges again: what its own policy denies fails before it runs, and is not tried again", async ({
    open,
  }) => {
    const lax = await open({ types, config: policy("name: all, allow: true") });
    const strict = await open({
      types,
      folder: lax.folder,
      config: policy('name: people, actors: ["person:*"], allow: true', "name: no, deny: agents do not work here"),
    });
    const denied = await asAgent(lax, "agents");
    const allowed = await lax.submit("app.work", { name: "persons" });
    await strict.worker();
    expect(await lax.settled(denied)).toMatchObject({
      state: "failed",
      attempt: 1,
      error: { code: "POLICY_DENIED", message: expect.stringContaining("agents do not work here") },
    });
    expect((await lax.settled(allowed)).state).toBe("completed");
    expect(lax.effects.order("start")).toEqual(["persons"]);
  });

  test("a job is judged again as what it was asked for", async ({ open }) => {
    const bench = await open({
      types,
      config: policy("name: fired, operations: [schedules.fire], types: [app.work], allow: true"),
    });
    await expect(asAgent(bench, "a")).rejects.toMatchObject({ code: "POLICY_DENIED" });
    const fired = await bench.submit("app.work", { name: "b" }, {}, { actor: AGENT, operation: "schedules.fire" });
    await bench.worker();
    expect((await bench.settled(fired)).state).toBe("completed");
  });

  test("a window of time counts when the job is to run", async ({ open }) => {
    const clock = new TestClock(Date.UTC(2026, 10, 20, 17, 59));
    const config = policy('name: day, when: { from: "08:00", to: "18:00", zone: UTC }, allow: true');
    const bench = await open({ types, config, clock });
    const soon = await asAgent(bench, "soon");
    const late = await bench.submit("app.work", { name: "late" }, { delay: "2m" }, { actor: AGENT });
    const worker = await bench.worker();
    await clock.advance(1_000);
    expect((await bench.status(soon)).state).toBe("completed");
    await clock.advance(120_000);
    expect(await bench.status(late)).toMatchObject({ state: "failed", error: { code: "POLICY_DENIED" } });
    await expect(asAgent(bench, "after")).rejects.toMatchObject({ code: "POLICY_DENIED" });
    const stopped = worker.stop({ graceMs: 0 });
    await clock.advance(10);
    await stopped;
  });

  test("a job that a stricter party starts over runs as theirs, and stays so", async ({ open }) => {
    const config = policy('name: no, actors: ["agent:*"], types: [app.work], deny: true', "name: rest, allow: true");
    const bench = await open({ types, config });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" });
    expect((await bench.settled(id)).state).toBe("completed");
    expect(await bench.backend.replay(id, AGENT)).toMatchObject({ kind: "started" });
    expect(await bench.settled(id)).toMatchObject({
      state: "failed",
      runNumber: 2,
      actor: AGENT,
      error: { code: "POLICY_DENIED" },
    });
    expect(await bench.backend.replay(id, TESTER)).toMatchObject({ kind: "started" });
    expect(await bench.settled(id)).toMatchObject({ state: "failed", runNumber: 3, error: { code: "POLICY_DENIED" } });
    expect(bench.effects.order("start")).toEqual(["a"]);
  });

  test("a child is asked about as its strictest ancestor", async ({ open }) => {
    const config = policy(
      'name: agents, actors: ["agent:*"], types: [app.work], allow: true',
      'name: people, actors: ["person:*", "job:*"], allow: true',
    );
    const bench = await open({ types, config });
    await bench.worker();
    const parent = { name: "p", children: ["c"], childType: "app.other" };
    const ofAgent = await bench.submit("app.work", parent, {}, { actor: AGENT });
    expect(await bench.settled(ofAgent)).toMatchObject({ state: "failed", error: { code: "POLICY_DENIED" } });
    const ofPerson = await bench.submit("app.work", { ...parent, name: "q" });
    expect((await bench.settled(ofPerson)).state).toBe("completed");
  });
});

conformance("limits of the policy", (test) => {
  const config = (): { readonly policy: string } =>
    policy('name: some, actors: ["agent:*"], allow: true, limit: 3/h', "name: rest, allow: true");

  test("hold for all processes together, and for each actor alone", async ({ open }) => {
    const first = await open({ types, config: config() });
    const second = await open({ types, config: config(), folder: first.folder });
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => asAgent(n % 2 === 0 ? first : second, `n${n}`)),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    expect((await first.backend.list({ limit: 99 })).jobs).toHaveLength(3);
    for (const result of results)
      if (result.status === "rejected")
        expect(result.reason).toMatchObject({
          code: "POLICY_DENIED",
          message: expect.stringContaining("3/h is used up"),
        });
    expect(await second.backend.policyLog.usedBy("agent:codex")).toEqual({ some: 3 });
    await first.submit("app.work", { name: "other" }, {}, { actor: { ...AGENT, name: "other" } });
    for (let n = 0; n < 5; n++) await first.submit("app.work", { name: `person${n}` });
  });

  test("count what is stored: all of a list or none, and no job that a key gives back", async ({ open }) => {
    const bench = await open({ types, config: config() });
    const request = (name: string, idempotencyKey?: string) => ({
      type: "app.work",
      input: { name },
      options: idempotencyKey === undefined ? {} : { idempotencyKey },
      actor: AGENT,
    });
    const { submit, backend } = bench.windlass;
    await expect(submit.submit(["a", "b", "c", "d"].map((name) => request(name)))).rejects.toMatchObject({
      code: "POLICY_DENIED",
    });
    expect(await backend.policyLog.usedBy("agent:codex")).toEqual({});
    for (let n = 0; n < 5; n++) await submit.submit([request("a", "key")]);
    expect(await backend.policyLog.usedBy("agent:codex")).toEqual({ some: 1 });
    await submit.submit([request("b"), request("c")]);
    await expect(submit.submit([request("d")])).rejects.toMatchObject({ code: "POLICY_DENIED" });
    expect((await backend.list({ limit: 9 })).jobs).toHaveLength(3);
  });

  test("are never exceeded in any hour, and free again after one", async ({ open }) => {
    const clock = new TestClock(Date.UTC(2026, 10, 20, 12, 0, 59, 999));
    const bench = await open({ types, config: config(), clock });
    for (let n = 0; n < 3; n++) await asAgent(bench, `a${n}`);
    await clock.advance(HOUR_MS);
    await expect(asAgent(bench, "b")).rejects.toMatchObject({ code: "POLICY_DENIED" });
    await clock.advance(60_001);
    await asAgent(bench, "c");
  });

  test("hold for operations too", async ({ open }) => {
    const bench = await open({ types, config: config() });
    const { gate } = bench.windlass;
    const ask = (access: "read" | "write") => gate.ask(AGENT, { operation: "jobs.cancel", access, labels: {} });
    for (let n = 0; n < 3; n++) await ask("write");
    await expect(ask("write")).rejects.toMatchObject({ code: "POLICY_DENIED" });
    await ask("read");
  });
});

function writeApproval(): string {
  const { policy: path } = policy("name: x, allow: true");
  writeFileSync(
    path,
    `version: 1
approvers: [{ principal: ops@example.com, key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==" }]
rules: [{ name: ask, approval: { by: [ops@example.com] } }]
`,
  );
  return path;
}
