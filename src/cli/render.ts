import { formatPairs, type Pairs } from "../logfmt.ts";
import { neutralise, style, type Terminal } from "./terminal.ts";

/** Writes lines of `key=value`, or for a person a table. */
export function renderLines(lines: readonly Pairs[], terminal: Terminal): string {
  if (!terminal.isPerson) return lines.map((line) => `${formatPairs(line)}\n`).join("");
  const records = lines.map(cellsOf);
  const [first] = records;
  if (first === undefined) return `${style(terminal, "dim", "(none)")}\n`;
  return records.length === 1 ? renderRecord(first, terminal) : renderTable(records, terminal);
}

/** Writes one JSON value: one line, or for a person indented. */
export function renderJson(value: unknown, terminal: Pick<Terminal, "isPerson">): string {
  const text = JSON.stringify(value, null, terminal.isPerson ? 2 : undefined) ?? "null";
  // JSON lets DEL, C1 controls and marks of direction stand as they are; escaped they mean the same.
  return `${terminal.isPerson ? neutralise(text) : text}\n`;
}

/** An answer as one line of all that is not null. */
export function defaultLines(output: unknown): readonly Pairs[] {
  if (typeof output !== "object" || output === null) return [{ value: output }];
  return [Object.fromEntries(Object.entries(output).filter(([, value]) => value !== null))];
}

type Cells = ReadonlyMap<string, string>;

function cellsOf(line: Pairs): Cells {
  const shown = Object.entries(line).filter(([, value]) => value !== undefined);
  return new Map(shown.map(([key, value]) => [key, neutralise(cellText(value))]));
}

function cellText(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function renderRecord(cells: Cells, terminal: Terminal): string {
  const width = Math.max(...[...cells.keys()].map((key) => key.length));
  return [...cells]
    .map(([key, text]) => `${style(terminal, "dim", key.padEnd(width))}  ${colourCell(terminal, key, text)}\n`)
    .join("");
}

const STATE_COLOURS: Readonly<Record<string, "green" | "yellow" | "red" | "dim">> = {
  completed: "green",
  running: "yellow",
  cancelled: "dim",
  failed: "red",
  expired: "red",
  partial: "red",
  not_found: "red",
};

/** A cell, padded or not, in the colour of what it says. */
function colourCell(terminal: Terminal, key: string, text: string): string {
  const colour = key === "state" || key === "outcome" ? STATE_COLOURS[text.trimEnd()] : undefined;
  return colour === undefined ? text : style(terminal, colour, text);
}

function renderTable(records: readonly Cells[], terminal: Terminal): string {
  // A line of another kind, such as the cursor behind a list, stands alone.
  const [first = new Map<string, string>()] = records;
  const isRow = (cells: Cells): boolean => [...cells.keys()].some((key) => first.has(key));
  const rows = records.filter(isRow);
  const keys = [...new Set(rows.flatMap((cells) => [...cells.keys()]))];
  const widths = keys.map((key) => Math.max(key.length, ...rows.map((cells) => (cells.get(key) ?? "").length)));
  const write = (cellOf: (key: string) => string, colour = false): string =>
    keys
      .map((key, index) => {
        const text = index === keys.length - 1 ? cellOf(key) : cellOf(key).padEnd(widths[index] ?? 0);
        return colour ? colourCell(terminal, key, text) : text;
      })
      .join("  ")
      .trimEnd();
  return [
    `${style(
      terminal,
      "dim",
      write((key) => key),
    )}\n`,
    ...rows.map((cells) => `${write((key) => cells.get(key) ?? "", true)}\n`),
    ...records.filter((cells) => !isRow(cells)).map((cells) => renderRecord(cells, terminal)),
  ].join("");
}
