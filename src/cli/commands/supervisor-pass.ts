import type { z } from "zod";
import type { superviseOnce } from "../../operations/supervisor/run.ts";
import { neutralise, style, type Terminal } from "../terminal.ts";

type Pass = z.output<typeof superviseOnce.output>;
type Check = Pass["hosts"][number]["checks"][number];

const MARKS = {
  ok: ["✓", "green"],
  recovering: ["~", "yellow"],
  failed: ["✗", "red"],
  flapping: ["!", "red"],
  unknown: ["?", "yellow"],
  not_configured: ["·", "dim"],
} as const satisfies Record<Check["state"], readonly [string, string]>;

const COLOURS = {
  healthy: "green",
  recovering: "yellow",
  flapping: "red",
  failing: "red",
  ssh_down: "red",
} as const satisfies Record<Pass["state"], string>;

/** A pass for a person: a mark for each check, or only how it is as a whole where that is nothing new. */
export function renderPass(
  { at, hosts }: Pass,
  terminal: Pick<Terminal, "hasColour">,
  { isShort }: { readonly isShort: boolean },
): string {
  const width = Math.max(...hosts.flatMap(({ checks }) => checks.map(({ component }) => component.length)));
  const lines = hosts.flatMap(({ host, state, checks }) => [
    `${style(terminal, "dim", at.slice(11, 19))} ${host}: ${style(terminal, COLOURS[state], state.replace("_", " "))}`,
    ...(isShort ? [] : checks.flatMap((check) => linesOf(check, width, terminal))),
  ]);
  return `${lines.join("\n")}\n`;
}

function linesOf(check: Check, width: number, terminal: Pick<Terminal, "hasColour">): readonly string[] {
  const [mark, colour] = MARKS[check.state];
  const open = check.circuit_breaker === "open" ? "  (left alone for a while)" : "";
  const remedies = check.remedies.map(({ name, state, detail }) => `${name} ${state}: ${detail}`);
  return [
    `${style(terminal, colour, mark)} ${check.component.padEnd(width)}  ${neutralise(check.detail)}${open}`,
    ...remedies.map((text) => `  ${" ".repeat(width)}  ${style(terminal, "dim", neutralise(text))}`),
  ];
}
