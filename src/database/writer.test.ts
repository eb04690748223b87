import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../clock.ts";
import { AppError } from "../error.ts";
import { Connection } from "./connection.ts";
import { openDatabase } from "./open.ts";
import { type Gathered, type Transaction, Writer, type WriterHooks } from "./writer.ts";

const SCHEMA = [{ version: 1, sql: "CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY) STRICT;", writerMin: 1 }];

let folder = "";
let db: Connection;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "writer-"));
  db = openDatabase(join(folder, "w.db"), { mode: "write", nowMs: 0, migrations: SCHEMA });
  db.exec("CREATE TABLE item (name TEXT PRIMARY KEY, size INTEGER)");
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const NO_HOOKS: WriterHooks<string> = { onCommit: () => undefined, onRollback: () => undefined };
const open = (hooks: Partial<WriterHooks<string>> = {}, clock: Clock = systemClock): Writer<string> =>
  new Writer<string>(db, clock, { ...NO_HOOKS, ...hooks });
const put =
  (name: string, size = 0) =>
  (tx: Transaction<string>): string => {
    tx.db.run("INSERT INTO item (name, size) VALUES (?, ?)", name, size);
    tx.notify(name);
    return name;
  };
const names = (): string[] => db.all<{ name: string }>("SELECT name FROM item ORDER BY name").map(({ name }) => name);
const codeOf = (result: PromiseSettledResult<unknown> | undefined): unknown =>
  result?.status === "rejected" ? (result.reason as AppError).code : result?.status;

test("mutations that wait at the same time share one commit", async () => {
  const writer = open();
  const many = Array.from({ length: 100 }, (_, index) => writer.mutate(put(String(index).padStart(3, "0"))));
  expect(await Promise.all(many)).toHaveLength(100);
  expect(writer.counts).toEqual({ commits: 1, mutations: 100 });
  await writer.mutate(put("later"));
  expect(writer.counts.commits).toBe(2);
});

test("nobody is answered before the commit, and notices come after it", async () => {
  const told: string[][] = [];
  const writer = open({ onCommit: (notices) => void told.push([...notices]) });
  const other = Connection.open(db.path, { readOnly: true });
  const seen = writer.mutate(put("a")).then(() => other.all("SELECT name FROM item").length);
  expect(told).toEqual([]);
  expect(await seen).toBe(1);
  expect(told).toEqual([["a"]]);
  other.close();
});

test("a mutation that fails leaves nothing behind, and its neighbours commit", async () => {
  const told: string[] = [];
  let rollbacks = 0;
  const writer = open({ onCommit: (notices) => void told.push(...notices), onRollback: () => rollbacks++ });
  const results = await Promise.allSettled([
    writer.mutate(put("a")),
    writer.mutate((tx) => {
      put("half")(tx);
      throw new AppError("QUEUE_FULL", "no room");
    }),
    writer.mutate((tx) => put("a")(tx)),
    writer.mutate(put("b")),
  ]);
  expect(results.map(codeOf)).toEqual(["fulfilled", "QUEUE_FULL", "INTERNAL", "fulfilled"]);
  expect(names()).toEqual(["a", "b"]);
  expect(told).toEqual(["a", "b"]);
  expect(rollbacks).toBe(2);
  expect(writer.counts).toEqual({ commits: 1, mutations: 4 });
});

/** Puts items; says each time which were put together. */
function gatheringPuts(refused?: string) {
  const calls: string[][] = [];
  const put1 = (tx: Transaction<string>, name: string): string => {
    if (name === refused) throw new AppError("INTERNAL", `${name} is refused`);
    return put(name)(tx);
  };
  const puts: Gathered<string, string, string> = {
    one: (tx, name) => {
      calls.push([name]);
      return put1(tx, name);
    },
    all: (tx, members) => {
      calls.push([...members]);
      return members.map((name) => put1(tx, name));
    },
  };
  return { calls, puts };
}

test("mutations of one kind that follow each other are made together, and what stands between keeps its place", async () => {
  const told: string[][] = [];
  const writer = open({ onCommit: (notices) => void told.push([...notices]) });
  const { puts, calls } = gatheringPuts();
  const other = gatheringPuts();
  const many = [
    writer.gather(puts, "a"),
    writer.gather(puts, "b"),
    writer.mutate(put("c")),
    writer.gather(puts, "d"),
    writer.gather(other.puts, "e"),
    writer.gather(puts, "f"),
    writer.gather(puts, "g"),
  ];
  expect(await Promise.all(many)).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
  expect(calls).toEqual([["a", "b"], ["d"], ["f", "g"]]);
  expect(told).toEqual([["a", "b", "c", "d", "e", "f", "g"]]);
  expect(writer.counts).toEqual({ commits: 1, mutations: 7 });
});

test("where one of those that are made together fails, each is made by itself and the others commit", async () => {
  const told: string[] = [];
  let undone = 0;
  const writer = open({ onCommit: (notices) => void told.push(...notices), onRollback: () => undone++ });
  const { puts, calls } = gatheringPuts("b");
  const ended = await Promise.allSettled(["a", "b", "c"].map((name) => writer.gather(puts, name)));
  expect(ended.map(codeOf)).toEqual(["fulfilled", "INTERNAL", "fulfilled"]);
  expect(calls).toEqual([["a", "b", "c"], ["a"], ["b"], ["c"]]);
  expect(names()).toEqual(["a", "c"]);
  expect(told).toEqual(["a", "c"]);
  expect(undone).toBe(2);
});

