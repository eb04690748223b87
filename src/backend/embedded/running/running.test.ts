import { expect, test } from "vitest";
import type { Transaction } from "../../../database/writer.ts";
import type { Notice } from "../rows/notice.ts";
import { type Running, RunningSet } from "./running.ts";

function runningSet() {
  const set = new RunningSet();
  const begin = (job: number, epoch: number): Running => {
    const entry = { job, run: 1, attempt: 1, failures: 0, crashes: 0, recover: 0 };
    const running = { claim: { epoch, entry }, lease: set.leaseOf(epoch) } as unknown as Running;
    set.add(running);
    return running;
  };
  return { set, begin };
}

const transaction = (): Transaction<Notice> => ({ nowMs: 0 }) as Transaction<Notice>;

test("a lease is empty when all that runs under it leaves, in one operation or several of one commit", () => {
  const { set, begin } = runningSet();
  const [a, b, c] = [begin(1, 7), begin(2, 7), begin(3, 7)];
  const other = begin(4, 8);
  const tx = transaction();
  expect(set.emptiedBy(tx, [a, b])).toEqual([]);
  expect(set.emptiedBy(tx, [a, b, c])).toEqual([7]);
  expect(set.emptiedBy(tx, [a, other, b, c])).toEqual([7, 8]);
  set.leaves(tx, b);
  expect(set.emptiedBy(tx, [a, c])).toEqual([7]);
  expect(set.others(tx, a).list()).toEqual([[3, 1, 1, 0, 0]]);
  // Of another commit it is not known that b leaves: the one that said so was undone.
  expect(set.emptiedBy(transaction(), [a, c])).toEqual([]);
});

test("what ended in an earlier commit keeps no lease", () => {
  const { set, begin } = runningSet();
  const [a, b] = [begin(1, 7), begin(2, 7)];
  set.remove(a);
  set.remove(a);
  expect(set.size).toBe(1);
  expect(set.emptiedBy(transaction(), [b])).toEqual([7]);
  set.remove(b);
  expect(set.leases).toEqual([]);
  expect(begin(3, 7).lease.running).toHaveLength(1);
});

test("a job that runs under two leases is found by the newer one, and each lease counts its own", () => {
  const { set, begin } = runningSet();
  const [late, beside] = [begin(1, 7), begin(2, 7)];
  const newer = begin(1, 8);
  expect(set.get(1)).toBe(newer);
  expect(set.emptiedBy(transaction(), [late, newer])).toEqual([8]);
  expect(set.emptiedBy(transaction(), [late, beside])).toEqual([7]);
  set.remove(newer);
  expect(set.get(1)).toBe(late);
});
