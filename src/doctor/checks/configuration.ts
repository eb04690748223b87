import type { CheckContext } from "../check.ts";
import { type Finding, ok, warn } from "../model/finding.ts";

/** Where the settings come from, and what the loader had to say about them. */
export function configuration({ loaded }: CheckContext): Finding {
  const origins = [...loaded.origins.values()];
  const inFile = origins.filter(({ kind }) => kind === "file").length;
  const facts = {
    file: loaded.file ?? null,
    warnings: loaded.warnings.length,
    settings: origins.filter(({ kind }) => kind !== "default").length,
  };
  const [first, ...more] = loaded.warnings;
  if (first !== undefined)
    return warn([first, ...more].join("; "), "change the name or the place that the warning names", facts);
  return ok(sayFile(facts.file, inFile), facts);
}

function sayFile(file: string | null, settings: number): string {
  if (file === null) return "no file; defaults, environment and flags";
  return `read from ${file}${settings === 0 ? ", which sets nothing" : ""}`;
}
