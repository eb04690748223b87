import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./installed-package.ts";

/** A command that a document shows, and what it prints. */
export interface ShownRun {
  readonly command: string;
  readonly output: string;
}

/** Every block of a document whose first line is a command behind a prompt; the rest of the block is its output. */
export function shownRuns(document: string): readonly ShownRun[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  return [...text.matchAll(/^```\n\$ (.+)\n([\s\S]*?)^```$/gm)].map(([, command = "", output = ""]) => ({
    command,
    output,
  }));
}
