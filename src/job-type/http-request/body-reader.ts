import type { IncomingMessage } from "node:http";
import { codeOf } from "./resolve-target.ts";

/** A piece of a body, or how the body ended. */
export type BodyPart =
  | { readonly kind: "chunk"; readonly chunk: Buffer }
  | { readonly kind: "complete" }
  /** The connection ended first. */
  | { readonly kind: "cut"; readonly reason: string };

/** What may wait for a slow disk before the sender is made to wait. */
const QUEUE_BYTES_MAX = 262_144;

/**
 * Reads the body of an answer from the moment that its head is there. The stream's own iterator throws away what waits
 * in it when the connection is cut; here everything that came is given before the cut is told.
 */
export class BodyReader {
  readonly #answer: IncomingMessage;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #end: BodyPart | undefined;
  #wake: (() => void) | undefined;

  /** Must be called in the event that brings the answer: a little later a short answer may be cut and gone. */
  constructor(answer: IncomingMessage) {
    this.#answer = answer;
    answer.on("data", (chunk: Buffer) => this.#take(chunk));
    answer.once("end", () =>
      this.#finish(answer.complete ? { kind: "complete" } : { kind: "cut", reason: "ended early" }),
    );
    answer.on("error", (error) => this.#finish({ kind: "cut", reason: codeOf(error) }));
    answer.once("close", () => this.#finish({ kind: "cut", reason: "closed" }));
  }

  /** The next part; after the end, the end again. One call at a time. */
  async next(): Promise<BodyPart> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        this.#queuedBytes -= chunk.length;
        if (this.#queuedBytes <= QUEUE_BYTES_MAX) this.#answer.resume();
        return { kind: "chunk", chunk };
      }
      if (this.#end !== undefined) return this.#end;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(chunk: Buffer): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes > QUEUE_BYTES_MAX) this.#answer.pause();
    this.#wake?.();
  }

  #finish(end: BodyPart): void {
    this.#end ??= end;
    this.#wake?.();
  }
}
