import type { z } from "zod";
import type { doctor } from "../../operations/doctor.ts";
import { type Overlay, statusOf } from "../operation-command.ts";
import { renderLines } from "../render.ts";
import { neutralise, style, type Terminal } from "../terminal.ts";

type Report = z.output<typeof doctor.output>;

/**
 * `doctor`: a person gets a mark for each check, and under what is wrong what to do about it. With --fix it looks first and
 * prints what it is going to do, and only then does it.
 */
export const doctorOverlay: Overlay = {
  async run({ terminal, globals }, { operation, input, perform, finish }) {
    if (input["fix"] === true && !globals.json) {
      const { plan } = (await perform({ ...input, fix: false })) as Report;
      terminal.out(renderPlan(plan, terminal));
    }
    const report = (await perform(input)) as Report;
    if (!terminal.isPerson || globals.json) return finish(report);
    terminal.out(renderReport(report, terminal));
    return statusOf(operation, report);
  },
};

function renderPlan(plan: Report["plan"], terminal: Terminal): string {
  if (!terminal.isPerson) {
    const lines = plan.map((each) => ({ plan: each }));
    return renderLines(lines, terminal);
  }
  return plan.map((each) => `going to: ${neutralise(each)}\n`).join("");
}

const MARKS = {
  ok: ["✓", "green"],
  warn: ["!", "yellow"],
  fail: ["✗", "red"],
  unreachable: ["✗", "red"],
  not_configured: ["·", "dim"],
} as const satisfies Record<Report["checks"][number]["state"], readonly [string, string]>;

function renderReport({ state, repairs, checks }: Report, terminal: Terminal): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, state: found, detail, remedy }) => {
    const [mark, colour] = MARKS[found];
    const text = neutralise(detail);
    return [
      `${style(terminal, colour, mark)} ${name.padEnd(width)}  ${found === "not_configured" ? style(terminal, "dim", text) : text}`,
      ...(remedy === null ? [] : [`  ${" ".repeat(width)}  ${style(terminal, "bold", neutralise(remedy))}`]),
    ];
  });
  const done = repairs.map(
    ({ plan, error }) => `${style(terminal, error === null ? "green" : "red", error ?? "done")}: ${neutralise(plan)}`,
  );
  return `${[...done, ...lines, "", sumUp(state, checks)].join("\n")}\n`;
}

function sumUp(state: Report["state"], checks: Report["checks"]): string {
  const warnings = checks.filter((check) => check.state === "warn").length;
  if (state !== "ok" || warnings === 0) return SUMMARIES[state];
  return `Nothing is broken; there ${warnings === 1 ? "is 1 warning" : `are ${warnings} warnings`}, and what to do stands beside.`;
}

const SUMMARIES: Readonly<Record<Report["state"], string>> = {
  ok: "All is well.",
  fail: "Something is wrong; what to do stands beside it.",
  unreachable: "Something that is configured does not answer; what to do stands beside it.",
};
