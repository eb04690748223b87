import { NotModelled } from "../not-modelled.ts";
import type { Main } from "../program.ts";
import { isAccepted } from "./digests.ts";
import { checkOf } from "./operator-check.ts";
import { realPowerShell, runReal } from "./real.ts";
import { serveRunner } from "./runner.ts";

/**
 * `powershell.exe`: the real PowerShell where the machine was given one, else a stand-in. The stand-in cannot run
 * PowerShell. It knows the first stage and the runner by their digests and speaks the runner's protocol; of other texts it
 * knows the few forms of `operator-check.ts` and refuses everything else.
 */
export const main: Main = async (program) => {
  const real = realPowerShell(program.context.folder);
  if (real !== undefined) return runReal(program, real);
  const text = textOf(program.args);
  if (text === undefined) throw new NotModelled(`powershell ${program.args.join(" ")}`);
  if (isAccepted("first-stage", text)) return serveRunner(program);
  const check = checkOf(text, program);
  if (check === undefined) throw new NotModelled(`this PowerShell: ${text}`);
  if (check.stdout !== "") program.line(check.stdout);
  return check.code;
};

/** The text of `-EncodedCommand`, or of `-c`, as sshd starts PowerShell as a default shell. */
function textOf(args: readonly string[]): string | undefined {
  for (const [index, word] of args.entries()) {
    if (/^-(e|ec|enc|encodedcommand)$/i.test(word)) return decode(args[index + 1] ?? "");
    if (/^-(c|command)$/i.test(word)) return unwrap(args.slice(index + 1).join(" "));
    if (/^-(executionpolicy|ep|inputformat|outputformat)$/i.test(args[index - 1] ?? "")) continue;
    if (!/^-(noprofile|noninteractive|nologo|executionpolicy|ep|inputformat|outputformat)$/i.test(word))
      return undefined;
  }
  return undefined;
}

/** A line that starts another PowerShell: one process does for both. */
function unwrap(line: string): string {
  const [, rest] = /^powershell(?:\.exe)? ([-A-Za-z0-9+/= ]+)$/i.exec(line) ?? [];
  return (rest === undefined ? undefined : textOf(rest.split(" "))) ?? line;
}

function decode(encoded: string): string {
  return Buffer.from(encoded, "base64").toString("utf16le");
}
