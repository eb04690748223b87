import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "./open.ts";

const MIGRATIONS = [
  {
    version: 1,
    sql: "CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY) STRICT; CREATE TABLE item (name TEXT PRIMARY KEY, body TEXT)",
    writerMin: 1,
  },
];

/** A process that writes rows as it is told to ("name size" a line) and prints what came of each. */
const WRITER = `
import { createInterface } from "node:readline";
import { systemClock } from ${JSON.stringify(new URL("../clock.ts", import.meta.url).href)};
import { openDatabase } from ${JSON.stringify(new URL("./open.ts", import.meta.url).href)};
import { Writer } from ${JSON.stringify(new URL("./writer.ts", import.meta.url).href)};
process.on("SIGXFSZ", () => {});
const { path, migrations } = JSON.parse(process.argv[1]);
const db = openDatabase(path, { mode: "write", nowMs: 0, migrations });
const writer = new Writer(db, systemClock, { onCommit() {}, onRollback() {} });
console.log("open");
for await (const line of createInterface({ input: process.stdin })) {
  const [name, size] = line.split(" ");
  writer
    .mutate((tx) => tx.db.run("INSERT INTO item VALUES (?, ?)", name, "x".repeat(Number(size))))
    .then(() => console.log(name + " ok"), (error) => console.log(name + " " + error.code));
}
await writer.close();
db.close();
`;

interface Child {
  readonly process: ChildProcess;
  /** Asks for a row; resolves with what came of it. */
  put(name: string, size?: number): Promise<string>;
  end(): Promise<void>;
}

let folder = "";
let children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "faults-"));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

async function startWriter(path: string, shell = 'exec "$@"'): Promise<Child> {
  const args = ["--input-type=module", "-e", WRITER, JSON.stringify({ path, migrations: MIGRATIONS })];
  const child = spawn("bash", ["-c", shell, "bash", process.execPath, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const waiting = new Map<string, (answer: string) => void>();
  const opened = new Promise<void>((resolve) => waiting.set("open", () => resolve()));
  lines.on("line", (line) => {
    const [name = "", answer = ""] = line.split(" ");
    waiting.get(name)?.(answer);
  });
  await opened;
  return {
    process: child,
    put: (name, size = 10) =>
      new Promise((resolve) => {
        waiting.set(name, resolve);
        child.stdin.write(`${name} ${size}\n`);
      }),
    async end() {
      const exit = once(child, "exit");
      child.stdin.end();
      await exit;
    },
  };
}

function names(path: string): string[] {
  const db = openDatabase(path, { mode: "read", nowMs: 0, migrations: MIGRATIONS });
  try {
    expect(db.pragma("integrity_check")).toBe("ok");
    return db.all<{ name: string }>("SELECT name FROM item").map(({ name }) => name);
  } finally {
    db.close();
  }
}

test("two processes that write at once lose nothing", async () => {
  const path = join(folder, "w.db");
  const both = await Promise.all([startWriter(path), startWriter(path)]);
  const answers = await Promise.all(
    both.flatMap((child, index) => Array.from({ length: 300 }, (_, n) => child.put(`${index}-${n}`))),
  );
  expect(new Set(answers)).toEqual(new Set(["ok"]));
  await Promise.all(both.map((child) => child.end()));
  expect(names(path)).toHaveLength(600);
});

test("a full disk refuses, keeps what was acknowledged, and is forgotten when there is room", async ({ skip }) => {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    return skip("needs the right to mount a small tmpfs: run as root on Linux");
  }
  try {
    const path = join(disk, "w.db");
    const child = await startWriter(path);
    const acknowledged: string[] = [];
    const put = async (name: string, size: number): Promise<string> => {
      const answer = await child.put(name, size);
      if (answer === "ok") acknowledged.push(name);
      return answer;
    };
    await put("before", 10);
    writeFileSync(join(disk, "ballast"), Buffer.alloc(statfsSync(disk).bavail * 4096 - 16_384));
    const answers = [];
    // Sizes that fill the rest from every side: the statement or the commit is what fails.
    for (let n = 0; n < 30; n++) answers.push(await put(`full-${n}`, 500 + ((n * 1_777) % 9_000)));
    expect(new Set(answers)).toContain("DATABASE_FULL");
    for (const answer of answers) expect(["ok", "DATABASE_FULL"]).toContain(answer);
    rmSync(join(disk, "ballast"));
    expect(await put("after", 50_000)).toBe("ok");
    child.process.kill("SIGKILL");
    await once(child.process, "exit");
    expect(names(path).sort()).toEqual(acknowledged.sort());
  } finally {
    execFileSync("umount", ["-l", disk]);
  }
});

test("an I/O error in the commit is COMMIT_UNKNOWN, and the next commit works on a connection of its own", async ({
  skip,
}) => {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
  } catch {
    return skip("needs prlimit (util-linux)");
  }
  const path = join(folder, "w.db");
  // The kernel refuses to let any file of this process grow beyond 400 KiB.
  const child = await startWriter(path, 'ulimit -S -f 400; exec "$@"');
  const answers: string[] = [];
  for (let n = 0; n < 40; n++) answers.push(await child.put(`n${n}`, 30_000));
  expect(answers.filter((answer) => answer === "ok").length).toBeGreaterThan(3);
  expect(new Set(answers)).toEqual(new Set(["ok", "COMMIT_UNKNOWN"]));
  execFileSync("prlimit", ["--pid", String(child.process.pid), "--fsize=unlimited"]);
  expect(await child.put("after", 30_000)).toBe("ok");
  await child.end();
  const acknowledged = answers.flatMap((answer, n) => (answer === "ok" ? [`n${n}`] : []));
  expect(names(path)).toEqual(expect.arrayContaining([...acknowledged, "after"]));
});

test("what was acknowledged survives a kill at any moment", async () => {
  const path = join(folder, "w.db");
  const acknowledged: string[] = [];
  for (let round = 0; round < 4; round++) {
    const child = await startWriter(path);
    const exit = once(child.process, "exit");
    for (let n = 0; n < 200; n++)
      void child.put(`${round}-${n}`, 200).then((answer) => answer === "ok" && acknowledged.push(`${round}-${n}`));
    await child.put(`${round}-first`);
    acknowledged.push(`${round}-first`);
    child.process.kill("SIGKILL");
    await exit;
  }
  expect(names(path)).toEqual(expect.arrayContaining(acknowledged));
});
