import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { onAbort } from "../../clock.ts";
import { AppError } from "../../error.ts";
import { judgeEnd } from "./diagnostics.ts";
import type { CallFiles, LocalClient } from "./local-client.ts";
import type { SshTarget } from "./options.ts";
import { refusalOf } from "./refusal.ts";

/** What carries file transfers. */
export interface Transport {
  readonly target: SshTarget;
  readonly signal: AbortSignal;
  /** Starts sftp; `ssh` are the arguments of the ssh that it is to run. */
  start(argumentsFor: (ssh: readonly string[], files: CallFiles) => readonly string[]): Promise<LocalClient>;
}

const SAID_BYTES_MAX = 16_384;
const DRIVE = /^\/?[A-Za-z]:([\\/]|$)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a batch has a command a line
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * Lets sftp run these commands until one fails.
 *
 * @throws AppError `REMOTE_FILE_MISSING`, `TRANSFER_FAILED`, or that of a machine which is not reached; the signal's reason.
 */
export async function runBatch(transport: Transport, commands: readonly string[]): Promise<void> {
  const { signal, target } = transport;
  signal.throwIfAborted();
  const client = await transport.start((ssh, files) => {
    // sftp splits what it is to run into words by rules of its own, and only up to 2,048 bytes of it.
    const script = join(files.folder, "ssh.sh");
    writeFileSync(script, `exec ssh ${ssh.map(quoteForShell).join(" ")}\n`, { mode: 0o600 });
    return ["-q", "-b", "-", "-D", `/bin/sh ${quoteForSftp(script)}`];
  });
  using _ = onAbort(signal, () => client.kill());
  client.stdout.resume();
  const said = collect(client.stderr);
  client.stdin.end(`${commands.join("\n")}\n`);
  const end = await client.ended;
  signal.throwIfAborted();
  if (end.code === 0) return;
  // How the ssh below sftp ended: with a status of the server's, it was the transfer that failed and not the line.
  const { failure } = judgeEnd({ ...end, code: 255, signal: null }, false);
  if (failure !== undefined) throw refusalOf(target, failure);
  throw explain(target, await said);
}

/** A path of the machine as an argument of a batch command. @throws AppError `INVALID_PATH`. */
export function remoteName(path: string): string {
  if (!DRIVE.test(path) || CONTROL.test(path)) {
    const message = `${JSON.stringify(path)} is no path of a Windows machine; give it as C:/folder/name`;
    throw new AppError("INVALID_PATH", message, { details: { path } });
  }
  return quoteForSftp(path.replaceAll("\\", "/"));
}

/** An absolute path of this machine as an argument of a batch command. @throws AppError `INVALID_PATH`. */
export function localName(path: string): string {
  if (!CONTROL.test(path)) return quoteForSftp(path);
  throw new AppError("INVALID_PATH", `${JSON.stringify(path)} has a control character`, { details: { path } });
}

/** Inside of quotes sftp takes `*`, `?` and `[` as they are. */
function quoteForSftp(path: string): string {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function explain({ name }: SshTarget, said: string): AppError {
  const text = said.replaceAll(/\s*\n\s*/g, "; ").trim();
  const code = /not found|No such file/.test(text) ? "REMOTE_FILE_MISSING" : "TRANSFER_FAILED";
  return new AppError(code, `a file transfer with ${name} failed: ${text || "sftp gave no reason"}`, {
    details: { host: name },
  });
}

async function collect(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (bytes < SAID_BYTES_MAX) chunks.push(chunk);
      bytes += chunk.length;
    }
  } catch {
    // Closed under us: what came is what there is.
  }
  return Buffer.concat(chunks).toString("utf8").slice(0, SAID_BYTES_MAX);
}
