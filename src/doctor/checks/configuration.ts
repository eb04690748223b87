import type { CheckContext } from "../check.ts";
import { type Finding, ok, warn } from "../model/finding.ts";

/** Where the settings come from, and what the loader had to say about them. */
export function configuration({ loaded }: CheckContext): Finding {
  const origins = [...loaded.origins.values()];
  const file = origins.find((origin) => origin.kind === "file");
  const facts = {
    file: file?.kind === "file" ? file.path : null,
    warnings: loaded.warnings.length,
    settings: origins.filter(({ kind }) => kind !== "default").length,
  };
  const [first, ...more] = loaded.warnings;
  if (first !== undefined)
    return warn([first, ...more].join("; "), "change the name or the place that the warning names", facts);
  return ok(facts.file === null ? "no file; defaults, environment and flags" : `read from ${facts.file}`, facts);
}
