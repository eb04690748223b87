import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { decideEnd, endOf, parseExitRecord, shellAnnounces } from "./exit-record.ts";
import { GO, PARENT_SCRIPT } from "./parent-script.ts";

const folder = mkdtempSync(join(tmpdir(), "shells-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every kind of `sh` that is on this machine, under that name: bash and busybox go by what they are called. */
const SHELLS = [
  { kind: "the system's sh", path: "/bin/sh", speaks: undefined },
  { kind: "dash", path: "/usr/bin/dash", speaks: true },
  { kind: "bash", path: "/usr/bin/bash", speaks: false },
  { kind: "busybox", path: "/usr/bin/busybox", speaks: true },
]
  .filter(({ path }) => existsSync(path))
  .map(({ kind, path, speaks }) => {
    mkdirSync(join(folder, kind));
    symlinkSync(path, join(folder, kind, "sh"));
    return { kind, shell: join(folder, kind, "sh"), speaks };
  });

/** Runs the parent's script with its record on a pipe. */
async function record(shell: string, program: readonly string[], gate: string): Promise<string> {
  const nothing = openSync("/dev/null", "r+");
  const child = spawn(shell, ["-c", PARENT_SCRIPT, "windlass", "nonce", ...program], {
    detached: true,
    stdio: [nothing, nothing, "pipe", "pipe", nothing],
  });
  closeSync(nothing);
  (child.stdio[3] as Writable).end(gate);
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, "close");
  return text;
}

const killedBy = (signal: string): readonly string[] => ["/bin/sh", "-c", `kill -s ${signal} $$`];
const exits = (code: number): readonly string[] => ["/bin/sh", "-c", `exit ${code}`];

test.each(SHELLS)("$kind records exact codes, signals and that nothing ran", async ({ shell }) => {
  const run = async (program: readonly string[], gate = GO) => parseExitRecord(await record(shell, program, gate));
  const [zero, three, highest, term, kill, unread] = await Promise.all([
    run(exits(0)),
    run(exits(3)),
    run(exits(255)),
    run(killedBy("TERM")),
    run(killedBy("KILL")),
    run(exits(0), "g"),
  ]);
  expect([zero, three, highest]).toMatchObject([{ status: 0 }, { status: 3 }, { status: 255 }]);
  expect([term, kill].map((found) => found.kind === "ended" && decideEnd(found, false))).toEqual([
    { exitCode: null, signal: "SIGTERM" },
    { exitCode: null, signal: "SIGKILL" },
  ]);
  expect(unread).toEqual({ kind: "not-run" });
});

test.each(SHELLS.filter(({ speaks }) => speaks))("$kind tells exit 143 from a TERM", async ({ shell }) => {
  const found = parseExitRecord(await record(shell, exits(143), GO));
  expect(found).toEqual({ kind: "ended", status: 143, announced: false });
  expect(decideEnd({ status: 143, announced: false }, true)).toEqual({ exitCode: 143, signal: null });
});

test.each(SHELLS.filter(({ speaks }) => speaks !== undefined))(
  "whether $kind announces signals is found out by asking it",
  async ({ shell, speaks }) => {
    expect(await shellAnnounces(shell)).toBe(speaks);
  },
);

test("a status between 129 and 192 is a signal where the shell says so or says nothing of any", () => {
  expect(decideEnd({ status: 143, announced: true }, true).signal).toBe("SIGTERM");
  expect(decideEnd({ status: 143, announced: false }, false).signal).toBe("SIGTERM");
  expect(decideEnd({ status: 130, announced: false }, true).signal).toBe("SIGINT");
  expect(decideEnd({ status: 141, announced: false }, true).signal).toBe("SIGPIPE");
  expect(decideEnd({ status: 134, announced: true }, true).signal).toBe("SIGABRT");
  expect(decideEnd({ status: 162, announced: true }, true).signal).toBe("SIG34");
  expect(decideEnd({ status: 255, announced: false }, false)).toEqual({ exitCode: 255, signal: null });
  expect(decideEnd({ status: 128, announced: false }, false)).toEqual({ exitCode: 128, signal: null });
  expect(decideEnd({ status: 271, announced: false }, true).signal).toBe("SIGTERM");
});

test("a code below 128 needs no look at the shell", async () => {
  expect(await endOf({ kind: "ended", status: 7, announced: false })).toEqual({ exitCode: 7, signal: null });
});

test("only whole lines of a record count, and what the shell said before the program ran does not", () => {
  const blanks = " ".repeat(20);
  expect(parseExitRecord(blanks)).toEqual({ kind: "open", words: "" });
  expect(parseExitRecord(`run\n${blanks}`)).toEqual({ kind: "open", words: "run" });
  expect(parseExitRecord(`run\n14`)).toMatchObject({ kind: "open" });
  expect(parseExitRecord(`run\n143\n${blanks}`)).toEqual({ kind: "ended", status: 143, announced: false });
  expect(parseExitRecord(`run\nTerminated\n143\n`)).toEqual({ kind: "ended", status: 143, announced: true });
  expect(parseExitRecord(`ld.so: no such file\nrun\n143\n`)).toMatchObject({ status: 143, announced: false });
  expect(parseExitRecord(`5\n`)).toMatchObject({ kind: "open" });
  expect(parseExitRecord(`not-run\n${blanks}`)).toEqual({ kind: "not-run" });
});
