import type { Windlass } from "../../windlass.ts";

const BAR_WIDTH = 40;
const REDRAW_MS = 100;
const COLOURS = {
  completed: "\u001b[32m",
  running: "\u001b[33m",
  scheduled: "\u001b[36m",
  queued: "\u001b[2m",
  failed: "\u001b[31m",
} as const;
const RESET = "\u001b[0m";

/** Shows lines, and on a terminal one more that moves: how many jobs stand where. */
export class Board implements Disposable {
  readonly #windlass: Windlass;
  readonly #out: NodeJS.WriteStream | undefined;
  readonly #colour: boolean;
  readonly #timer: NodeJS.Timeout | undefined;
  #drawn = false;

  /** @param out `undefined`: says nothing. */
  constructor(windlass: Windlass, out: NodeJS.WriteStream | undefined, colour: boolean) {
    this.#windlass = windlass;
    this.#out = out;
    this.#colour = colour;
    this.#timer = out?.isTTY ? setInterval(() => void this.#draw(), REDRAW_MS) : undefined;
  }

  say(line: string): void {
    this.#clear();
    this.#out?.write(`${line}\n`);
  }

  /** Says something and stops moving. */
  finish(line: string): void {
    clearInterval(this.#timer);
    this.say(line);
  }

  verdict(good: boolean, line: string): void {
    const mark = good ? "ok  " : "FAIL";
    this.say(`   ${this.#colour ? `${good ? COLOURS.completed : COLOURS.failed}${mark}${RESET}` : mark} ${line}`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  async #draw(): Promise<void> {
    const { counts } = await this.#windlass.backend.stats();
    const total = counts.reduce((sum, { count }) => sum + count, 0);
    if (total === 0) return;
    const states = Object.keys(COLOURS) as (keyof typeof COLOURS)[];
    const by = states.map((state) => ({
      state,
      count: counts.filter((entry) => entry.state === state).reduce((sum, { count }) => sum + count, 0),
    }));
    const bar = by
      .map(({ state, count }) => this.#paint(state, "█".repeat(Math.round((count / total) * BAR_WIDTH))))
      .join("");
    const text = by
      .filter(({ count }) => count > 0)
      .map(({ state, count }) => `${count} ${state}`)
      .join("  ");
    this.#clear();
    this.#out?.write(`   ${bar} ${text}`);
    this.#drawn = true;
  }

  #paint(state: keyof typeof COLOURS, text: string): string {
    return this.#colour ? `${COLOURS[state]}${text}${RESET}` : text;
  }

  #clear(): void {
    if (this.#drawn) this.#out?.write("\r\u001b[2K");
    this.#drawn = false;
  }
}
