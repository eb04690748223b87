import { AppError } from "../../error.ts";
import { nearest } from "../../job/nearest.ts";
import type { Command, CommandEntry } from "../command.ts";
import { fishScript } from "../completion-fish.ts";
import { bashScript, type CompletionFlag, type CompletionWords, zshScript } from "../completion-scripts.ts";
import type { Flag } from "../flag.ts";
import { GLOBAL_FLAGS, LEADING_FLAGS } from "../global-flags.ts";
import { renderJson } from "../render.ts";
import { settingFlags } from "../settings-flags.ts";
import { INPUT_FLAG } from "../typed-input.ts";

/** The script of each shell. */
const SHELLS: Readonly<Record<string, (words: CompletionWords) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

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
  const [loaded, types] = await Promise.all([Promise.all(commands.map((entry) => entry.load())), typeNames()]);
  return {
    commands: loaded.map(({ name, summary, flags, words, settings = [], moreFlags }) => {
      const takesType = moreFlags !== undefined;
      const all = [...flags, ...settingFlags(settings), ...(takesType ? [INPUT_FLAG] : [])];
      const valued = all.map((flag) =>
        completionFlag(takesType && flag.name === "type" ? { ...flag, choices: types } : flag),
      );
      const first = valued.find((flag) => flag.name === words[0]?.flag);
      return { name, summary, flags: valued, words: first?.choices ?? [] };
    }),
    globals: [...GLOBAL_FLAGS, ...LEADING_FLAGS].map(completionFlag),
  };
}

function completionFlag({ name, kind, choices = [] }: Flag): CompletionFlag {
  return { name, takesValue: kind !== "boolean", choices };
}

/** Those that every installation has: the script starts no program that could ask for others. */
async function typeNames(): Promise<readonly string[]> {
  const [{ loadConfig }, { builtInTypes }] = await Promise.all([
    import("../../config/load.ts"),
    import("../../job-type/registry.ts"),
  ]);
  const { config } = await loadConfig({ env: {}, cwd: "/", home: "/" });
  return builtInTypes(config).map(({ name }) => name);
}
