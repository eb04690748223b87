import { environmentNamesOf, PREFIXES, ROWS, type SettingKey } from "../schema/schema.ts";
import type { Given } from "./given.ts";
import type { Environment } from "./interpolate.ts";

/** A variable that was found; `ignored` are further ones that mean the same. */
export interface FoundVariable {
  readonly name: string;
  readonly value: string;
  readonly ignored: readonly string[];
}

/**
 * Looks a variable up with every prefix; the first name wins, and the first prefix.
 *
 * @param names without their prefix.
 */
export function lookUp(env: Environment, names: readonly string[], takesEmpty: boolean): FoundVariable | undefined {
  const isSet = (name: string) => env[name] !== undefined && (takesEmpty || env[name] !== "");
  const [name, ...ignored] = names.flatMap((end) => PREFIXES.map((prefix) => prefix + end)).filter(isSet);
  return name === undefined ? undefined : { name, value: env[name] ?? "", ignored };
}

/** The sentence about variables that lost against another. */
export function warnAbout({ name, ignored }: FoundVariable): readonly string[] {
  return ignored.map((other) => `${other} is ignored, because ${name} is set too`);
}

/** What the environment says. */
export function readEnvironment(env: Environment, cwd: string) {
  const given = new Map<SettingKey, Given>();
  const warnings: string[] = [];
  for (const [key, row] of ROWS) {
    const found = lookUp(env, environmentNamesOf(key, row), row.takesEmpty ?? false);
    if (found === undefined) continue;
    given.set(key, { value: found.value, origin: { kind: "environment", name: found.name }, folder: cwd });
    warnings.push(...warnAbout(found));
  }
  return { given, warnings };
}

/** What variables of other programs say about keys that nothing of ours sets. */
export function readForeignEnvironment(env: Environment, cwd: string, isSet: (key: SettingKey) => boolean) {
  const given = new Map<SettingKey, Given>();
  for (const [key, { foreignEnvironment: name }] of ROWS) {
    const value = name === undefined || isSet(key) ? "" : (env[name] ?? "");
    if (name !== undefined && value !== "")
      given.set(key, { value, origin: { kind: "environment", name }, folder: cwd });
  }
  return given;
}
