import { type Finished, pairsOf } from "./cli.ts";

/** A line of the doctor, by its pairs: `check`, `state`, `host`, `detail`, `remedy`. */
export type DoctorLine = Readonly<Record<string, string>>;

/** The line of a check. */
export function lineOf(done: Finished, check: string, host?: string): DoctorLine {
  const found = done.stdout
    .split("\n")
    .map(pairsOf)
    .find((line) => line["check"] === check && (host === undefined || line["host"] === host));
  if (found === undefined) throw new Error(`no line ${check} in\n${done.stdout}\n${done.stderr}`);
  return found;
}

/** The states of all lines about a machine, by check. */
export function statesOf(done: Finished, host: string): Readonly<Record<string, string>> {
  const lines = done.stdout
    .split("\n")
    .map(pairsOf)
    .filter((line) => line["host"] === host);
  return Object.fromEntries(lines.map(({ check = "", state = "" }) => [check, state]));
}