test("no more than some hundred are made together, nor more than a megabyte", async () => {
  const writer = open();
  const { puts, calls } = gatheringPuts();
  await Promise.all(Array.from({ length: 300 }, (_, index) => writer.gather(puts, `many-${index}`)));
  expect(calls.map(({ length }) => length)).toEqual([256, 44]);
  calls.length = 0;
  await Promise.all(["a", "b", "c"].map((name) => writer.gather(puts, name, { bytes: 2 ** 19 })));
  expect(calls).toEqual([["a", "b"], ["c"]]);
});

test("an error that ends the whole transaction acknowledges nobody, and work goes on when there is room", async () => {
  db.exec(`PRAGMA max_page_count=${Number(db.pragma("page_count")) + 2}`);
  const writer = open();
  const big = (tx: Transaction<string>): void => void tx.db.run("INSERT INTO item VALUES (?, 1)", "x".repeat(100_000));
  const results = await Promise.allSettled([
    writer.mutate(put("before")),
    writer.mutate(big),
    writer.mutate(put("after")),
  ]);
  expect(results.map(codeOf)).toEqual(["DATABASE_FULL", "DATABASE_FULL", "DATABASE_FULL"]);
  expect(names()).toEqual([]);
  db.exec("PRAGMA max_page_count=100000");
  expect(await writer.mutate(put("again"))).toBe("again");
});

test("a commit that is refused leaves nothing, and the next one is made", async () => {
  db.exec("PRAGMA foreign_keys=ON; CREATE TABLE part (item TEXT REFERENCES item (name) DEFERRABLE INITIALLY DEFERRED)");
  const writer = open();
  const results = await Promise.allSettled([
    writer.mutate(put("a")),
    writer.mutate((tx) => tx.db.run("INSERT INTO part VALUES ('nobody')")),
  ]);
  expect(results.map(codeOf)).toEqual(["INTERNAL", "INTERNAL"]);
  expect(names()).toEqual([]);
  await writer.mutate(put("b"));
  expect(names()).toEqual(["b"]);
});

test("a mutation waits for another process that writes, and for no longer than its limit", async () => {
  const other = Connection.open(db.path);
  other.exec("BEGIN IMMEDIATE");
  const writer = open();
  const waiting = writer.mutate(put("a"));
  setTimeout(() => other.exec("COMMIT"), 30);
  expect(await waiting).toBe("a");

  other.exec("BEGIN IMMEDIATE");
  let nowMono = 0;
  const hasty = open({}, { ...systemClock, monotonic: () => (nowMono += 6_000) });
  await expect(hasty.mutate(put("b"))).rejects.toMatchObject({ code: "DATABASE_BUSY" });
  other.exec("COMMIT");
  other.close();
  expect(await hasty.mutate(put("c"))).toBe("c");
  expect(names()).toEqual(["a", "c"]);
});

test("only what must be on disk waits for the disk", async () => {
  const level = (tx: Transaction<string>): unknown => tx.db.pragma("synchronous");
  const writer = open();
  expect(await writer.mutate(level)).toBe(2);
  expect(await writer.mutate(level, { durable: false })).toBe(1);
  const both = [writer.mutate(level, { durable: false }), writer.mutate(level)];
  expect(await Promise.all(both)).toEqual([2, 2]);
});

test("a slow mutation does not hold up the commit of those before it", async () => {
  const slow = (tx: Transaction<string>): void => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6);
    put(`slow ${Math.random()}`)(tx);
  };
  const writer = open();
  const many = [slow, ...Array.from({ length: 40 }, (_, index) => put(`${index}`))];
  await Promise.all(many.map((mutation) => writer.mutate(mutation)));
  expect(writer.counts).toEqual({ commits: 2, mutations: 41 });
  expect(names()).toHaveLength(41);
});

test("a commit takes no more than some megabytes, however many wait, and one that is larger alone", async () => {
  const writer = open();
  const put1MiB = (name: string) => writer.mutate(put(name), { bytes: 2 ** 20 });
  await Promise.all(Array.from({ length: 10 }, (_, index) => put1MiB(`${index}`)));
  expect(writer.counts).toEqual({ commits: 3, mutations: 10 });
  await Promise.all([writer.mutate(put("large"), { bytes: 2 ** 30 }), writer.mutate(put("small"))]);
  expect(writer.counts).toEqual({ commits: 5, mutations: 12 });
});

test("a hook that throws takes nobody's answer", async () => {
  const writer = open({
    onCommit: () => {
      throw new AppError("INTERNAL", "a hook");
    },
  });
  const first = Array.from({ length: 20 }, (_, index) => writer.mutate(put(`${index}`)));
  const second = first[0]?.then(() => writer.mutate(put("second")));
  await Promise.all([...first, second]);
  expect(names()).toHaveLength(21);
});

test("closing commits what waits and refuses what comes after, also from those that it answers", async () => {
  const writer = open();
  const waiting = writer.mutate(put("a"));
  const again = waiting.then(() => writer.mutate(put("b")));
  const closed = writer.close();
  const late = writer.mutate(put("c"));
  const results = await Promise.allSettled([waiting, again, late, closed]);
  expect(results.map(codeOf)).toEqual(["fulfilled", "DATABASE_UNWRITABLE", "DATABASE_UNWRITABLE", "fulfilled"]);
  expect(names()).toEqual(["a"]);
});
