import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Clock, Timer } from "../../clock.ts";
import { AppError } from "../../error.ts";
import { helperEnvironment } from "../local/environment.ts";
import { ownedPath } from "../local/owned-folder.ts";
import type { ClientEnd } from "./diagnostics.ts";

/** How long a local ssh may take to end after a TERM. */
const KILL_GRACE_MS = 2_000;

/** Files of one call, in a folder that only this account can read; gone when the program has ended. */
export interface CallFiles {
  readonly folder: string;
  readonly diagnosticsPath: string;
}

/** A running `ssh` or `sftp` of this machine. */
export interface LocalClient {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly pid: number;
  /** Settles when the program has ended; what it wrote may still be waiting in its streams. Never rejects. */
  readonly ended: Promise<ClientEnd>;
  /** TERM to it and what it started, KILL after a grace. */
  kill(): void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts one of OpenSSH's programs.
 *
 * @param argumentsFor the arguments, given the call's own files. They stand in the list of processes: no secret.
 * @throws AppError `PREREQUISITE_MISSING` without OpenSSH; `TOO_LARGE` when the arguments are more than the system takes.
 */
export async function startClient(
  program: "ssh" | "sftp",
  argumentsFor: (files: CallFiles) => readonly string[],
  { clock }: { readonly clock: Clock },
): Promise<LocalClient> {
  const folder = mkdtempSync(ownedPath("ssh-call"));
  const files = { folder, diagnosticsPath: join(folder, "diagnostics") };
  try {
    // A session of its own: nothing can ask at our terminal, and Ctrl-C reaches it through us only.
    const env = helperEnvironment();
    const child = spawn(program, argumentsFor(files), { stdio: ["pipe", "pipe", "pipe"], detached: true, env });
    await once(child, "spawn");
    return new Running(child, files, clock);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw explainStart(program, error);
  }
}

class Running implements LocalClient {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly pid: number;
  readonly ended: Promise<ClientEnd>;
  readonly #clock: Clock;
  #killedWith: string | undefined;
  #killTimer: Timer | undefined;
  #hasEnded = false;

  constructor(child: Child, files: CallFiles, clock: Clock) {
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = child);
    this.pid = child.pid ?? 0;
    this.#clock = clock;
    // Who writes to a program that has ended learns it from `ended`.
    this.stdin.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve(this.#end(code, signal, files)));
    });
  }

  kill(): void {
    if (this.#hasEnded || this.#killedWith !== undefined) return;
    this.#send("SIGTERM");
    this.#killTimer = this.#clock.after(KILL_GRACE_MS, () => this.#send("SIGKILL"), { background: true });
  }

  #send(signal: "SIGTERM" | "SIGKILL"): void {
    this.#killedWith = signal;
    try {
      // The group: a jump host's ssh too.
      process.kill(-this.pid, signal);
    } catch {
      // It has ended in this moment.
    }
  }

  #end(code: number | null, signal: string | null, files: CallFiles): ClientEnd {
    this.#hasEnded = true;
    this.#killTimer?.cancel();
    const text = readDiagnostics(files.diagnosticsPath);
    rmSync(files.folder, { recursive: true, force: true });
    return { code, signal, killedWith: this.#killedWith, text };
  }
}

function readDiagnostics(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // ssh makes the file with its first line.
    return "";
  }
}

function explainStart(program: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") {
    const message = `${program} is not on PATH; install OpenSSH's client (Debian: apt-get install openssh-client)`;
    return new AppError("PREREQUISITE_MISSING", message, { details: { program }, cause: error });
  }
  if (code !== "E2BIG") return error;
  return new AppError("TOO_LARGE", `the command for ${program} is longer than this system takes`, { cause: error });
}
