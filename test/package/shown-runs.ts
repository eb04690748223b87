import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./installed-package.ts";

/** A command that a document shows, and what it prints. */
export interface ShownRun {
  readonly command: string;
  readonly output: string;
}

/** A text with its ids masked: each run has its own. */
export function withoutIds(text: string): string {
  return text.replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID");
}

/** Every block of a document whose first line is a command behind a prompt; the rest of the block is its output. */
export function shownRuns(document: string): readonly ShownRun[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  return [...text.matchAll(/^```\n\$ (.+)\n([\s\S]*?)^```$/gm)].map(([, command = "", output = ""]) => ({
    command,
    output,
  }));
}
