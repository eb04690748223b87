import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import { until } from "../support/until.ts";
import { conformance } from "./backends.ts";

const work = { name: "app.work" };
const config = { "job.inline_bytes": "1KiB", "job.value_bytes": "16KiB" };

conformance("big values", (test) => {
  test("an input beyond job.inline_bytes stands by reference, and its handler and its reader see it whole", async ({
    open,
  }) => {
    const bench = await open({ types: [work], config });
    const ballast = "ä".repeat(2_000);
    const id = await bench.submit("app.work", { name: "a", ballast });
    expect((await bench.status(id)).input).toEqual({ name: "a", ballast });
    const folder = join(bench.folder, "artifacts", ".values");
    const [file = ""] = readdirSync(folder);
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    await bench.worker();
    expect((await bench.settled(id)).state).toBe("completed");
  });

  test("a result beyond job.inline_bytes is a kept file and reads as any other", async ({ open }) => {
    const bench = await open({ types: [work], config });
    await bench.worker();
    const value = "x".repeat(5_000);
    const id = await bench.submit("app.work", { name: "a", returns: value });
    const done = await bench.settled(id);
    expect(done.result).toEqual({ name: "a", attempt: 1, value });
    const manifest = await bench.backend.artifacts.manifest(id);
    expect(manifest?.files).toEqual([
      {
        type: "application/json",
        path: "result.json",
        bytes: expect.any(Number),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  test("beyond job.value_bytes an input is refused and a result fails its job", async ({ open }) => {
    const bench = await open({ types: [work], config });
    await bench.worker();
    await expect(bench.submit("app.work", { name: "a", ballast: "x".repeat(17_000) })).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: expect.stringContaining("job.value_bytes allows 16384"),
    });
    const big = defineBig();
    const other = await open({ own: [big], config });
    await other.worker();
    const id = await other.submit("app.big", {});
    expect(await other.settled(id)).toMatchObject({ state: "failed", attempt: 1, error: { code: "TOO_LARGE" } });
  });

  test("a value exactly at the limit stands inline", async ({ open }) => {
    const bench = await open({ types: [work], config });
    const empty = JSON.stringify({ name: "a", ballast: "" }).length;
    await bench.submit("app.work", { name: "a", ballast: "x".repeat(1_024 - empty) });
    expect(readdirSync(bench.folder)).not.toContain("artifacts");
    await bench.submit("app.work", { name: "a", ballast: "x".repeat(1_025 - empty) });
    expect(readdirSync(join(bench.folder, "artifacts", ".values")).length).toBe(1);
  });

  test("an input that is no JSON value is refused", async ({ open }) => {
    const bench = await open({ own: [defineAny()] });
    await expect(bench.submit("app.any", undefined)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    const id = await bench.submit("app.any", { text: "with \0 and \ud83d\ude00", list: [1.5, null, true] });
    expect((await bench.status(id)).input).toEqual({ text: "with \0 and \ud83d\ude00", list: [1.5, null, true] });
  });

  test("kept files are listed with size and hash, once they belong to a finished run", async ({ open }) => {
    const bench = await open({ types: [work] });
    await bench.worker();
    const id = await bench.submit("app.work", {
      name: "a",
      keeps: { "b/report.txt": "hello", "a.json": "{}" },
      hold: true,
    });
    await bench.effects.seen("a", "start");
    expect(await bench.backend.artifacts.manifest(id)).toBeUndefined();
    bench.effects.release("a");
    await bench.settled(id);
    expect((await bench.backend.artifacts.manifest(id))?.files).toEqual([
      { type: "application/json", path: "a.json", bytes: 2, sha256: expect.stringMatching(/^44136f/) },
      { type: "text/plain", path: "b/report.txt", bytes: 5, sha256: expect.stringMatching(/^2cf24d/) },
    ]);
    const list = join(bench.folder, "artifacts", id, "manifest.json");
    await until(() => existsSync(list) || undefined, { what: list });
    expect(JSON.parse(readFileSync(list, "utf8"))).toMatchObject({
      job_id: id,
      artifacts: [{ path: "a.json", size_bytes: 2 }, { path: "b/report.txt" }],
    });
  });

  test("files of failed and cancelled jobs are kept too, and those of an attempt that is tried again are not", async ({
    open,
  }) => {
    const types = [{ name: "app.work", retries: 1, backoff: { first: "10ms", jitter: 0 } }];
    const bench = await open({ types });
    await bench.worker();
    const keeps = { "evidence.txt": "seen" };
    const failed = await bench.submit("app.work", { name: "failed", keeps, fails: 9 });
    expect((await bench.settled(failed)).state).toBe("failed");
    const held = await bench.submit("app.work", { name: "held", keeps, hold: true });
    await bench.effects.seen("held", "start");
    await bench.cancel(held);
    await bench.settled(held);
    for (const id of [failed, held])
      expect((await bench.backend.artifacts.manifest(id))?.files.map(({ path }) => path)).toEqual(["evidence.txt"]);
    expect((await bench.backend.artifacts.manifest(failed))?.atMs).toBe((await bench.status(failed)).endedAtMs);
  });

  test("a file whose path leaves its folder fails the attempt", async ({ open }) => {
    const bench = await open({ types: [{ name: "app.work", retries: 0 }] });
    await bench.worker();
    const id = await bench.submit("app.work", { name: "a", keeps: { "../outside.txt": "x" } });
    expect(await bench.settled(id)).toMatchObject({ state: "failed", error: { code: "INVALID_PATH" } });
  });
});

function defineBig(): JobType {
  return defineJob({ name: "app.big", input: z.strictObject({}), run: () => "x".repeat(20_000) });
}

function defineAny(): JobType {
  return defineJob({ name: "app.any", input: z.unknown(), run: (input) => input });
}
