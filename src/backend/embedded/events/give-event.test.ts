import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Connection } from "../../../database/connection.ts";
import { openDatabase } from "../../../database/open.ts";
import type { Transaction } from "../../../database/writer.ts";
import { settleDue } from "../due/settle-due.ts";
import type { Notice } from "../rows/notice.ts";
import { emit } from "./emit.ts";
import { giveNext, isGiven } from "./give-event.ts";

const NOW = 1_000;
let folder = "";
let db: Connection;
let tx: Transaction<Notice>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "give-"));
  db = openDatabase(join(folder, "w.db"), { mode: "write", nowMs: NOW });
  tx = { db, nowMs: NOW, notify: () => undefined };
  // One for the whole test: commits are not what is looked at.
  db.exec(`BEGIN; INSERT INTO event_shape VALUES ('go', '[]'), ('go', '["n"]')`);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

interface Wait {
  readonly job: number;
  readonly position?: number;
  readonly match?: number;
  readonly after?: number;
  readonly due?: number;
}

function wait({ job, position = 1, match, after = 0, due }: Wait): void {
  const [shape, key] = match === undefined ? ["[]", "[]"] : ['["n"]', `[${match}]`];
  db.run(
    "INSERT INTO record (job, run, position, kind, name, digest, at) VALUES (?, 1, ?, 'waitFor', 'go', '', 0)",
    job,
    position,
  );
  db.run(
    "INSERT INTO wait (job, run, position, due, event, shape, key, after) VALUES (?, 1, ?, ?, 'go', ?, ?, ?)",
    ...[job, position, due ?? null, shape ?? "", key ?? "", after],
  );
}

const send = (n: number, name = "go") =>
  emit(tx, { name, actor: 1, payload: { n }, stored: JSON.stringify({ ok: n }) });
const answers = (): readonly string[] =>
  db
    .all<{ job: number; position: number; outcome: string }>(
      "SELECT job, position, outcome FROM record WHERE outcome IS NOT NULL ORDER BY job, position",
    )
    .map(({ job, position, outcome }) => `${job}.${position} ${outcome}`);

/** More than one commit gives an event to. */
function crowd(from: number, count = 1_500): void {
  for (let job = from; job < from + count; job++) wait({ job });
}

test("a few who wait have an event at once, each job once, whatever they look at", () => {
  wait({ job: 1, position: 2 });
  wait({ job: 1, position: 1, match: 7 });
  wait({ job: 2, match: 8 });
  wait({ job: 3 });
  expect(send(7)).toEqual({ event: 1, existing: false, given: true });
  expect(answers()).toEqual(['1.1 {"ok":7}', '3.1 {"ok":7}']);
  expect(giveNext(tx)).toBe(false);
});

test("many have it a thousand at a time, in the order of their jobs, and it says how far it came", () => {
  crowd(1);
  const { event, given } = send(1);
  expect(given).toBe(false);
  expect([answers().length, answers().at(-1)]).toEqual([1_000, '1000.1 {"ok":1}']);
  expect(db.get("SELECT given, upto FROM event WHERE id = ?", event)).toEqual({ given: 1_000, upto: 1_000 });
  expect(giveNext(tx)).toBe(true);
  expect(isGiven(tx, event)).toBe(true);
  expect(answers().length).toBe(1_500);
  expect(db.get("SELECT given, upto FROM event WHERE id = ?", event)).toEqual({ given: 1_500, upto: null });
});

test("whoever looks for what is due goes on giving it, as after the death of its emitter", () => {
  crowd(1, 2_500);
  send(1);
  expect([settleDue(tx, 10), settleDue(tx, 10), settleDue(tx, 10)]).toEqual([true, true, false]);
  expect(answers().length).toBe(2_500);
});

test("a wait that was made after the event is not given it, and a job that found it by itself does not have it twice", () => {
  crowd(1);
  const { event } = send(1);
  wait({ job: 2_000, after: event });
  wait({ job: 2_001 });
  db.run("INSERT INTO consumed (job, event) VALUES (2001, ?)", event);
  giveNext(tx);
  expect(isGiven(tx, event)).toBe(true);
  expect(answers().length).toBe(1_500);
  expect(send(2).given).toBe(true);
  expect(answers().slice(1_500)).toEqual(['2000.1 {"ok":2}', '2001.1 {"ok":2}']);
});

test("a later event of the name waits its turn, one of another name does not", () => {
  db.exec("INSERT INTO event_shape VALUES ('other', '[]')");
  crowd(1);
  const first = send(1);
  const second = send(2);
  expect(second.given).toBe(false);
  expect(send(3, "other").given).toBe(true);
  while (giveNext(tx));
  expect([isGiven(tx, first.event), isGiven(tx, second.event)]).toEqual([true, true]);
  expect(answers().filter((answer) => !answer.endsWith('{"ok":1}'))).toEqual([]);
});

test("a time-out does not come before an event that is being given", () => {
  crowd(1, 2_500);
  wait({ job: 3_000, due: NOW - 1 });
  send(1);
  while (settleDue(tx, 10));
  expect(answers().at(-1)).toBe('3000.1 {"ok":1}');
});
