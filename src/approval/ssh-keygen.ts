import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { AppError, isAppError } from "../error.ts";
import { NAMESPACE } from "./statement.ts";

const VERIFY_MS = 10_000;
/** A person looks for the security key, or for the passphrase. */
const SIGN_MS = 120_000;
const OUTPUT_MAX = 64 * 1024;
const ADVICE = "approvals are signed and verified with it: install openssh-client";
/** With which it ends by itself. Killed for want of memory, or without a library that it needs, it has said nothing. */
const ANSWERS: ReadonlySet<number> = new Set([0, 1, 255]);

/** A statement with a signature that somebody is said to have made. */
export interface SignatureClaim {
  readonly statement: string;
  /** Armored. */
  readonly signature: string;
  readonly principal: string;
  /** Type and base64, as one line. */
  readonly key: string;
}

/**
 * Asks OpenSSH whether a signature is that key's, over these bytes, for this program.
 *
 * @throws AppError `PREREQUISITE_MISSING` without ssh-keygen, or where this machine cannot run it now; `TIMEOUT`, `CANCELLED`.
 */
export async function verifySignature(claim: SignatureClaim, options: { readonly signal?: AbortSignal } = {}) {
  return inFolder(async (folder) => {
    const [signers, signature] = [join(folder, "allowed_signers"), join(folder, "signature")];
    await writeFile(signers, `${claim.principal} namespaces="${NAMESPACE}" ${claim.key}\n`, { mode: 0o600 });
    // It takes no armor with the line ends of Windows, where the key may be.
    await writeFile(signature, claim.signature.replaceAll("\r\n", "\n"), { mode: 0o600 });
    const args = ["-Y", "verify", "-f", signers, "-I", claim.principal, "-n", NAMESPACE, "-s", signature];
    const { status, stderr } = await runSshKeygen(args, claim.statement, { timeoutMs: VERIFY_MS, ...options });
    if (status !== null && ANSWERS.has(status)) return status === 0;
    const how = status === null ? "was ended by a signal" : `ended with ${status}`;
    throw unusable(`${how}${stderr === "" ? "" : ` (${saidIn(stderr)})`}`);
  });
}

/** How a statement is signed. */
export interface SignOptions {
  readonly signal?: AbortSignal;
}

/**
 * Signs a statement. The key is a file with a private one, or with the public one of a key that the SSH agent holds.
 *
 * @returns the armored signature.
 * @throws AppError `APPROVAL_SIGNATURE` when ssh-keygen makes none, saying what it said; as {@link verifySignature}.
 */
export async function signStatement(statement: string, keyPath: string, options: SignOptions = {}): Promise<string> {
  const args = ["-Y", "sign", "-f", keyPath, "-n", NAMESPACE];
  const { status, stdout, stderr } = await runSshKeygen(args, statement, { timeoutMs: SIGN_MS, ...options });
  if (status === 0 && stdout.includes("BEGIN SSH SIGNATURE")) return stdout;
  throw new AppError(
    "APPROVAL_SIGNATURE",
    `ssh-keygen made no signature with ${keyPath}: ${saidIn(stderr) || `exit ${status}`}`,
  );
}

/** In one line: the last one alone says that there is no key where one is that others can read. */
function saidIn(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("@")).join(" ");
}

/** Signs with a key that only the SSH agent has: its public part is put where ssh-keygen can read it. */
export async function signWithAgent(statement: string, key: string, options: SignOptions = {}): Promise<string> {
  return inFolder(async (folder) => {
    const path = join(folder, "key.pub");
    await writeFile(path, `${key}\n`, { mode: 0o600 });
    return signStatement(statement, path, options);
  });
}

/** Gives an action a folder that only this account can look into, and removes it, where it can, however that ends. */
async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  // mkdtemp makes it 0700.
  const folder = await mkdtemp(join(tmpdir(), "windlass-approval-")).catch(refuseFault);
  try {
    return await action(folder).catch(refuseFault);
  } finally {
    // What cannot be removed, as where no descriptor is free, is no secret; the answer stands.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** A full disk or a machine out of processes says nothing of a signature. @throws AppError `PREREQUISITE_MISSING` for a system call that failed. */
function refuseFault(error: unknown): never {
  if (isAppError(error) || !(error instanceof Error) || !("syscall" in error)) throw error;
  throw unusable(`cannot be run (${error.syscall} said ${(error as NodeJS.ErrnoException).code})`, error);
}

interface RunOptions extends SignOptions {
  readonly timeoutMs: number;
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runSshKeygen(args: readonly string[], stdin: string, options: RunOptions): Promise<Ended> {
  const { signal, timeoutMs } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  // A passphrase it asks for on the terminal, which it opens itself.
  const child = spawn("ssh-keygen", args, { stdio: ["pipe", "pipe", "pipe"], env: plainEnvironment() });
  child.on("error", (cause) => reject(notStarted(cause)));
  // Without a free descriptor it has no pipes either.
  if (child.pid === undefined) return promise;
  const texts = { stdout: "", stderr: "" };
  const end = (error: AppError): void => {
    child.kill("SIGKILL");
    reject(error);
  };
  const timer = setTimeout(() => end(timedOut(args, timeoutMs)), timeoutMs);
  const onAbort = (): void => end(new AppError("CANCELLED", "ssh-keygen was stopped: nobody waits for it any more"));
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] = (texts[name] + text).slice(0, OUTPUT_MAX);
    });
  // It may end before it has read all: its exit status says more than the broken pipe.
  child.stdin.on("error", () => undefined).end(stdin);
  child.on("close", (status) => resolve({ status, ...texts }));
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  });
}

/** True where the program is on PATH. */
export function hasSshKeygen(): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, "ssh-keygen"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @throws AppError `PREREQUISITE_MISSING` where the program is not on PATH. */
export function requireSshKeygen(): void {
  if (!hasSshKeygen()) throw unusable(`is not on PATH; ${ADVICE}`);
}

/** Its messages in English, and none of our own settings. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(WINDLASS|WIN_AUTOMATION|HATCHET)_/.test(name));
  return { ...Object.fromEntries(own), LC_ALL: "C" };
}

function timedOut(args: readonly string[], timeoutMs: number): AppError {
  return new AppError("TIMEOUT", `ssh-keygen -Y ${args[1]} took longer than ${timeoutMs / 1_000} s and was stopped`);
}

function notStarted(cause: Error): AppError {
  return unusable(`cannot be started (${(cause as NodeJS.ErrnoException).code}); ${ADVICE}`, cause);
}

function unusable(what: string, cause?: Error): AppError {
  return new AppError("PREREQUISITE_MISSING", `ssh-keygen ${what}`, { cause });
}
