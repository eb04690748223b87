import { z } from "zod";
import { COMMANDS } from "../../src/cli/commands.ts";
import { GLOBAL_FLAGS } from "../../src/cli/global-flags.ts";
import { type FieldSchema, flagsOfSchema } from "../../src/cli/schema-flags.ts";
import { settingFlags } from "../../src/cli/settings-flags.ts";
import { builtInTypes } from "../../src/job-type/registry.ts";

/** Every command that a page tells to type: behind a prompt, or in backticks. */
export function commandsOf(page: string): string[] {
  const typed = [...page.matchAll(/^\s*[$#] (?:[A-Z_]+=\S+ )?(windlass .*)$/gm)].map(([, command = ""]) => command);
  const named = [...page.matchAll(/`(windlass [a-z][^`\n]*)`/g)].map(([, command = ""]) => command);
  return [...typed, ...named].filter((command) => !command.includes(" <"));
}

/** The flags that a line gives, and those that its command knows. @throws when there is no such command. */
export async function knownFlags(line: string): Promise<{ known: string[]; given: string[] }> {
  const [said = ""] = line
    .replaceAll(/'[^']*'|"[^"]*"/g, "text")
    .replace(/ # .*$/, "")
    .split(" -- ");
  const words = said.split(/\s+/).slice(1);
  const entry = COMMANDS.filter(({ name }) => `${words.join(" ")} `.startsWith(`${name} `)).sort(
    (a, b) => b.name.length - a.name.length,
  )[0];
  if (entry === undefined) throw new Error(`there is no command ${line}`);
  const command = await entry.load();
  const flags = [...GLOBAL_FLAGS, ...command.flags, ...settingFlags(command.settings ?? []), ...typeFlags(words)];
  const known = flags.flatMap(({ name, aliases = [], short }) => [
    ...[name, ...aliases].map((each) => `--${each}`),
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
  const given = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/, ""));
  return { known: [...known, "--input-json", "--from-file"], given };
}

/** The flags of the job type that the words are about, by its name or by that of its own command. */
function typeFlags(words: readonly string[]) {
  const types = builtInTypes({ exec: { secrets: [] }, httpRequest: { secrets: [] } } as never);
  const own = types.find(({ name }) => words.slice(0, 2).join(".") === name);
  const type = own ?? types.find(({ name }) => words.includes(name));
  return type === undefined ? [] : flagsOfSchema(z.toJSONSchema(type.input, { io: "input" }) as FieldSchema);
}
