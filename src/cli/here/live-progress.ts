import type { JobStatus } from "../../backend/reading.ts";
import type { Call } from "../command.ts";
import { LiveLine } from "../live-line.ts";
import { liveText } from "../watch-job.ts";

/** How far jobs are, on one line at the bottom of a terminal. */
export interface LiveProgress extends Disposable {
  show(status: JobStatus): void;
  /** Makes room for output that stays. */
  wipe(): void;
}

/** A person sees how far a job is whose own output would not tell; everybody else sees nothing. */
export function liveProgress({ terminal, globals }: Call, { isWanted }: { readonly isWanted: boolean }): LiveProgress {
  const isShown = isWanted && terminal.isPerson && !globals.json && !globals.quiet;
  if (!isShown) return { show: () => undefined, wipe: () => undefined, [Symbol.dispose]: () => undefined };
  let newest: JobStatus | undefined;
  let line: LiveLine | undefined;
  return {
    show(status) {
      newest = status;
      line ??= new LiveLine(terminal, () => (newest === undefined ? "" : liveText(newest)));
    },
    wipe: () => line?.wipe(),
    [Symbol.dispose]() {
      line?.[Symbol.dispose]();
      line = undefined;
    },
  };
}
