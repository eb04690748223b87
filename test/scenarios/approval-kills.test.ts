import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, expect } from "vitest";
import { Approvers, pendingOf } from "../support/approvers.ts";
import { recorded, waits } from "../support/durable.ts";
import { durableTypes } from "../support/durable-types.ts";
import { needs } from "../support/system.ts";
import { AGENT, type Bench, EMBEDDED, testOn } from "../support/test.ts";
import { until } from "../support/until.ts";

needs("ssh");
const test = testOn(EMBEDDED);
const people = new Approvers("anna");
afterAll(() => people[Symbol.dispose]());

const types = [{ name: "app.work" }];

/** A PATH whose ssh-keygen says that it was called, and ends with whoever called it: its caller stands still while it judges. */
function standsStill(folder: string, name: string): { readonly called: string; readonly PATH: string } {
  const called = join(folder, `${name}.called`);
  const program = join(folder, "ssh-keygen");
  writeFileSync(
    program,
    `#!/bin/sh\ncat >/dev/null\ntouch "${called}"\nwhile kill -0 $PPID 2>/dev/null; do sleep 0.05; done\n`,
  );
  chmodSync(program, 0o755);
  return { called, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` };
}

/** A worker is killed after it found what was decided and before it went on by that. */
async function dieBetween(bench: Bench, name: string, order: { readonly durable?: boolean } = {}): Promise<void> {
  const { called, PATH } = standsStill(bench.folder, name);
  const killed = await bench.spawn(order, { PATH });
  await until(() => (existsSync(called) ? true : undefined), { what: "it judges", folder: bench.folder });
  await killed.kill();
}

test("a worker that is killed between the decision and its use, again and again: the job runs once by it", async ({
  open,
}) => {
  const ask = 'name: ask, actors: ["agent:*"], approval: { by: [anna] }';
  const bench = await open({ types, config: people.policy(['name: people, actors: ["person:*"], allow: true', ask]) });
  const { jobId, approvalId = "" } = await bench.accept("app.work", { name: "a" }, {}, { actor: AGENT });
  await people.decide(bench, approvalId, "anna");
  for (const name of ["first", "second"]) {
    await dieBetween(bench, name);
    expect(await bench.backend.approvals.find(approvalId)).toMatchObject({ state: "approved", usedAtMs: null });
  }
  expect(bench.effects.order("start")).toEqual([]);
  await bench.spawn();
  expect(await bench.settled(jobId)).toMatchObject({ state: "completed", crashes: 2 });
  expect(bench.effects.order("start")).toEqual(["a"]);
  expect((await bench.events(jobId)).filter((event) => event === "approval.used")).toHaveLength(1);
});

test("and one that is taken back while the worker is dead is not used", async ({ open }) => {
  const ask = 'name: ask, actors: ["agent:*"], approval: { by: [anna] }';
  const bench = await open({ types, config: people.policy(['name: people, actors: ["person:*"], allow: true', ask]) });
  const { jobId, approvalId = "" } = await bench.accept("app.work", { name: "a" }, {}, { actor: AGENT });
  await people.decide(bench, approvalId, "anna");
  await dieBetween(bench, "first");
  await people.decide(bench, approvalId, "anna", { decision: "revoked" });
  await bench.spawn();
  expect(await bench.settled(jobId)).toMatchObject({ state: "failed", error: { code: "APPROVAL_REVOKED" } });
  expect(bench.effects.order("start")).toEqual([]);
});

test("a durable job whose worker is killed there goes on elsewhere: one answer, one record", async ({ open }) => {
  const config = people.policy();
  const bench = await open();
  const own = await open({ folder: bench.folder, own: durableTypes(bench.folder), config });
  const asking = await own.spawn({ durable: true });
  const id = await own.submit("app.asks", {});
  await waits(own, id);
  await asking.kill();
  await people.decide(own, (await pendingOf(own, id)).approvalId, "anna", { reason: "go" });
  for (const name of ["first", "second"]) await dieBetween(own, name, { durable: true });
  expect(await recorded(own, id)).toEqual(["1 approve Go on"]);
  await own.spawn({ durable: true });
  expect(await own.settled(id)).toMatchObject({ state: "completed", result: ["approved", "anna", "go"] });
  expect(await recorded(own, id)).toEqual(["1 approve Go on", "2 step after"]);
  expect(own.effects.count("after", "end")).toBe(1);
  expect((await own.events(id)).filter((event) => event === "approval.used")).toHaveLength(1);
});
