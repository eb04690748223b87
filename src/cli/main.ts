import { AppError } from "../error.ts";
import type { Logger } from "../logfmt.ts";
import type { CommandEntry } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { findCommand } from "./find-command.ts";
import { GLOBAL_FLAGS, globalValues, LEADING_FLAGS } from "./global-flags.ts";
import { commandLog } from "./log.ts";
import { knownValues, readArguments } from "./read-arguments.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

const FRONT_FLAGS = [...GLOBAL_FLAGS, ...LEADING_FLAGS];

/**
 * Runs one command.
 *
 * @param argv what stands behind the program's name.
 * @returns the exit status.
 */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === "help") return main([...argv.slice(1), "--help"]);
  // Known before anything is checked, so that an error is told in the right way.
  const early = globalValues(knownValues(argv, FRONT_FLAGS));
  const terminal = processTerminal(early);
  const log = commandLog(terminal, { quiet: early.quiet, component: "cli" });
  tellLostOutput(terminal, log);
  let op = "windlass";
  try {
    const front = findCommand(argv, COMMANDS, FRONT_FLAGS);
    const name = front.words.join(" ");
    if (name !== "") op = name.replace(" ", ".");
    const leading = readArguments(name, front.leading, FRONT_FLAGS).values;
    const entry = chooseEntry(name, leading);
    if (entry === undefined) {
      const asked = leading.has("help");
      // Nothing was called: a script that wants JSON, or has put its words behind --, must not take a menu for an answer.
      if (!asked && (early.json || front.argv.length > 0)) throw noCommand(name);
      const { showMenu, showStart } = await import("./help.ts");
      return name === "" && !asked ? showStart(terminal) : showMenu({ terminal, name, asked });
    }
    // Loaded late, as is all that needs zod: the menu and an unknown command are told without it.
    const { runCommand } = await import("./run-command.ts");
    return await runCommand(entry, { leading, argv: front.argv, commands: COMMANDS, terminal, log });
  } catch (error) {
    const { reportError } = await import("./report-error.ts");
    return reportError(error, { terminal, log, json: early.json, op });
  }
}

/** A full disk behind `> file` is a failure; a reader that ended (`| head`) is none. */
function tellLostOutput({ closed }: Terminal, log: Logger): void {
  closed.addEventListener("abort", () => {
    const { code, message } = closed.reason as NodeJS.ErrnoException;
    if (code === "EPIPE") return;
    log.error("windlass", "standard output cannot be written", { err: message });
    process.exitCode = 1;
  });
}

function noCommand(name: string): AppError {
  const words = name === "" ? "" : ` behind ${name}`;
  return new AppError(
    "USAGE",
    `there is no command${words}; \`${["windlass", name, "--help"].filter((word) => word !== "").join(" ")}\` lists them`,
  );
}

function chooseEntry(name: string, leading: ReadonlyMap<string, unknown>): CommandEntry | undefined {
  const wanted = name === "" && leading.has("version") ? "version" : name;
  return COMMANDS.find((entry) => entry.name === wanted);
}
