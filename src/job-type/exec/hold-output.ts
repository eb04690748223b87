import { type Clock, every } from "../../clock.ts";
import { cutOutput } from "../../host/local/output-file.ts";
import type { ProgramFiles } from "../../host/local/program.ts";
import type { JobLog } from "../../job/context.ts";

/** Where output is held, and at which limit. */
export interface HoldOptions {
  readonly files: ProgramFiles;
  readonly clock: Clock;
  readonly keptBytes: number;
  readonly tickMs: number;
  readonly log: JobLog;
}

/** Keeps both streams of a program at their limit until it is told to stop. */
export interface HeldOutput {
  stop(): void;
  /** Cuts a last time, once nothing writes any more, and logs what was dropped. */
  finish(): Promise<void>;
}

/** Looks at both files at each tick. */
export function holdOutput({ files, clock, keptBytes, tickMs, log }: HoldOptions): HeldOutput {
  const dropped = { stdout: 0, stderr: 0 };
  const cut = async (): Promise<void> => {
    dropped.stdout += await cutOutput(files.stdout, keptBytes);
    dropped.stderr += await cutOutput(files.stderr, keptBytes);
  };
  let busy: Promise<void> | undefined;
  const stop = every(clock, tickMs, () => {
    // A disk that is slower than the tick: one look at a time. A look that fails is made again at the next tick.
    busy ??= cut()
      .catch(() => {})
      .finally(() => {
        busy = undefined;
      });
  });
  return {
    stop,
    async finish() {
      stop();
      await busy;
      await cut();
      for (const stream of ["stdout", "stderr"] as const) {
        if (dropped[stream] > 0) {
          log.warn(`${stream} was cut`, { kept_bytes: keptBytes, dropped_bytes: dropped[stream] });
        }
      }
    },
  };
}
