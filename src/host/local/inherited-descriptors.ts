import { readdirSync, readFileSync } from "node:fs";

/** O_CLOEXEC in `/proc/self/fdinfo`, which prints flags in octal. */
const CLOSED_ON_EXEC = 0o2000000;

let found: readonly number[] | undefined;

/**
 * Descriptors that this process was started with and would hand on, such as the lock of `flock(1)`; Node closes its own.
 * Found out once, as only the starter could have given them. None where there is no `/proc`.
 */
export function inheritedDescriptors(): readonly number[] {
  found ??= list("/proc/self/fd").filter(isHandedOn);
  return found;
}

function list(folder: string): readonly number[] {
  try {
    return readdirSync(folder).map(Number);
  } catch {
    return [];
  }
}

function isHandedOn(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1] ?? "0";
    return descriptor > 2 && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
  } catch {
    // It was the descriptor that read the folder.
    return false;
  }
}
