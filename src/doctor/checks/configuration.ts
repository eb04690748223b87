import { type CheckContext, type Finding, notConfigured, ok, warn } from "../check.ts";

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

/** The keys that stand for a dependency, and what is known of it. */
function outside(
  { loaded }: CheckContext,
  {
    name,
    keys,
    facts = {},
  }: { readonly name: string; readonly keys: readonly string[]; readonly facts?: Finding["facts"] },
): Finding {
  const given = [...loaded.origins]
    .filter(([key, { kind }]) => kind !== "default" && keys.some((prefix) => key.startsWith(prefix)))
    .map(([key]) => key);
  if (given.length === 0) return notConfigured(`${name} is not configured`, facts);
  return notConfigured(`${name} is configured (${given.join(", ")}), and this version cannot check it`, {
    ...facts,
    settings: given.length,
  });
}

export function hatchet(context: CheckContext): Finding {
  // The SDK is no part of this version.
  const facts = { hatchet_sdk_version: "unknown" };
  if (context.config.backend === "hatchet")
    return notConfigured("the backend is hatchet, which is not built into this version", facts, "use backend embedded");
  return outside(context, { name: "Hatchet", keys: ["hatchet."], facts });
}

export function windows(context: CheckContext): Finding {
  return outside(context, { name: "a Windows host", keys: ["windows.", "hosts."] });
}

export function aloha(context: CheckContext): Finding {
  return outside(context, { name: "Aloha", keys: ["aloha."] });
}

export function playwright(context: CheckContext): Finding {
  return outside(context, { name: "Playwright", keys: ["playwright."] });
}
