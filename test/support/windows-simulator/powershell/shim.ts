import { join } from "node:path";
import { quoteArgument } from "../command-line.ts";
import { ownContext, ownEnvironment, required, VARIABLES } from "../process-context.ts";
import { startProgram } from "../start-program.ts";

// What the real PowerShell starts in place of a program of the machine: shim.ts WINDOWS-PATH ARGUMENT…
const [image = "", ...args] = process.argv.slice(2);
const context = ownContext();
const isCmd = /\\cmd\.exe$/i.test(image);
const started = startProgram({
  image,
  commandLine: isCmd ? cmdLine(args) : [`"${image}"`, ...args.map(quoteArgument)].join(" "),
  cwd: required(VARIABLES.cwd),
  environment: ownEnvironment(),
  context,
  stdio: "inherit",
});
if (started.kind === "error") {
  process.stderr.write(`${started.message}\n`);
  process.exit(1);
}
// The real system has 8 bits; 0 means success, so nothing else may become 0.
const code = await started.ended;
process.exit(code & 0xff || (code === 0 ? 0 : 255));

/** cmd takes its line raw. A batch file was found in the folder of these scripts. */
function cmdLine(words: readonly string[]): string {
  const line = (words.at(-1) ?? "").replace(
    new RegExp(`"${join(context.folder, "shims")}/([^"/]+)"`),
    (_, name: string) => `"${name}"`,
  );
  return `"${image}" ${words.slice(0, -1).join(" ")} "${line}"`;
}
