// Directions, cycles (type imports too) and purity of src/. Fails as well when the tool saw fewer modules than there
// are files, and when a folder or a loose file stands in src/, or a folder in src/backend/embedded, that the rules do not
// know.
import { globSync, readdirSync } from "node:fs";
import { cruise } from "dependency-cruiser";
import rules, { EMBEDDED_FOLDERS, FOLDERS, LOOSE_FILES } from "../.dependency-cruiser.mjs";

const { options, ...ruleSet } = rules;
const problems = [];

const checked = await cruise(["src"], { ...options, ruleSet, validate: true, outputType: "err" });
console.log(String(checked.output).trim());
if (checked.exitCode !== 0) problems.push(`${checked.exitCode} imports break a rule of .dependency-cruiser.mjs`);

const { output } = await cruise(["src"], options);
const seen = output.modules.filter(({ source }) => source.startsWith("src/") && source.endsWith(".ts")).length;
const files = globSync("src/**/*.ts").length;
if (seen < files) problems.push(`dependency-cruiser saw ${seen} modules, but src/ has ${files} files`);

for (const entry of readdirSync("src", { withFileTypes: true })) {
  const known = entry.isDirectory() ? FOLDERS.includes(entry.name) : LOOSE_FILES.includes(sourceOf(entry.name));
  if (!known) problems.push(`src/${entry.name} has no place in .dependency-cruiser.mjs`);
}
for (const entry of readdirSync("src/backend/embedded", { withFileTypes: true })) {
  if (entry.isDirectory() && !EMBEDDED_FOLDERS.includes(entry.name))
    problems.push(`src/backend/embedded/${entry.name} has no place in .dependency-cruiser.mjs`);
}

for (const problem of problems) console.error(`check-layers: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;

function sourceOf(file) {
  return file.replace(/\.test\.ts$/, ".ts");
}
