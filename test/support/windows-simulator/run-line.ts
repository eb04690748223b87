import { text } from "node:stream/consumers";
import { initialEnvironment, profileFolder } from "./environment.ts";
import { startProgram } from "./start-program.ts";
import type { Machine } from "./state.ts";

const CMD = "C:\\Windows\\System32\\cmd.exe";

/** How a line ended. */
export interface LineEnd {
  /** Unsigned, 32 bits. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `cmd /d /s /c "LINE"` inside the machine without SSH, as somebody in session 0 would; text is read as UTF-8. */
export async function runLine(
  machine: Machine,
  line: string,
  {
    input = "",
    cwd,
    rawArguments,
  }: { readonly input?: string; readonly cwd?: string; readonly rawArguments?: string } = {},
): Promise<LineEnd> {
  const { folder, settings } = machine;
  const started = startProgram({
    image: CMD,
    commandLine: `cmd.exe ${rawArguments ?? `/d /s /c "${line}"`}`,
    cwd: cwd ?? profileFolder(settings.user),
    environment: initialEnvironment(settings, settings.user),
    context: { folder, job: `line-${process.pid}-${++lines}`, session: 0, user: settings.user },
    stdio: ["pipe", "pipe", "pipe"],
  });
  if (started.kind === "error") throw new Error(started.message);
  const { stdin, stdout, stderr } = started.child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("no pipes");
  stdin.on("error", () => {});
  stdin.end(input);
  const [code, out, error] = await Promise.all([started.ended, text(stdout), text(stderr)]);
  return { code, stdout: out, stderr: error };
}

let lines = 0;
