import { expect } from "vitest";
import { conformance } from "./backends.ts";

const work = { name: "app.work" };

conformance("states", (test) => {
  test("a job goes from queued through running to completed, and each move is in its history", async ({ open }) => {
    const bench = await open({ types: [work] });
    const id = await bench.submit("app.work", { name: "a", hold: true, returns: { n: 7 } });
    expect(await bench.status(id)).toMatchObject({ state: "queued", runNumber: 1, attempt: 0, startedAtMs: null });
    await bench.worker();
    await bench.effects.seen("a", "start");
    expect(await bench.status(id)).toMatchObject({ state: "running", attempt: 1, endedAtMs: null });
    bench.effects.release("a");
    const done = await bench.settled(id);
    expect(done).toMatchObject({ state: "completed", attempt: 1, failures: 0, crashes: 0, error: null, outcome: null });
    expect(done.result).toEqual({ name: "a", attempt: 1, value: { n: 7 } });
    expect(await bench.events(id)).toEqual(["job.queued", "job.claimed", "job.completed"]);
    expect(bench.effects.count("a", "end")).toBe(1);
  });
});
