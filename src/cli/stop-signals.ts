import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls these instead of ending the process, until it is disposed of. */
export function onStopSignals(actions: {
  readonly first: (signal: string) => void;
  /** The second and every further one. */
  readonly further: (signal: string) => void;
}): Disposable {
  let count = 0;
  const listener = (signal: string): void => {
    count++;
    if (count === 1) actions.first(signal);
    else actions.further(signal);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}

/** Leaves at once, as a process that the signal killed. */
export function leaveAtOnce(signal: string): never {
  process.exit(128 + (constants.signals[signal as NodeJS.Signals] ?? 0));
}
