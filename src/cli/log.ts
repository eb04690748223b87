import { createLogger, formatPairs, type Logger, type LogLevel, type Pairs } from "../logfmt.ts";
import { neutralise, style, type Terminal } from "./terminal.ts";

/** The log of the program: logfmt lines on standard error, for a person shorter ones. */
export function commandLog(terminal: Terminal, { quiet, component }: { quiet: boolean; component: string }): Logger {
  const logger = terminal.logsToPerson
    ? personLogger(terminal, component)
    : createLogger({ write: (line) => terminal.error(line), now: preciseNow, component });
  return quiet ? { ...logger, info: () => undefined } : logger;
}

/** Unix milliseconds with the digits below that the clock has. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

const COLOURS = { info: "dim", warn: "yellow", error: "red" } as const;

function personLogger(terminal: Terminal, component: string): Logger {
  const write =
    (level: LogLevel) =>
    (op: string, msg: string, fields: Pairs = {}): void => {
      const pairs = formatPairs(fields);
      // A worker speaks of many jobs, of which this is the type; a command only of itself.
      const subject = component === "engine" && !msg.includes(op) ? `${op}: ` : "";
      const text = `${style(terminal, COLOURS[level], level)}: ${neutralise(subject + msg)}`;
      terminal.error(`${text}${pairs === "" ? "" : ` ${style(terminal, "dim", pairs)}`}\n`);
    };
  return { info: write("info"), warn: write("warn"), error: write("error") };
}
