import type { Interface } from "node:readline";

/** What can end a command from outside. */
export type Interruption = "cancelled" | "timeout" | "lost";

/** The lines that come over standard input, and what they mean to the command that runs. */
export class Wire {
  readonly #lines: (string | undefined)[] = [];
  #wake: (() => void) | undefined;

  constructor(input: Interface) {
    input.on("line", (line) => this.#add(line));
    input.on("close", () => this.#add(undefined));
  }

  /** The next line; `undefined` at the end of the input, from then on. */
  async next(): Promise<string | undefined> {
    while (this.#lines.length === 0) await this.#more();
    const line = this.#lines[0];
    if (line !== undefined) this.#lines.shift();
    return line;
  }

  /** Resolves with what ends the command before its own end does. */
  interruption({ nonce, timeout_ms: timeoutMs }: { nonce: string; timeout_ms: number }, over: AbortSignal) {
    return new Promise<Interruption>((resolve) => {
      const timer = setTimeout(() => resolve("timeout"), timeoutMs);
      over.addEventListener("abort", () => clearTimeout(timer), { once: true });
      void this.#listen(nonce, over).then((what) => {
        if (what !== undefined) resolve(what);
      });
    });
  }

  async #listen(nonce: string, over: AbortSignal): Promise<Interruption | undefined> {
    while (!over.aborted) {
      if (this.#lines.length === 0) {
        await this.#more(over);
        continue;
      }
      if (this.#lines[0] === undefined) return "lost";
      const line = this.#lines.shift();
      if (line === `cancel ${nonce}`) return "cancelled";
    }
    return undefined;
  }

  #more(over?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      over?.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #add(line: string | undefined): void {
    this.#lines.push(line);
    this.#wake?.();
  }
}
