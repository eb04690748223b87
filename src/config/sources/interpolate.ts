/** The variables that a `${NAME}` may name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PART = /\$\$|\$\{([^}]*)\}?/g;
const REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}$/;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every text of a value; `$$` is a dollar sign. As in a shell, the default
 * also stands in for an empty variable. Keys stay as they are.
 *
 * @param refuse throws; gets the reason.
 */
export function interpolate(value: unknown, env: Environment, refuse: (reason: string) => never): unknown {
  if (typeof value === "string") return value.includes("$") ? replaceAll(value, env, refuse) : value;
  if (Array.isArray(value)) return value.map((item) => interpolate(item, env, refuse));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolate(item, env, refuse)]));
}

function replaceAll(text: string, env: Environment, refuse: (reason: string) => never): string {
  return text.replace(PART, (part) => {
    if (part === "$$") return "$";
    const [, name, fallback] = REFERENCE.exec(part) ?? [];
    if (name === undefined)
      return refuse(`has a \${ that is neither \${NAME} nor \${NAME:-default}; write $$ for a dollar sign`);
    const found = env[name];
    if (fallback !== undefined) return found || fallback;
    return (
      found ?? refuse(`needs the environment variable ${name}, which is not set; set it or write \${${name}:-default}`)
    );
  });
}
