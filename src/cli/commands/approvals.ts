import type { z } from "zod";
import { AppError } from "../../error.ts";
import type { DecisionOutput } from "../../operations/approvals/decision-fields.ts";
import type { ApprovalOutput } from "../../operations/approvals/show.ts";
import type { Overlay } from "../operation-command.ts";
import { neutralise, style, type Terminal } from "../terminal.ts";

type Decided = z.output<typeof DecisionOutput>;
type Shown = z.output<typeof ApprovalOutput>;

/** `approvals list`: `--pending` says what is so without it. */
export const listOverlay: Overlay = {
  flags: [{ name: "pending", kind: "boolean", description: "Only those that wait: --state pending, the default." }],
  async run({ command, values }, { input, perform, finish }) {
    if (values.get("pending") !== true) return finish(await perform(input));
    const { state = "pending" } = input;
    if (state !== "pending")
      throw new AppError("USAGE", `${command}: --pending is --state pending; give --state ${String(state)} alone`);
    return finish(await perform({ ...input, state }));
  },
};

/** `approvals approve`, `reject`, `revoke`: says what is going to be signed, and then signs that and nothing else. */
export const decisionOverlay: Overlay = {
  async run({ terminal, globals, log, command }, { input, perform, finish }) {
    const isElsewhere = input["print_statement"] === true;
    if (input["statement"] !== undefined || (isElsewhere && globals.json)) return finish(await perform(input));
    const { statement, title, digest, decided_by, decision } = (await perform({
      ...input,
      print_statement: true,
    })) as Decided;
    if (isElsewhere) {
      // Byte for byte what is to be signed: no line end behind it.
      terminal.out(`${statement}${terminal.isPerson ? "\n" : ""}`);
      return 0;
    }
    log.info(command.replace(" ", "."), `signing as ${decided_by}; the key may want its passphrase, or to be touched`, {
      decision,
      title,
      digest,
    });
    return finish(await perform({ ...input, as: decided_by, digest }));
  },
};

/** `approvals show`: a person reads it as a page, with the details as JSON over many lines. */
export const showOverlay: Overlay = {
  async run({ terminal, globals }, { input, perform, finish }) {
    const approval = (await perform(input)) as Shown;
    if (globals.json || !terminal.isPerson) return finish(approval);
    terminal.out(`${pageOf(approval, terminal).join("\n")}\n`);
    return 0;
  },
};

function pageOf(approval: Shown, terminal: Terminal): readonly string[] {
  const { approval_id, title, state, judgement, approvers, quorum, level, rule, policy } = approval;
  const facts: readonly (readonly [string, string])[] = [
    ["state", state === judgement ? state : `${state}; by the signatures: ${judgement}`],
    ["job", `${approval.job_id} run ${approval.run}${approval.kind === "call" ? ` call ${approval.position}` : ""}`],
    ["asked by", `${approval.asked_by} at ${approval.asked_at}`],
    ["expires", approval.expires_at],
    ["needs", `${quorum} of ${approvers.join(", ") || "every approver of the policy"}, ${level}`],
    ["because", rule === null ? "the job asks for it" : `the rule ${rule} of the policy asks for it`],
    ["policy", policy],
    ["digest", approval.digest],
  ];
  return [
    style(terminal, "bold", oneLine(title)),
    ...facts.map(([name, value]) => `${style(terminal, "dim", name.padEnd(8))}  ${oneLine(value)}`),
    "",
    harmless(JSON.stringify(approval.details, null, 2) ?? "null"),
    ...(approval.input === undefined ? [] : ["", harmless(JSON.stringify(approval.input, null, 2) ?? "null")]),
    "",
    ...approval.decisions.flatMap((one) => linesOf(one, terminal)),
    ...(state === "pending" ? [`windlass approvals approve ${approval_id} --digest ${approval.digest}`] : []),
  ];
}

function linesOf(one: Shown["decisions"][number], terminal: Terminal): readonly string[] {
  const { principal, decision, decided_at, reason, counts, level, error, advisory_because } = one;
  const mark = counts ? style(terminal, "green", "✓") : style(terminal, "red", "✗");
  const why = reason === "" ? "" : `: ${reason}`;
  return [
    `${mark} ${oneLine(`${decision} by ${principal} at ${decided_at}${level === null ? "" : `, ${level}`}${why}`)}`,
    ...[...(error === null ? [] : [error]), ...advisory_because].map((text) => `  ${oneLine(text)}`),
  ];
}

/** Beside what moves a cursor: what cannot be seen, or looks like a line's end. What is approved must be what is read. */
function harmless(text: string): string {
  return neutralise(text).replace(
    /[\p{Cf}\p{Zl}\p{Zp}]/gu,
    (unit) => `\\u{${(unit.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** So that a reason or a title does not look like lines of ours. */
function oneLine(text: string): string {
  return harmless(text).replace(/[\n\t]/g, (unit) => (unit === "\n" ? "\\n" : "\\t"));
}
