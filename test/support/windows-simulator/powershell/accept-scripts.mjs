// Accepts the PowerShell texts of src/host/powershell as they are now, so that the stand-in plays them. It cannot run
// PowerShell: for each text it has code of its own that does the same. Whoever changes a text reviews that code (runner.ts,
// scripts/) and then runs this.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../../../../src/host/powershell/", import.meta.url));
const TABLE = fileURLToPath(new URL("./digests.json", import.meta.url));

const digest = (path) => createHash("sha256").update(readFileSync(path, "utf8").trim()).digest("hex");
const scripts = readdirSync(`${SOURCE}scripts`)
  .filter((name) => name.endsWith(".ps1"))
  .sort();
const paths = [`${SOURCE}first-stage.ps1`, `${SOURCE}runner.ps1`, ...scripts.map((name) => `${SOURCE}scripts/${name}`)];
const next = Object.fromEntries(paths.map((path) => [basename(path, ".ps1"), digest(path)]));

let before = {};
try {
  before = JSON.parse(readFileSync(TABLE, "utf8"));
} catch {
  // The first time.
}
for (const name of new Set([...Object.keys(before), ...Object.keys(next)])) {
  if (before[name] !== next[name]) console.log(`${name}: ${next[name] === undefined ? "gone" : "accepted"}`);
}
writeFileSync(TABLE, `${JSON.stringify(next, null, 2)}\n`);
