import { style, type Terminal } from "./terminal.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const REFRESH_MS = 100;

/** One line at the bottom of a terminal that is written over and over, and wiped at the end. */
export class LiveLine implements Disposable {
  readonly #terminal: Terminal;
  readonly #text: () => string;
  readonly #timer: NodeJS.Timeout;
  #frame = 0;

  constructor(terminal: Terminal, text: () => string) {
    this.#terminal = terminal;
    this.#text = text;
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS);
    this.#timer.unref();
  }

  refresh(): void {
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const text = this.#text().slice(0, this.#terminal.columns - 3);
    const frame = style(this.#terminal, "green", FRAMES[this.#frame] ?? "");
    this.#terminal.out(`\r\u001b[2K${frame} ${text}`);
  }

  /** Makes room for a line that stays; the next refresh draws this one below it. */
  wipe(): void {
    this.#terminal.out("\r\u001b[2K");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.wipe();
  }
}
