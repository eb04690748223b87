import type { Gathered, Transaction } from "../../../database/writer.ts";
import { isAppError, toErrorRecord } from "../../../error.ts";
import { type AttemptReport, type AttemptResult, endAttempt } from "../attempts/end-attempt.ts";
import { endTogether, isPlainAttempt, type PlainAttemptEnd } from "../attempts/end-together.ts";
import { moveKept } from "../files/move-kept.ts";
import { storeValue } from "../files/store-value.ts";
import type { Notice } from "../rows/notice.ts";
import type { Running, RunningSet } from "./running.ts";
import type { Teller } from "./teller.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** A write that the disk refused is tried again this often; the lease is kept meanwhile. */
const WRITE_RETRY_MS = 1_000;
/** A worker that stops gives up writing after this many tries; its leases stay for whoever comes next. */
const LATE_WRITES_MAX = 5;

/** What recording ends needs beside the worker's parts. */
export interface EndRecorderParts extends WorkerParts {
  readonly tell: Teller;
}

type RecordableEnd = AttemptReport["end"];

/** An end that may be recorded together with others. */
interface PlainlyEnded {
  readonly running: Running;
  readonly end: PlainAttemptEnd;
}

/** Records how attempts ended, as long as it takes. */
export class EndRecorder {
  readonly #parts: EndRecorderParts;
  readonly #running: RunningSet;
  readonly #onOver: (running: Running, final: boolean) => void;
  readonly #plain: Gathered<PlainlyEnded, AttemptResult, Notice> = {
    one: (tx, { running, end }) => this.#endOne(tx, running, end, {}),
    all: (tx, ended) => this.#endAll(tx, ended),
  };
  #stopping = false;
  #lateWrites = 0;

  /** @param onOver the end is recorded, or not ours to record. */
  constructor(parts: EndRecorderParts, running: RunningSet, onOver: (running: Running, final: boolean) => void) {
    this.#parts = parts;
    this.#running = running;
    this.#onOver = onOver;
  }

  /** The worker stops: it goes on trying a while only. */
  stop(): void {
    this.#stopping = true;
  }

  /** Records an end under its lease; while the disk refuses, it is kept in memory and its lease is kept. */
  record(running: Running, end: RecordableEnd): void {
    this.#record(running, end, false);
  }

  #record(running: Running, end: RecordableEnd, again: boolean): void {
    const { writer, artifactRoot, limits } = this.#parts;
    const inputAt = end.kind === "continued" ? storeValue(artifactRoot, end.inputJson, limits) : undefined;
    const more = { again, ...(inputAt === undefined ? {} : { inputAt }) };
    const recorded =
      !again && isPlainAttempt(running.claim, end)
        ? writer.gather(this.#plain, { running, end }, { bytes: end.resultJson.length })
        : writer.mutate((tx) => this.#endOne(tx, running, end, more));
    recorded.then(
      (result) => this.#onRecorded(running, end, result),
      (error: unknown) => this.#onRefused(running, end, error),
    );
  }

  #endOne(
    tx: Transaction<Notice>,
    running: Running,
    end: RecordableEnd,
    more: Pick<AttemptReport, "again" | "inputAt">,
  ): AttemptResult {
    const { id: worker, artifactRoot } = this.#parts;
    const { claim } = running;
    const others = this.#running.others(tx, running);
    const result = endAttempt(tx, { claim, end, worker, artifactRoot, others, random: Math.random(), ...more });
    this.#running.leaves(tx, running);
    return result;
  }

  #endAll(tx: Transaction<Notice>, ended: readonly PlainlyEnded[]): readonly AttemptResult[] {
    const attempts = ended.map(({ running }) => running);
    endTogether(tx, {
      worker: this.#parts.id,
      ends: ended.map(({ running: { claim }, end }) => ({ claim, end })),
      emptied: this.#running.emptiedBy(tx, attempts),
    });
    for (const running of attempts) this.#running.leaves(tx, running);
    return ended.map(() => ({ kind: "final" }));
  }

  #onRecorded(running: Running, end: RecordableEnd, result: AttemptResult): void {
    const ended = result.kind === "final";
    const final = ended && end.kind !== "continued";
    const { tell } = this.#parts;
    const isGivenBack = end.kind === "left" || end.kind === "put-off";
    tell.move(running, isGivenBack ? "released" : end.kind, final, "error" in end ? end.error : undefined);
    if (ended && "kept" in end && end.kept !== undefined) {
      moveKept(this.#parts, running.claim.entry.job).catch((error: unknown) => tell.problem(toErrorRecord(error)));
    }
    this.#onOver(running, final);
  }

  #onRefused(running: Running, end: RecordableEnd, error: unknown): void {
    const { tell, clock } = this.#parts;
    if (isAppError(error) && error.code === "LEASE_LOST") {
      tell.move(running, "released", true, toErrorRecord(error));
      this.#onOver(running, false);
      return;
    }
    // The disk is full or the file locked: the end is kept in memory, the lease is kept, and it is written later.
    tell.problem(toErrorRecord(error));
    if (this.#stopping && ++this.#lateWrites > LATE_WRITES_MAX) this.#onOver(running, false);
    else clock.after(WRITE_RETRY_MS, () => this.#record(running, end, true));
  }
}
