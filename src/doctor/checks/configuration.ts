import type { CheckContext } from "../check.ts";
import { type Finding, notConfigured, ok, warn } from "../model/finding.ts";

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

/** Who may do what. The file of rules is not read by this version. */
export function policy({ config }: CheckContext): Finding {
  const { policy: path } = config;
  if (path === undefined)
    return notConfigured("there is no policy file: the built-in rules hold, and they are advisory", {
      level: "advisory",
    });
  return warn(
    `the rules in ${path} are not read by this version; the built-in ones hold, and they are advisory`,
    "use a version that reads policies where they must hold",
    { path, level: "advisory" },
  );
}
