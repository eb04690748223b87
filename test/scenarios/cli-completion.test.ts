// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what shells read
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder } from "../support/cli.ts";

const call = promisify(execFile);

let folder: CliFolder;
beforeAll(async () => {
  folder = new CliFolder();
  for (const shell of ["bash", "zsh", "fish"])
    folder.write(`${shell}.script`, (await folder.call(["completion", shell])).stdout);
  folder.write("files/only.file", "");
});
afterAll(() => folder[Symbol.asyncDispose]());

/** What a shell offers for the last word of a line; `undefined` where the shell is missing. */
type Complete = (words: readonly string[]) => Promise<readonly string[] | undefined>;

async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  const env = { PATH: process.env["PATH"], HOME: folder.path, TERM: "xterm" };
  return call(program, [...args], { cwd: join(folder.path, "files"), env, timeout: 20_000 }).then(
    ({ stdout }) => stdout,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
}

const list = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== "");

/** Bash hands the words to the function as it would at a Tab. */
const bash: Complete = async (words) => {
  const script = [
    `source ${folder.path}/bash.script`,
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()',
    "$(complete -p windlass | sed 's/.*-F \\([^ ]*\\) .*/\\1/')",
    "printf '%s\\n' \"${COMPREPLY[@]}\"",
  ];
  const shown = await run("bash", ["--norc", "-c", script.join("\n"), "bash", "windlass", ...words]);
  return shown === undefined ? undefined : list(shown);
};

/** Fish completes a line by itself and shows a summary behind a tab. */
const fish: Complete = async (words) => {
  const line = ["windlass", ...words].join(" ");
  const shown = await run("fish", ["--no-config", "-c", `source ${folder.path}/fish.script; complete -C '${line}'`]);
  return shown?.split("\n").flatMap((one) => (one === "" ? [] : [one.split("\t")[0] ?? ""]));
};

/** Zsh completes only at a terminal of its own: what would be offered is written to a file. */
const zsh: Complete = async (words) => {
  const offered = join(folder.path, "zsh.offered");
  const setUp = [
    "PS1=; autoload -Uz compinit; compinit -u -D",
    `source ${folder.path}/zsh.script`,
    'show() { compadd() { local -a out; builtin compadd -O out "$@"; print -rl -- $out >> $OFFERED; builtin compadd "$@" }; _main_complete; print -r -- END >> $OFFERED }',
    "zle -C show complete-word show; bindkey '^X' show; print -r -- 'REA''DY'",
  ];
  folder.write("set-up.zsh", setUp.join("\n"));
  const driver = [
    "zmodload zsh/zpty; : > $OFFERED; zpty z zsh -f -i",
    `zpty -w z 'OFFERED=${offered}; source ${folder.path}/set-up.zsh'`,
    "while zpty -r z line; do [[ $line == *READY* ]] && break; done",
    "zpty -w -n z \"windlass $1\"$'\\x18'",
    "for ((i = 0; i < 200; i++)); do grep -q END $OFFERED && break; sleep 0.05; done; zpty -d z",
  ];
  const missing = await run("zsh", ["-f", "-c", `OFFERED=${offered}; ${driver.join("\n")}`, "zsh", words.join(" ")]);
  if (missing === undefined || !existsSync(offered)) return undefined;
  // Files are offered in several turns.
  return [...new Set(list(readFileSync(offered, "utf8")))].filter((word) => word !== "END");
};

const SHELLS: readonly [string, Complete][] = [
  ["bash", bash],
  ["zsh", zsh],
  ["fish", fish],
];

const sorted = (words: readonly string[] = []): readonly string[] => words.toSorted();

describe.each(SHELLS)("%s completes", (shell, complete) => {
  test("commands, flags, their values and files", async ({ skip }) => {
    const first = await complete([""]);
    if (first === undefined) return skip(`${shell} is missing; install it (apt-get install ${shell})`);
    for (const word of ["run", "worker", "jobs", "doctor"]) expect(first).toContain(word);
    expect(first).not.toContain("enqueue");
    expect(sorted(await complete(["jobs", "st"]))).toEqual(["stats", "status"]);
    expect(await complete(["--db", "jobs", "jobs", "li"])).toEqual(["list"]);
    expect(await complete(["jobs", "list", "--lim"])).toEqual(["--limit"]);
    expect(await complete(["jobs", "list", "--no-c"])).toEqual(["--no-color"]);
    expect(await complete(["jobs", "list", "--state", "que"])).toEqual(["queued"]);
    expect(sorted(await complete(["schedules", "add", "--overlap", ""]))).toEqual(["allow", "cancel-previous", "skip"]);
    expect(await complete(["run", ""])).toContain("exec");
    expect(await complete(["jobs", "enqueue", "--type", "ex"])).toEqual(["exec"]);
    expect(sorted(await complete(["completion", ""]))).toEqual(["bash", "fish", "zsh"]);
    expect(await complete(["--config", "on"])).toEqual(["only.file"]);
    expect(await complete(["db", "backup", "on"])).toEqual(["only.file"]);
    expect(await complete(["run", "exec", "--", "on"])).toEqual(["only.file"]);
    // What a command has been found for offers no further command.
    expect(await complete(["jobs", "list", "can"])).toEqual([]);
  });
});

test("bash completes a value behind =", async ({ skip }) => {
  const values = await bash(["jobs", "list", "--state", "=", "que"]);
  return values === undefined
    ? skip("bash is missing; install it (apt-get install bash)")
    : expect(values).toEqual(["queued"]);
});
