import type { Readable } from "node:stream";

/** Who takes the bytes of a stream for now. The next bytes wait for it. */
export type Sink = (chunk: Buffer) => void | Promise<void>;

/**
 * Reads one output stream of a runner for as long as it lives and hands its bytes to whoever is there. Bytes that come
 * while nobody is there are a process's that outlived its command: they set {@link isStrayed}.
 */
export class OutputPump {
  /** Settles when the stream is at its end and all of it was taken. Never rejects. */
  readonly ended: Promise<void>;
  sink: Sink | undefined;
  #isStrayed = false;
  #isTaking = false;

  constructor(stream: Readable) {
    this.ended = this.#read(stream);
  }

  get isStrayed(): boolean {
    return this.#isStrayed;
  }

  /** The sink has not returned yet: this side is what keeps the stream waiting. */
  get isTaking(): boolean {
    return this.#isTaking;
  }

  async #read(stream: Readable): Promise<void> {
    try {
      for await (const chunk of stream) await this.#take(chunk as Buffer);
    } catch {
      // A broken stream is one that has ended: what was missing says so.
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    if (this.sink === undefined) {
      this.#isStrayed = true;
      return;
    }
    this.#isTaking = true;
    try {
      await this.sink(chunk);
    } finally {
      this.#isTaking = false;
    }
  }
}
