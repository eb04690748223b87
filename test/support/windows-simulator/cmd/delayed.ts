import { modify, type Variables } from "./percent.ts";

/** `!NAME!` where delayed expansion is on; the value is not read again. A `^` before a `!` keeps it. */
export function expandDelayed(text: string, variables: Variables): string {
  if (!text.includes("!")) return text;
  return text.replace(
    /\^(.)|!([^!:]+)(?::([^!]*))?!|!/g,
    (_, kept: string | undefined, name?: string, modifier?: string) => {
      if (kept !== undefined) return kept;
      const value = name === undefined ? undefined : variables.get(name);
      if (value === undefined) return "";
      return modifier === undefined ? value : modify(value, modifier);
    },
  );
}
