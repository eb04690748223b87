import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { brokenInvariants } from "../support/invariants.ts";
import { EMBEDDED, testOn } from "../support/test.ts";
import { until } from "../support/until.ts";

const test = testOn(EMBEDDED);

/** Writes until it is refused; returns the refusal. */
async function fill(write: (n: number) => Promise<void>): Promise<unknown> {
  try {
    for (let n = 0; n < 500; n++) await write(n);
  } catch (error) {
    return error;
  }
  return undefined;
}

test("a full disk: claims stop, leases are kept, it is said, and work goes on by itself when there is room", async ({
  open,
  folder,
  skip,
}) => {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    return skip("needs the right to mount a small tmpfs: run as root on Linux");
  }
  // Side log and releases stand elsewhere: only the database is short of room.
  const bench = await open({
    types: [{ name: "app.work" }],
    // The heartbeat writes often, and is refused too.
    config: { "database.path": join(disk, "windlass.db"), "worker.lease": "1s" },
    unchecked: true,
  });
  try {
    const worker = await bench.worker();
    const running = await bench.submit("app.work", { name: "running", hold: true });
    await bench.effects.seen("running", "start");
    const ballast = join(disk, "ballast");
    const acked: string[] = [];
    writeFileSync(ballast, Buffer.alloc(statfsSync(disk).bavail * 4096 - 64 * 1024));
    const refused = await fill(async (n) => {
      acked.push(await bench.submit("app.work", { name: `n${n}`, ballast: "x".repeat(2_000) }, { delay: "10m" }));
    });
    expect(refused).toMatchObject({ code: "DATABASE_FULL" });
    // The handler ends while nothing can be written: its end is kept in memory and its lease held.
    bench.effects.release("running");
    await bench.effects.seen("running", "end");
    await until(() => worker.events.find((event) => event.kind === "problem" && event.error.code === "DATABASE_FULL"), {
      what: "the worker says that the disk is full",
    });
    const heartbeat = await until(
      () => worker.events.find((event) => event.kind === "problem" && event.error.message.startsWith("the lease")),
      { what: "the heartbeat says it too" },
    );
    expect(heartbeat).toMatchObject({ error: { code: "DATABASE_FULL" } });
    expect((await bench.status(running)).state).toBe("running");
    rmSync(ballast);
    expect(await bench.settled(running)).toMatchObject({ state: "completed", attempt: 1, crashes: 0 });
    const next = await bench.submit("app.work", { name: "next" });
    expect((await bench.settled(next)).state).toBe("completed");
    for (const id of acked) expect((await bench.status(id)).state).toBe("scheduled");
    expect(bench.effects.count("running", "start")).toBe(1);
    await bench.close();
    expect(brokenInvariants(join(disk, "windlass.db"))).toEqual([]);
  } finally {
    await bench.close();
    execFileSync("umount", ["-l", disk]);
  }
});
