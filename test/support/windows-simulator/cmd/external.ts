import { existsSync } from "node:fs";
import { win32 } from "node:path";
import { findCommand } from "../executables.ts";
import { NotModelled } from "../not-modelled.ts";
import { startProgram } from "../start-program.ts";
import { realPath } from "../windows-path.ts";
import type { Interpreter } from "./interpreter.ts";

/** The number of cmd's message MSG_DIR_BAD_COMMAND_OR_FILE, seen in `%ERRORLEVEL%`. */
const NOT_RECOGNIZED = 9_009;

/** How the start of something that is no builtin went. */
export type External =
  | { readonly kind: "ended"; readonly code: number }
  | { readonly kind: "batch"; readonly path: string; readonly name: string; readonly rest: string }
  | { readonly kind: "failed"; readonly message: string; readonly code: number };

/** Splits a command into its name and the rest: the name ends at a delimiter that is not quoted. */
export function splitName(line: string): { readonly name: string; readonly rest: string } {
  const name = /^(?:"[^"]*"?|[^\s,;="])*/.exec(line)?.[0] ?? "";
  return { name, rest: line.slice(name.length) };
}

/** Finds and runs a program; resolves when it has ended. */
export async function startExternal(line: string, shell: Interpreter): Promise<External> {
  const { name, rest } = splitName(line);
  const plain = name.replaceAll('"', "");
  const lookup = { folder: shell.program.context.folder, cwd: shell.cwd, environment: shell.environment };
  const path = plain === "" ? undefined : findCommand(plain, lookup);
  if (path === undefined) return notFound(name, plain, shell);
  if (/\.(bat|cmd)$/i.test(path)) return { kind: "batch", path, name, rest };
  if (!/\.(exe|com)$/i.test(path)) throw new NotModelled(`starting ${path}: only .exe, .com, .bat and .cmd run`);
  const started = startProgram({
    image: path,
    commandLine: `${name}${rest}`,
    cwd: shell.cwd,
    environment: shell.environment,
    context: shell.program.context,
    stdio: [...shell.handles],
  });
  if (started.kind === "error")
    return { kind: "failed", message: "This version of the program is not compatible.", code: 1 };
  return { kind: "ended", code: await started.ended };
}

function notFound(name: string, plain: string, shell: Interpreter): External {
  const parent = realPath(shell.program.context.folder, win32.dirname(plain), shell.cwd);
  if (/[\\/:]/.test(plain) && (parent === undefined || !existsSync(parent))) {
    return { kind: "failed", message: "The system cannot find the path specified.", code: 3 };
  }
  const message = `'${name}' is not recognized as an internal or external command,\r\noperable program or batch file.`;
  return { kind: "failed", message, code: NOT_RECOGNIZED };
}
