import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { until } from "./until.ts";

/** One thing that a handler did, as the side log has it. */
export interface EffectLine {
  readonly name: string;
  /** `start`, `end`, `stopped` (its signal fired), `failed`, `check`. */
  readonly event: "start" | "end" | "stopped" | "failed" | "check";
  readonly type: string;
  readonly jobId: string;
  readonly run: number;
  readonly attempt: number;
  readonly pid: number;
  readonly atMs: number;
  /** Why its signal fired. */
  readonly reason?: string;
  readonly key?: string;
}

/**
 * What handlers really did: a file that every process appends to (O_APPEND, one write for each line), apart from the
 * database, so that it can be held against it. Beside it stand the files that let a held handler go on.
 */
export class Effects {
  readonly #folder: string;
  readonly #log: string;

  constructor(folder: string) {
    this.#folder = join(folder, "effects");
    this.#log = join(this.#folder, "log");
    mkdirSync(this.#folder, { recursive: true });
  }

  append(line: EffectLine): void {
    const file = openSync(this.#log, "a");
    try {
      writeSync(file, `${JSON.stringify(line)}\n`);
    } finally {
      closeSync(file);
    }
  }

  all(): readonly EffectLine[] {
    if (!existsSync(this.#log)) return [];
    const lines = readFileSync(this.#log, "utf8").split("\n");
    return lines.slice(0, -1).map((line) => JSON.parse(line) as EffectLine);
  }

  of(name: string, event?: EffectLine["event"]): readonly EffectLine[] {
    return this.all().filter((line) => line.name === name && (event === undefined || line.event === event));
  }

  count(name: string, event: EffectLine["event"]): number {
    return this.of(name, event).length;
  }

  /** Names in the order in which something happened to them. */
  order(event: EffectLine["event"]): readonly string[] {
    return this.all()
      .filter((line) => line.event === event)
      .map(({ name }) => name);
  }

  /** Resolves when this was seen so often. */
  seen(name: string, event: EffectLine["event"], times = 1): Promise<EffectLine> {
    return until(() => this.of(name, event)[times - 1], {
      what: `${name} ${event}${times === 1 ? "" : ` ${times} times`}`,
      folder: this.#folder,
    });
  }

  /** Lets held handlers of this name go on, now and whenever they start. */
  release(name: string): void {
    const path = this.#releaseOf(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
  }

  isReleased(name: string): boolean {
    return existsSync(this.#releaseOf(name));
  }

  /** Resolves when the name was released. */
  released(name: string, signal?: AbortSignal): Promise<true> {
    const folder = dirname(this.#releaseOf(name));
    mkdirSync(folder, { recursive: true });
    return until(() => (this.isReleased(name) ? true : undefined), {
      what: `release of ${name}`,
      folder,
      withinMs: 120_000,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #releaseOf(name: string): string {
    return join(this.#folder, "released", name);
  }
}
