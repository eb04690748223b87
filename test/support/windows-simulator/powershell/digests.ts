import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const TABLE = JSON.parse(readFileSync(new URL("./digests.json", import.meta.url), "utf8")) as Record<string, string>;

const ACCEPT = "node test/support/windows-simulator/powershell/accept-scripts.mjs";

/** True when this is the text that the stand-in's code for `name` was written after. */
export function isAccepted(name: string, text: string): boolean {
  return Object.hasOwn(TABLE, name) && TABLE[name] === createHash("sha256").update(text.trim()).digest("hex");
}

/** What the stand-in says about a text that it does not know. */
export function refusal(name: string): string {
  return `the stand-in for PowerShell does not know this text of ${name}.ps1: review its code for it, then run ${ACCEPT}`;
}
