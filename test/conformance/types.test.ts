import { expect } from "vitest";
import { TestClock } from "../support/clock.ts";
import { TESTER } from "../support/test.ts";
import { conformance } from "./backends.ts";

const work = {
  name: "app.work",
  version: "3",
  retries: 2,
  concurrency: [{ key: "key", limit: 1 }],
  requires: { site: "lab1" },
};

conformance("published types", (test) => {
  test("a process that has not loaded a type submits and validates by what a worker published", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker({ labels: { site: "lab1" } });
    const other = await open({ folder: bench.folder });
    const id = await other.submit("app.work", { name: "a", hold: true, key: "k" });
    await bench.effects.seen("a", "start");
    const blocked = await other.submit("app.work", { name: "b", key: "k" });
    expect((await other.backend.explain(blocked)).reason).toBe("key");
    await expect(other.submit("app.work", { name: "c" }, { retries: 3 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await expect(other.submit("app.work", { name: 7 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("input.name"),
    });
    await expect(other.submit("app.work", { name: "d", nonsense: 1 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    bench.effects.release("a");
    expect((await other.settled(id)).state).toBe("completed");
    expect((await other.settled(blocked)).state).toBe("completed");
  });

  test("what is published says name, version, rules and the input's schema", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker({ labels: { site: "lab1" } });
    const published = (await bench.backend.types()).find(({ name }) => name === "app.work");
    expect(published).toMatchObject({ version: "3", rules: { retries: 2, requires: { site: "lab1" } } });
    expect(published?.inputSchema).toMatchObject({ type: "object", required: ["name"], additionalProperties: false });
  });

  test("a type that neither this process nor any worker knows is refused, with the nearest names", async ({ open }) => {
    const bench = await open({ types: [work] });
    await expect(bench.submit("app.wrok", { name: "a" })).rejects.toMatchObject({
      code: "UNKNOWN_JOB_TYPE",
      message: expect.stringContaining("did you mean app.work?"),
    });
    await expect(bench.submit("quite.different", { name: "a" })).rejects.toMatchObject({
      code: "UNKNOWN_JOB_TYPE",
      message: expect.stringContaining("--jobs FILE"),
    });
  });

  test("a type that was published after the first question is found by the next", async ({ open }) => {
    const bench = await open({});
    await expect(bench.submit("app.work", { name: "a" })).rejects.toMatchObject({ code: "UNKNOWN_JOB_TYPE" });
    const other = await open({ folder: bench.folder, types: [work] });
    await other.worker({ labels: { site: "lab1" } });
    expect((await bench.settled(await bench.submit("app.work", { name: "a" }))).state).toBe("completed");
  });

  test("a newer version of a published type is the one that counts, in a process that knew the older one too", async ({
    open,
  }) => {
    const clock = new TestClock();
    const older = await open({ types: [{ name: "app.work", version: "1", retries: 0 }] });
    await older.worker();
    const bench = await open({ folder: older.folder, clock });
    await bench.submit("app.work", { name: "a" });
    await expect(bench.submit("app.work", { name: "b" }, { retries: 5 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    const newer = await open({ folder: older.folder, types: [{ name: "app.work", version: "2", retries: 5 }] });
    await newer.worker();
    await clock.advance(1_000);
    const id = await bench.submit("app.work", { name: "b" }, { retries: 5 });
    expect((await bench.status(id)).type).toBe("app.work");
  });

  test("a process's own definition comes before the published one", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", retries: 0 }] });
    await bench.worker();
    const other = await open({ folder: bench.folder, types: [{ name: "app.work", retries: 5 }] });
    const id = await other.submit("app.work", { name: "a" }, { retries: 5 });
    expect((await other.settled(id)).state).toBe("completed");
  });

  test("two types of one name are refused", async ({ open }) => {
    await expect(open({ types: [{ name: "app.work" }, { name: "app.work" }] })).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringContaining("two job types are named app.work"),
    });
  });

  test("a worker that starts what it was handed runs it itself, and takes nothing of a type that it does not serve", async ({
    open,
  }) => {
    const bench = await open({ types: [{ name: "app.work" }] });
    const other = await open({ folder: bench.folder, types: [{ name: "app.other" }] });
    await other.worker({ labels: {}, claims: true, concurrency: 1 });
    const direct = await bench.worker({ claims: false, concurrency: 1 });
    const submit = (type: string, name: string) =>
      bench.windlass.submit.submit([{ type, input: { name }, options: {}, actor: TESTER }], { startOn: direct });
    const [own] = await submit("app.work", "own");
    expect(await bench.settled(own?.jobId ?? "")).toMatchObject({ state: "completed" });
    const [foreign] = await submit("app.other", "foreign");
    expect(await bench.settled(foreign?.jobId ?? "")).toMatchObject({ state: "completed" });
    // What it was not handed it leaves alone.
    const left = await bench.submit("app.work", { name: "left" });
    await submit("app.work", "handed").then(([handed]) => bench.settled(handed?.jobId ?? ""));
    expect((await bench.status(left)).state).toBe("queued");
  });

  test("a worker takes nothing that it was handed and has not the labels for, nor while it stops", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.lab", requires: { site: "lab1" } }, { name: "app.work" }] });
    const direct = await bench.worker({ claims: false });
    const submit = async (type: string, name: string) => {
      const request = { type, input: { name }, options: {}, actor: TESTER };
      const [accepted] = await bench.windlass.submit.submit([request], { startOn: direct });
      return accepted?.jobId ?? "";
    };
    const lab = await submit("app.lab", "lab");
    const held = await bench.submit("app.work", { name: "held", hold: true });
    expect((await bench.status(held)).state).toBe("queued");
    expect((await bench.status(lab)).state).toBe("queued");
    await direct.stop({ graceMs: 0 });
    const late = await submit("app.work", "late");
    expect((await bench.status(late)).state).toBe("queued");
    const worker = await bench.worker({ labels: { site: "lab1" } });
    for (const id of [lab, late]) expect((await bench.settled(id)).state).toBe("completed");
    await worker.stop({ graceMs: 0 });
  });

  test("a worker that starts what it was handed waits for its turn, its retries and its keys", async ({ open }) => {
    const types = [
      { name: "app.work", backoff: { first: "10ms", jitter: 0 }, concurrency: [{ key: "key", limit: 1 }] },
    ];
    const bench = await open({ types });
    const direct = await bench.worker({ claims: false, concurrency: 1 });
    const submit = async (input: object, options = {}) => {
      const request = { type: "app.work", input, options, actor: TESTER };
      const [accepted] = await bench.windlass.submit.submit([request], { startOn: direct });
      return accepted?.jobId ?? "";
    };
    const ids = [
      await submit({ name: "a", fails: 1, key: "k" }),
      await submit({ name: "b", key: "k" }),
      await submit({ name: "c" }, { delay: "50ms" }),
    ];
    for (const id of ids) expect((await bench.settled(id)).state).toBe("completed");
  });

  test("a trace id of the input becomes the job's where the type says so and the call gives none", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.traced", traceId: "site.host" }, { name: "app.plain" }] });
    const traceOf = async (type: string, input: object, options = {}): Promise<string> =>
      (await bench.status(await bench.submit(type, { name: "a", ...input }, options))).traceId;
    const input = { site: { host: "from-input" } };
    expect(await traceOf("app.traced", input)).toBe("from-input");
    expect(await traceOf("app.traced", input, { traceId: "from-call" })).toBe("from-call");
    expect(await traceOf("app.traced", {})).not.toBe("");
    expect(await traceOf("app.plain", input)).not.toBe("from-input");
    await expect(bench.submit("app.traced", { name: "a", site: { host: "a b" } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining('trace_id "a b"'),
    });
  });
});
