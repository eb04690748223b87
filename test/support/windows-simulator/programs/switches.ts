import { NotModelled } from "../not-modelled.ts";

/** The switches of a program in the style of `/NAME value`, by upper-case name. */
export interface Switches {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** What is not among the known switches is an error of the test. */
export function readSwitches(
  program: string,
  args: readonly string[],
  { flags, values }: { readonly flags: readonly string[]; readonly values: readonly string[] },
): Switches {
  const found = { flags: new Set<string>(), values: new Map<string, string[]>() };
  for (let at = 0; at < args.length; at++) {
    const name = (args[at] ?? "").toUpperCase().replace(/^-/, "/");
    if (flags.includes(name)) found.flags.add(name);
    else if (values.includes(name)) {
      const value = args[++at];
      if (value === undefined) throw new NotModelled(`${program} with no value of ${name}`);
      found.values.set(name, [...(found.values.get(name) ?? []), value]);
    } else throw new NotModelled(`${program} ${args[at]} (in: ${args.join(" ")})`);
  }
  return found;
}
