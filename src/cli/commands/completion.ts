import { AppError } from "../../error.ts";
import { nearest } from "../../job/nearest.ts";
import type { Command, CommandEntry } from "../command.ts";
import { type CompletionWords, SHELLS } from "../completion-scripts.ts";
import { GLOBAL_FLAGS, LEADING_FLAGS } from "../global-flags.ts";
import { renderJson } from "../render.ts";
import { settingFlags } from "../settings-flags.ts";

/** `completion`: the script is complete in itself, so that a Tab starts no program. */
export const completion: Command = {
  name: "completion",
  summary: "Print the completion script of a shell.",
  description: "For example: windlass completion bash > ~/.local/share/bash-completion/completions/windlass",
  flags: [{ name: "shell", kind: "text", description: "The shell.", choices: Object.keys(SHELLS), required: true }],
  words: [{ name: "shell", flag: "shell", isRequired: true }],
  async run({ values, terminal, command, commands, globals }) {
    const shell = String(values.get("shell"));
    const write = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
    if (write === undefined) {
      const [near] = nearest(shell, Object.keys(SHELLS), 1);
      const hint = near === undefined ? `it is one of ${Object.keys(SHELLS).join(", ")}` : `did you mean ${near}?`;
      throw new AppError("USAGE", `${command}: there is no script for ${JSON.stringify(shell)}; ${hint}`);
    }
    const script = write(await completionWords(commands));
    terminal.out(globals.json ? renderJson({ shell, script }, terminal) : script);
    return 0;
  },
};

async function completionWords(commands: readonly CommandEntry[]): Promise<CompletionWords> {
  const loaded = await Promise.all(commands.map((entry) => entry.load()));
  return {
    commands: loaded.map(({ name, summary, flags, settings = [] }) => ({
      name,
      summary,
      flags: [...flags, ...settingFlags(settings)].map((flag) => `--${flag.name}`),
    })),
    globals: [...GLOBAL_FLAGS, ...LEADING_FLAGS].map(({ name }) => `--${name}`),
  };
}
