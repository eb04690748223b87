import { AppError } from "../../error.ts";
import { isBuiltin, quoteForCmd, quoteForProgram } from "./model/program-arguments.ts";
import type { OwnScript } from "./own-script.ts";

/** What one of our scripts is given: flat, so that nothing in it can be taken for something else. */
export type ScriptArgument = Readonly<Record<string, string | number | boolean | null>>;

/** A command for a runner: a program with its arguments, a line for the host's default shell, or a script of ours. */
export type RunnerRequest =
  | { readonly argv: readonly string[] }
  | { readonly line: string }
  | { readonly script: OwnScript; readonly arg?: ScriptArgument | undefined };

/** What every request says of itself. */
interface Envelope {
  readonly nonce: string;
  readonly timeoutMs: number;
}

/**
 * A request as the line of JSON that runner.ps1 reads. Every text begins with `=`: ConvertFrom-Json makes a date of a text
 * that looks like one.
 *
 * @throws AppError `ARGUMENT_UNSAFE` for what no process can be given: an empty argv, a NUL.
 */
export function encodeRequest(request: RunnerRequest, { nonce, timeoutMs }: Envelope): string {
  return `${JSON.stringify({ nonce, timeout_ms: Math.ceil(timeoutMs), ...formOf(request) })}\n`;
}

function formOf(request: RunnerRequest): Record<string, unknown> {
  if ("argv" in request) return argvForm(request.argv);
  if ("line" in request) {
    refuseNul([request.line]);
    return { line: marked(request.line), arguments: marked(quoteForProgram([request.line])) };
  }
  const arg = Object.entries(request.arg ?? {}).map(([name, value]) => [
    name,
    typeof value === "string" ? marked(value) : value,
  ]);
  return { script: marked(request.script.text), name: request.script.name, arg: Object.fromEntries(arg) };
}

function argvForm(argv: readonly string[]): Record<string, unknown> {
  const [program = "", ...args] = argv;
  if (program === "") throw unsafe("a command needs the name of a program");
  refuseNul(argv);
  const cmd = quoteForCmd(program, args);
  return {
    argv: argv.map(marked),
    arguments: marked(quoteForProgram(args)),
    builtin: isBuiltin(program),
    cmd: cmd === undefined ? null : marked(cmd),
  };
}

function refuseNul(texts: readonly string[]): void {
  if (texts.some((text) => text.includes("\0"))) throw unsafe("a NUL character cannot be part of a command");
}

function unsafe(message: string): AppError {
  return new AppError("ARGUMENT_UNSAFE", message);
}

function marked(text: string): string {
  return `=${text}`;
}
