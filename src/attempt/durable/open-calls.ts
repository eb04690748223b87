import type { AppError } from "../../error.ts";
import { type CallOutcome, describeCall, type RecordedCall } from "../../job/durable/record.ts";
import type { PlacedCall } from "./services.ts";
import type { Act, PeopleCall } from "./turn.ts";

interface OpenCall {
  readonly call: PlacedCall;
  readonly answer: (outcome: CallOutcome) => void;
  /** Of a call that people answer. */
  readonly people: PeopleCall | undefined;
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
  open(call: PlacedCall, waits: boolean, people?: PeopleCall): Promise<CallOutcome> {
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    this.#calls.set(call.position, { call, answer: resolve, people, waits });
    if (!waits) this.#making++;
    return promise;
  }

  /** The calls that people answer and that wait for them; from now on they are being looked at. */
  takePeople(): { readonly call: PlacedCall; readonly act: Act }[] {
    return [...this.#calls.values()].flatMap((open) => {
      if (open.people === undefined || !open.waits) return [];
      open.waits = false;
      this.#making++;
      return [{ call: open.call, act: open.people.act }];
    });
  }

  get asksPeople(): boolean {
    return [...this.#calls.values()].some(({ people }) => people !== undefined);
  }

  /** How an answer at this position is looked at before the code sees it. */
  confirmAt(position: number): ((outcome: CallOutcome) => Promise<AppError | undefined>) | undefined {
    const { call, people } = this.#calls.get(position) ?? {};
    return call === undefined || people === undefined ? undefined : (outcome) => people.confirm(call, outcome);
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
      const open = this.#calls.get(position);
      // What people answered is looked at by the call itself.
      const settled = open === undefined || open.people !== undefined ? undefined : outcome();
      if (settled === undefined) return undefined;
      this.#close(position);
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
