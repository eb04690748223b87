import { findCommand } from "../executables.ts";
import { NotModelled } from "../not-modelled.ts";
import { startProgram } from "../start-program.ts";
import { splitName } from "./external.ts";
import type { Interpreter } from "./interpreter.ts";

/** `start ["title"] [/b] [/wait] program arguments`: does not wait. A console program without `/b` has a window of its own. */
export async function startInBackground(rest: string, shell: Interpreter): Promise<number> {
  let text = rest.trim().replace(/^"[^"]*"\s*/, "");
  const flags = new Set<string>();
  for (let flag = /^\/(\S+)\s*/.exec(text); flag !== null; flag = /^\/(\S+)\s*/.exec(text)) {
    flags.add((flag[1] ?? "").toLowerCase());
    text = text.slice(flag[0].length);
  }
  for (const flag of flags) if (flag !== "b" && flag !== "wait") throw new NotModelled(`start /${flag} of cmd`);
  const { name } = splitName(text);
  const lookup = { folder: shell.program.context.folder, cwd: shell.cwd, environment: shell.environment };
  const image = findCommand(name.replaceAll('"', ""), lookup);
  if (image === undefined) {
    shell.fail(`The system cannot find the file ${name}.`, 9_059);
    return 9_059;
  }
  const { context } = shell.program;
  const started = startProgram({
    image,
    commandLine: text,
    cwd: shell.cwd,
    environment: shell.environment,
    context,
    // A window of its own takes the output; nobody sees it.
    stdio: flags.has("b") ? [...shell.handles] : "ignore",
  });
  if (started.kind === "error") return 1;
  if (flags.has("wait")) return started.ended;
  started.child.unref();
  return 0;
}
