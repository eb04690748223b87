import { configErrorText } from "../config/schema/setting.ts";
import { type ErrorRecord, errorText, exitStatusOf, toErrorRecord } from "../error.ts";
import type { Logger } from "../logfmt.ts";
import { renderJson, renderLines } from "./render.ts";
import { neutralise, style, type Terminal } from "./terminal.ts";

/** Where an error is reported. */
export interface ErrorReport {
  readonly terminal: Terminal;
  readonly log: Logger;
  readonly json: boolean;
  /** The command, as logs name it. */
  readonly op: string;
}

/**
 * Says what went wrong: a line on standard error, with `--json` one value on standard output, and the state of what was
 * not found.
 *
 * @returns the exit status.
 */
export function reportError(error: unknown, report: ErrorReport): number {
  const record = toErrorRecord(error);
  const { terminal, json } = report;
  writeLine(record, report);
  const shown = record.details?.["state"] === undefined ? undefined : record.details;
  if (json) terminal.out(renderJson({ ...shown, code: record.code, error: errorText(record) }, terminal));
  else if (shown !== undefined) terminal.out(renderLines([shown], terminal));
  return exitStatusOf(record.code);
}

function writeLine(record: ErrorRecord, { terminal, log, op }: ErrorReport): void {
  // Some say what a machine said.
  if (record.code === "CONFIG") terminal.error(`${neutralise(configErrorText(record))}\n`);
  else if (terminal.logsToPerson) {
    terminal.error(`${style(terminal, "red", record.code)}: ${neutralise(record.message)}\n`);
  } else log.error(op, `${op} failed`, { err: errorText(record) });
}
