/** What cmd.exe does itself (`help`, and those that it does not list). It looks here before it looks for a program. */
const BUILTINS: ReadonlySet<string> = new Set(
  (
    "assoc break call cd chdir cls color copy date del dir echo endlocal erase exit for ftype goto if md mkdir mklink move " +
    "path pause popd prompt pushd rd rem ren rename rmdir set setlocal shift start time title type ver verify vol"
  ).split(" "),
);

/** Words that need no quotes. Switches (`/b`) must have none, and `echo` would print them. */
const PLAIN_FOR_CMD = /^[A-Za-z0-9_./\\:@+-]+$/;

/** No quoting keeps cmd from acting on these: `%` expands inside quotes, a quote ends them, a line end ends the command. */
const UNSAFE_FOR_CMD = /["%\r\n]/;

/** True for a command that only cmd.exe knows. */
export function isBuiltin(program: string): boolean {
  return BUILTINS.has(program.toLowerCase());
}

/**
 * Arguments as one text that the C runtime of a Windows program takes apart again into the same arguments: for .NET
 * Framework, which has no list of them.
 *
 * @see https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
 */
export function quoteForProgram(args: readonly string[]): string {
  return args.map(quoteWord).join(" ");
}

/**
 * Arguments as the end of a line for `cmd /d /e:on /v:off /s /c`, each after a space; `undefined` when one of them could not
 * be kept as it is.
 *
 * @param program a batch file's arguments go on to programs, for which a backslash before the closing quote is doubled.
 */
export function quoteForCmd(program: string, args: readonly string[]): string | undefined {
  if (args.some((arg) => UNSAFE_FOR_CMD.test(arg))) return undefined;
  const doubles = !isBuiltin(program);
  return args.map((arg) => ` ${PLAIN_FOR_CMD.test(arg) ? arg : inQuotes(arg, doubles)}`).join("");
}

function inQuotes(arg: string, doubles: boolean): string {
  return `"${doubles ? arg.replace(/\\+$/, "$&$&") : arg}"`;
}

function quoteWord(arg: string): string {
  if (arg !== "" && !/[\s"]/.test(arg)) return arg;
  return `"${arg.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, "$&$&")}"`;
}
