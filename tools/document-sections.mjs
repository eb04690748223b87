// The parts of SPEC.md and docs/NIXOS_INTEGRATION.md that come from the source. tools/generate-docs.mjs puts them in.
import { readFileSync } from "node:fs";
import { z } from "zod";

/** All that the rules of the types take from a configuration. */
const NO_SECRETS = { exec: { secrets: [] }, httpRequest: { secrets: [] } };
const UNITS = ["windlass-worker", "windlass-supervisor"];

/** Sections as generate-docs takes them. */
export const SECTIONS = [
  { file: "SPEC.md", section: "job-types", generate: drawJobTypes },
  { file: "SPEC.md", section: "errors", generate: drawErrors },
  ...UNITS.map((unit) => ({
    file: "docs/NIXOS_INTEGRATION.md",
    section: `${unit}.service`,
    generate: () => `\`\`\`ini\n${readFileSync(`deploy/${unit}.service`, "utf8").trim()}\n\`\`\``,
  })),
];

async function drawErrors() {
  const { ERRORS } = await import("../src/error.ts");
  const rows = Object.entries(ERRORS).map(([code, { exit, http, retry, outcome }]) => [
    `\`${code}\``,
    exit,
    http,
    retry === "backoff" ? "yes" : "no",
    outcome === undefined ? "" : `\`${outcome}\``,
  ]);
  return drawTable(["code", "exit", "HTTP", "can help to try again", "outcome of the job"], rows);
}

async function drawJobTypes() {
  const { builtInTypes } = await import("../src/job-type/registry.ts");
  return builtInTypes(NO_SECRETS).map(drawJobType).join("\n\n");
}

function drawJobType({ name, input, result, rules }) {
  const facts = [
    `After a crash: ${drawCrashRule(rules.afterCrash)}${rules.afterCrashByCaller ? "; a call may choose" : ""}.`,
    ...(rules.locks.length === 0 ? [] : [`One at a time: ${rules.locks.map((lock) => `\`${lock}\``).join(", ")}.`]),
  ];
  return [
    `### ${name}`,
    facts.join(" "),
    drawTable(["input", "", "what it is"], fieldsOf(input, "input")),
    drawTable(
      ["result", "what it is"],
      fieldsOf(result, "output").map(([field, , text]) => [field, text]),
    ),
  ].join("\n\n");
}

function drawCrashRule(rule) {
  if (typeof rule === "string") return rule;
  const cases = Object.entries(Object.groupBy(Object.entries(rule.cases), ([, word]) => word)).map(([word, of]) => {
    const values = of.map(([value]) => value);
    return values.includes("undefined") ? `${word} without \`${rule.field}\`` : `${word} for ${values.join(", ")}`;
  });
  return [...cases, `else ${rule.otherwise}`].join("; ");
}

function fieldsOf(schema, io) {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return Object.entries(properties).map(([field, { description = "", default: value }]) => [
    `\`${field}\``,
    required.includes(field) ? "required" : value === undefined ? "" : `\`${JSON.stringify(value)}\``,
    description,
  ]);
}

function drawTable(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}
