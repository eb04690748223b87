import { expect } from "vitest";
import { conformance } from "./backends.ts";

const types = [
  { name: "app.rerun" },
  { name: "app.check", afterCrash: "check", checks: true },
  { name: "app.stop", afterCrash: "stop" },
] as const;

conformance("clean stop", (test) => {
  test.concurrent("a stopping worker claims nothing more and lets its attempts finish", async ({ open }) => {
    const bench = await open({ types });
    const worker = await bench.worker({ concurrency: 1 });
    const running = await bench.submit("app.rerun", { name: "running", hold: true });
    const queued = await bench.submit("app.rerun", { name: "queued" });
    await bench.effects.seen("running", "start");
    const stopped = worker.stop({ graceMs: 10_000 });
    bench.effects.release("running");
    await stopped;
    expect((await bench.status(running)).state).toBe("completed");
    expect(await bench.status(queued)).toMatchObject({ state: "queued", attempt: 0 });
    expect(bench.effects.count("running", "stopped")).toBe(0);
  });

  test.concurrent("after the grace the rest is told to stop and goes by its crash rule, without failure or crash", async ({
    open,
  }) => {
    const bench = await open({ types });
    const worker = await bench.worker();
    const [rerun, check, stop] = await Promise.all(types.map(({ name }) => bench.submit(name, { name, holds: 1 })));
    await Promise.all(types.map(({ name }) => bench.effects.seen(name, "start")));
    await worker.stop({ graceMs: 30 });
    expect(types.map(({ name }) => bench.effects.of(name, "stopped").map(({ reason }) => reason))).toEqual([
      ["stopping"],
      ["stopping"],
      ["stopping"],
    ]);
    expect(await bench.status(rerun ?? "")).toMatchObject({ state: "queued", failures: 0, crashes: 0 });
    expect(await bench.status(check ?? "")).toMatchObject({ state: "queued", failures: 0, crashes: 0 });
    expect(await bench.status(stop ?? "")).toMatchObject({ state: "failed", error: { code: "OUTCOME_UNKNOWN" } });
    await bench.worker();
    expect((await bench.settled(rerun ?? "")).state).toBe("completed");
    expect((await bench.settled(check ?? "")).state).toBe("completed");
    expect(bench.effects.of("app.check").map(({ event }) => event)).toEqual([
      "start",
      "stopped",
      "check",
      "start",
      "end",
    ]);
  });

  test.concurrent("a second stop with a shorter grace shortens the first", async ({ open }) => {
    const bench = await open({ types });
    const worker = await bench.worker();
    const id = await bench.submit("app.rerun", { name: "a", hold: true });
    await bench.effects.seen("a", "start");
    const stopped = worker.stop({ graceMs: 3_600_000 });
    await worker.stop({ graceMs: 0 });
    await stopped;
    expect((await bench.status(id)).state).toBe("queued");
  });

  test.concurrent("a handler that does not listen is given up after the kill grace", async ({ open }) => {
    const bench = await open({ types });
    const worker = await bench.worker();
    const id = await bench.submit("app.rerun", { name: "a", hold: true, deaf: true });
    await bench.effects.seen("a", "start");
    await worker.stop({ graceMs: 0 });
    expect((await bench.status(id)).state).toBe("queued");
    bench.effects.release("a");
    await bench.effects.seen("a", "end");
    expect((await bench.status(id)).state).toBe("queued");
  });

  test.concurrent("a process that is told to end gives its jobs to another", async ({ open }) => {
    const bench = await open({ types });
    const first = await bench.spawn({ graceMs: 0 });
    const id = await bench.submit("app.rerun", { name: "a", holds: 1 });
    await bench.effects.seen("a", "start");
    first.send("SIGTERM");
    expect(await first.exit()).toEqual({ code: 0, signal: null });
    await bench.worker();
    expect(await bench.settled(id)).toMatchObject({ state: "completed", attempt: 2, crashes: 0 });
  });

  test.concurrent("a cancel that comes while the worker stops is a cancel", async ({ open }) => {
    const bench = await open({ types });
    const worker = await bench.worker();
    const id = await bench.submit("app.rerun", { name: "a", hold: true });
    await bench.effects.seen("a", "start");
    const stopped = worker.stop({ graceMs: 10_000 });
    await bench.cancel(id);
    await stopped;
    expect((await bench.status(id)).state).toBe("cancelled");
  });

  test.concurrent("a closed backend has stopped its workers", async ({ open }) => {
    const bench = await open({ types });
    const worker = await bench.worker();
    await bench.backend.close();
    await worker.stopped;
    await bench.backend.close();
    await expect(bench.submit("app.rerun", { name: "a" })).rejects.toMatchObject({ code: expect.any(String) });
  });
});
