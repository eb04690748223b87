import type { AppError } from "../../error.ts";
import { type CallDecision, decideCall, decideEnd } from "../../job/durable/decide-call.ts";
import type { Call, RecordedCall } from "../../job/durable/record.ts";

/** Where running code stands in the record of its run: which position its next call takes, and what is known of that. */
export class Passage {
  readonly #records: ReadonlyMap<number, RecordedCall>;
  readonly #newest: RecordedCall | undefined;
  #next = 1;

  constructor(records: readonly RecordedCall[]) {
    this.#records = new Map(records.map((record) => [record.position, record]));
    this.#newest = records.at(-1);
  }

  /** The position of the next call. */
  get next(): number {
    return this.#next;
  }

  /** True while recorded calls are passed again. */
  get replays(): boolean {
    return this.#newest !== undefined && this.#next <= this.#newest.position;
  }

  /** Decides what the next call does; one that is refused, or older than the record, takes no position. */
  pass(call: Call, positionsMax: number): { readonly position: number; readonly decision: CallDecision } {
    const position = this.#next;
    const decision = decideCall({ call, position, recorded: this.#records.get(position), positionsMax });
    if (decision.kind !== "fail" && decision.kind !== "older") this.#next++;
    return { position, decision };
  }

  recordedAt(position: number): Call | undefined {
    return this.#records.get(position);
  }

  /** The error of code that ends here; `undefined` when it has made every call of the record. */
  end(): AppError | undefined {
    return decideEnd(this.#next, this.#newest);
  }
}
