import { type CallOutcome, describeCall, type RecordedCall } from "../../job/durable/record.ts";
import type { PlacedCall } from "./services.ts";

interface OpenCall {
  readonly call: PlacedCall;
  readonly answer: (outcome: CallOutcome) => void;
  waits: boolean;
}

/** The calls of running code that are not answered yet: one, or those of a group. */
export class OpenCalls {
  readonly #calls = new Map<number, OpenCall>();
  /** Calls that are still being made: counted, because a group of a thousand asks after each of them. */
  #making = 0;

  get size(): number {
    return this.#calls.size;
  }

  /** True when nothing is being made any more: every open call waits for something outside. */
  get allWait(): boolean {
    return this.#making === 0;
  }

  /** The first position; infinite when none is open. */
  get first(): number {
    return Math.min(...this.#calls.keys());
  }

  /** Opens a call; the promise settles when it is answered. */
  open(call: PlacedCall, waits: boolean): Promise<CallOutcome> {
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    this.#calls.set(call.position, { call, answer: resolve, waits });
    if (!waits) this.#making++;
    return promise;
  }

  callAt(position: number): PlacedCall | undefined {
    return this.#calls.get(position)?.call;
  }

  /** From now on it waits for something outside. */
  waits(position: number): void {
    const open = this.#calls.get(position);
    if (open === undefined || open.waits) return;
    open.waits = true;
    this.#making--;
  }

  /** Closes a call that is never answered. */
  drop(position: number): void {
    this.#close(position);
  }

  answer(position: number, outcome: CallOutcome): void {
    this.#close(position)?.answer(outcome);
  }

  /** Answers those that the record has an outcome for. All are closed before the first is answered: code that goes on may make a call at once. */
  answerFrom(records: readonly RecordedCall[]): void {
    const answers = records.map(({ position, outcome }) => {
      const settled = this.#calls.has(position) ? outcome() : undefined;
      if (settled === undefined) return undefined;
      const open = this.#close(position);
      return () => open?.answer(settled);
    });
    for (const answer of answers) answer?.();
  }

  /** True when the record has an outcome for each. */
  areAnsweredBy(records: readonly RecordedCall[]): boolean {
    const settled = new Set(records.filter(({ outcome }) => outcome() !== undefined).map(({ position }) => position));
    return [...this.#calls.keys()].every((position) => settled.has(position));
  }

  #close(position: number): OpenCall | undefined {
    const open = this.#calls.get(position);
    if (open === undefined) return undefined;
    this.#calls.delete(position);
    if (!open.waits) this.#making--;
    return open;
  }

  /** The first one in words. */
  describe(): string {
    const [first] = this.#calls.values();
    return first === undefined ? "all" : `${describeCall(first.call)} (position ${first.call.position})`;
  }
}
