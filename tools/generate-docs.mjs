// Writes the parts of the documents that come from the source: `npm run docs`. With --check it only compares, and fails.
// A generator names its file, and the section when it writes only what stands between that section's two markers:
//   <!-- generated: NAME --> ... <!-- end generated: NAME -->
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { SECTIONS } from "./document-sections.mjs";

const GENERATORS = [
  { file: "docs/architecture.md", section: "job-states", generate: drawJobStates },
  ...SECTIONS,
  ...(await import("../src/config/reference/generated.ts")).GENERATED_FILES,
  ...(await import("../src/cli/reference.ts")).GENERATED_FILES,
];

const isCheck = process.argv.includes("--check");
for (const { file, section, generate } of GENERATORS) {
  const text = await generate();
  const old = existsSync(file) ? readFileSync(file, "utf8") : "";
  const now = section === undefined ? text : replaceSection(old, file, section, text);
  if (now === old) continue;
  if (isCheck) {
    console.error(
      `${file}${section === undefined ? "" : ` (${section})`} is not what the source says; run: npm run docs`,
    );
    process.exitCode = 1;
  } else {
    writeFileSync(file, now);
    console.log(`wrote ${file}`);
  }
}

function replaceSection(old, file, section, text) {
  const begin = `<!-- generated: ${section} -->`;
  const end = `<!-- end generated: ${section} -->`;
  const from = old.indexOf(begin);
  const to = old.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${file} needs the lines ${begin} and ${end}`);
  return `${old.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${old.slice(to)}`;
}

async function drawJobStates() {
  const { STATES } = await import("../src/job/state.ts");
  const states = Object.entries(STATES);
  const starts = states.slice(0, 2).map(([state]) => `  [*] --> ${state}`);
  const moves = states.flatMap(([from, targets]) =>
    targets.length === 0 ? [`  ${from} --> [*]`] : targets.map((to) => `  ${from} --> ${to}`),
  );
  return ["```mermaid", "stateDiagram-v2", ...starts, ...moves, "```"].join("\n");
}
