import { Worker } from "node:worker_threads";
import { type ErrorRecord, toErrorRecord } from "../../../error.ts";
import { type SlotMemory, Slots } from "../running/slots.ts";

/** What the heartbeat thread is started with. */
export interface HeartbeatData {
  readonly databasePath: string;
  readonly workerId: number;
  readonly leaseMs: number;
  readonly killGraceMs: number;
  readonly artifactRoot: string;
  readonly onStuck: "report" | "kill";
  readonly memory: SlotMemory;
}

/** What the thread tells the main thread, once that listens again. */
export type HeartbeatMessage =
  | { readonly kind: "stuck"; readonly job: number; readonly run: number; readonly attempt: number }
  | { readonly kind: "problem"; readonly error: ErrorRecord };

/**
 * The thread that keeps a worker's leases while a handler computes, and that ends an attempt which blocks the event loop
 * beyond its timeout.
 */
export class Heartbeat {
  readonly slots: Slots;
  readonly #thread: Worker;
  readonly #ended: Promise<void>;

  constructor(data: HeartbeatData, onMessage: (message: HeartbeatMessage) => void) {
    this.slots = new Slots(data.memory);
    // The compiler rewrites import paths and leaves this text alone, so it follows the file that it stands in.
    const file = new URL(`./heartbeat-thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
    // Without the flags of the process: a thread cannot have all of them (`--input-type`), and needs none (`--import`).
    this.#thread = new Worker(file, { workerData: data, name: "windlass-heartbeat", execArgv: [] });
    this.#thread.unref();
    this.#ended = new Promise((resolve) => this.#thread.once("exit", () => resolve()));
    this.#thread.on("message", onMessage);
    this.#thread.on("error", (thrown) => {
      const error = toErrorRecord(thrown);
      onMessage({ kind: "problem", error: { ...error, message: `the heartbeat thread ended: ${error.message}` } });
    });
  }

  /** Lets the thread close its connection, then ends it. */
  async stop(): Promise<void> {
    // Waiting for it must keep the process alive.
    this.#thread.ref();
    this.#thread.postMessage("stop");
    await this.#ended;
  }
}
