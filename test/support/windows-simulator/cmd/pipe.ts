import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { realEnvironment, VARIABLES } from "../process-context.ts";
import { moduleArguments } from "../start-program.ts";
import { realPath } from "../windows-path.ts";
import type { Interpreter } from "./interpreter.ts";

/** Every side is a `cmd /S /D /c` of its own, as on Windows: what one sets, nobody else sees. Returns the last one's code. */
export async function runPipe(shell: Interpreter, sides: readonly string[]): Promise<number> {
  const { context, commandLine: _, image } = shell.program;
  const exitFile = join(context.folder, "exits", randomUUID());
  const words: string[] = [];
  const parts = sides.map((side, index) => {
    const args = [process.execPath, ...moduleArguments("./cmd/main.ts", `${image} /S /D /c" ${side} "`)];
    const quoted = args.map((word) => `"$${"{"}${words.push(word)}}"`).join(" ");
    // Only the last one's code counts; the file is its own.
    return index === sides.length - 1 ? `${VARIABLES.exitFile}=${exitFile} ${quoted}` : quoted;
  });
  const [stdin, stdout, stderr] = shell.handles;
  // The real shell only joins the processes: node cannot hand one child's output to another without reading it.
  const child = spawn("/bin/sh", ["-c", parts.join(" | "), "sh", ...words], {
    cwd: realPath(context.folder, shell.cwd, shell.cwd) ?? context.folder,
    env: {
      ...realEnvironment(context, shell.environment),
      [VARIABLES.image]: image,
      [VARIABLES.cwd]: shell.cwd,
    },
    stdio: [stdin, stdout, stderr],
  });
  const [code] = await once(child, "exit");
  if (!existsSync(exitFile)) return (code as number | null) ?? 1;
  const written = Number(readFileSync(exitFile, "utf8"));
  rmSync(exitFile, { force: true });
  return written;
}
