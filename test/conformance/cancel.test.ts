import { expect } from "vitest";
import { z } from "zod";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work", backoff: { first: "1h", jitter: 0 } };

conformance("cancel", (test) => {
  test("a queued job is cancelled at once and never starts", async ({ open }) => {
    const bench = await open({ types: [work] });
    const id = await bench.submit("app.work", { name: "a" });
    expect(await bench.cancel(id)).toEqual({ kind: "cancelled" });
    await bench.worker();
    await bench.settled(await bench.submit("app.work", { name: "b" }));
    expect(bench.effects.count("a", "start")).toBe(0);
    expect((await bench.status(id)).error?.message).toContain("person:tester");
  });

  test("a job that waits for a key is cancelled at once", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.keyed", concurrency: [{ key: "key", limit: 1 }] }] });
    const first = await bench.submit("app.keyed", { name: "a", key: "k" });
    const blocked = await bench.submit("app.keyed", { name: "b", key: "k" });
    expect(await bench.cancel(blocked)).toEqual({ kind: "cancelled" });
    await bench.worker();
    expect((await bench.settled(first)).state).toBe("completed");
    expect((await bench.status(blocked)).state).toBe("cancelled");
  });

  test("a job that waits for its retry is cancelled at once", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", fails: 1 });
    await bench.reaches(id, ({ state, failures }) => state === "scheduled" && failures === 1);
    expect(await bench.cancel(id)).toEqual({ kind: "cancelled" });
    expect(await bench.status(id)).toMatchObject({ state: "cancelled", attempt: 1, failures: 1 });
  });

  test("a running job is asked; it is cancelled when its handler has stopped", async ({ open }) => {
    const bench = await open({ types: [work], config: { "worker.tick": "10s" } });
    await bench.worker();
    const noticedMs: number[] = [];
    for (const name of ["a", "b", "c", "d"]) {
      const id = await bench.submit("app.work", { name, hold: true });
      await bench.effects.seen(name, "start");
      const askedMs = Date.now();
      expect(await bench.cancel(id)).toEqual({ kind: "requested" });
      const done = await bench.settled(id);
      expect(done).toMatchObject({ state: "cancelled", cancelRequested: false, error: { code: "CANCELLED" } });
      const [stopped] = bench.effects.of(name, "stopped");
      expect(stopped?.reason).toBe("cancelled");
      noticedMs.push((stopped?.atMs ?? 0) - askedMs);
    }
    // The quickest: this machine may have other things to do.
    expect(Math.min(...noticedMs)).toBeLessThan(bench.backend.capabilities.cancelNoticedMs);
  });

  test("a handler that does not listen may still complete: the first commit wins", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", hold: true, deaf: true });
    await bench.effects.seen("a", "start");
    expect(await bench.cancel(id)).toEqual({ kind: "requested" });
    expect(await bench.status(id)).toMatchObject({ state: "running", cancelRequested: true });
    bench.effects.release("a");
    expect(await bench.settled(id)).toMatchObject({ state: "completed", cancelRequested: false });
  });

  test("cancels that race with completions leave one end each", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker({ concurrency: 10 });
    const ids = await Promise.all(Array.from({ length: 60 }, (_, n) => bench.submit("app.work", { name: `n${n}` })));
    const answers = await Promise.all(ids.map((id) => bench.cancel(id)));
    for (const [index, id] of ids.entries()) {
      const { state } = await bench.settled(id);
      const answer = answers[index];
      if (answer?.kind === "cancelled") expect(state).toBe("cancelled");
      if (answer?.kind === "finished") expect(state).toBe(answer.state);
      expect(["completed", "cancelled"]).toContain(state);
    }
  });

  test("a second cancel changes nothing", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", hold: true, deaf: true });
    await bench.effects.seen("a", "start");
    await bench.cancel(id);
    expect(await bench.cancel(id)).toEqual({ kind: "requested" });
    expect((await bench.events(id)).filter((event) => event === "cancel.requested").length).toBe(1);
    bench.effects.release("a");
    await bench.settled(id);
  });

  test("an attempt that fails after it was asked to cancel is not tried again", async ({ open }) => {
    const bench = await open({ types: [{ ...work, retries: 3 }] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", hold: true, deaf: true, fails: 9 });
    await bench.effects.seen("a", "start");
    await bench.cancel(id);
    bench.effects.release("a");
    expect(await bench.settled(id)).toMatchObject({ state: "cancelled", attempt: 1 });
  });

  test("a cancel that the worker hears of too late to stop a failure still cancels the job", async ({ open }) => {
    const bench = await open({ types: [{ ...work, retries: 3 }] });
    // Another process: it learns of the cancel through a file, after its attempt has failed.
    const other = await bench.spawn();
    const id = await bench.submit("app.work", { name: "a", hold: true, fails: 9 });
    await bench.effects.seen("a", "start");
    await bench.freeze(other);
    await bench.cancel(id);
    bench.effects.release("a");
    other.thaw();
    expect(await bench.settled(id)).toMatchObject({ state: "cancelled", attempt: 1 });
  });

  test("a finished job and one that never was are told apart", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a" });
    await bench.settled(id);
    expect(await bench.cancel(id)).toEqual({ kind: "finished", state: "completed" });
    expect(await bench.cancel("01933b5e-7c00-7000-8000-0123456789ab")).toEqual({ kind: "not_found" });
    expect(await bench.cancel("../../etc/passwd")).toEqual({ kind: "not_found" });
  });

  test("children are cancelled with their parent, whatever they stand in", async ({ open }) => {
    const types = [work, { name: "app.child", concurrency: [{ limit: 1 }] }];
    const bench = await open({ types });
    await bench.worker({ concurrency: 10 });
    const parent = await bench.submit("app.work", {
      name: "p",
      hold: true,
      childType: "app.child",
      children: ["c1", "c2"],
    });
    await bench.effects.seen("c1", "start");
    const children = (await bench.backend.list({ limit: 10, type: "app.child" })).jobs.map(({ jobId }) => jobId);
    expect(children.length).toBe(2);
    await bench.cancel(parent);
    for (const id of [parent, ...children]) expect((await bench.settled(id)).state).toBe("cancelled");
  });

  test("a child that its parent enqueues after it was asked to cancel is cancelled too", async ({ open }) => {
    const bench = await open({ own: [lateParent()], types: [work] });
    await bench.worker();
    const parent = await bench.submit("app.parent", {});
    await bench.reaches(parent, ({ state }) => state === "running");
    await bench.cancel(parent);
    const { result } = await bench.settled(parent);
    const { child } = result as { child: string };
    expect((await bench.settled(child)).state).toBe("cancelled");
    expect(bench.effects.count("late", "start")).toBe(0);
  });

  test("a run that was started over is cancelled like the first", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", hold: true });
    for (const run of [1, 2, 3]) {
      await bench.effects.seen("a", "start", run);
      expect(await bench.cancel(id)).toEqual({ kind: "requested" });
      expect(await bench.settled(id)).toMatchObject({ state: "cancelled", runNumber: run });
      if (run < 3) expect(await bench.replay(id)).toEqual({ kind: "started", runNumber: run + 1 });
    }
  });
});

/** Enqueues its child only when its signal has fired, and completes. */
function lateParent(): JobType {
  return defineJob({
    name: "app.parent",
    input: z.strictObject({}),
    run: async (_, ctx) => {
      await new Promise<void>((resolve) => ctx.signal.addEventListener("abort", () => resolve(), { once: true }));
      const { jobId } = await ctx.enqueue("app.work", { name: "late" });
      return { child: jobId };
    },
  });
}
