import { execFileSync, spawn, spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CallOptions, type Finished, RunningCli } from "./cli.ts";

const PROGRAM = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));

/** Accounts that are nobody's. */
export const UIDS = [4711, 4712, 4713] as const;

/** Why a machine has no such place; `undefined` when it has. */
export function lacksAccounts(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const script = `cat ${PROGRAM} && ${process.execPath} --version`;
  const { status, stderr } = spawnSync("unshare", [
    "-m",
    "setpriv",
    "--reuid",
    "4711",
    "--clear-groups",
    "sh",
    "-c",
    script,
  ]);
  return status === 0 ? undefined : `needs mount namespaces, setpriv and a readable checkout: ${String(stderr).trim()}`;
}

/**
 * A machine on which `/etc/windlass/policy.yaml` is root's, and several accounts share a database: for what one account
 * can do against another. Needs root, see {@link lacksAccounts}.
 */
export class RootPolicy implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "windlass-accounts-"));
  readonly database = join(this.folder, "data", "windlass.db");
  readonly #running = new Set<RunningCli>();

  constructor() {
    chmodSync(this.folder, 0o755);
    for (const name of ["etc/windlass", "data", "work"]) mkdirSync(join(this.folder, name), { recursive: true });
    // Today clients write the database themselves.
    for (const name of ["data", "work"]) chmodSync(join(this.folder, name), 0o777);
    for (const uid of UIDS) appendFileSync(join(this.folder, "etc/passwd"), `u${uid}:x:${uid}:${uid}::/:/bin/sh\n`);
  }

  /** Writes `/etc/windlass/policy.yaml`. */
  writePolicy(text: string): void {
    writeFileSync(join(this.folder, "etc/windlass/policy.yaml"), text, { mode: 0o644 });
  }

  /** The home of an account, which is its own alone. */
  home(uid: number): string {
    const path = join(this.folder, `home-${uid}`);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chownSync(path, uid, uid);
    return path;
  }

  /** Gives a file to an account alone. @returns its path. */
  give(uid: number, name: string, text: string): string {
    const path = join(this.home(uid), name);
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, uid, uid);
    return path;
  }

  /** Lets every account write the database that is there by now. */
  shareDatabase(): void {
    execFileSync("sh", ["-c", `chmod a+rw ${this.folder}/data/*`]);
  }

  /** Starts a program as an account that sees root's policy in `/etc`. */
  spawn(uid: number, argv: readonly string[], { env = {}, stdin }: CallOptions = {}): RunningCli {
    const place = `mount --bind ${this.folder}/etc /etc && exec setpriv --reuid ${uid} --regid ${uid} --clear-groups "$@"`;
    const child = spawn("unshare", ["-m", "sh", "-c", place, "sh", ...argv], {
      cwd: join(this.folder, "work"),
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        HOME: this.home(uid),
        USER: `u${uid}`,
        WINDLASS_DB: this.database,
        WINDLASS_ARTIFACT_OUT: join(this.home(uid), "artifacts"),
        ...env,
      },
    });
    if (stdin !== undefined) child.stdin?.end(stdin);
    const running = new RunningCli(child);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  /** Calls the program as an account. */
  call(uid: number, args: readonly string[], options: CallOptions = {}): Promise<Finished> {
    return this.spawn(uid, [process.execPath, PROGRAM, ...args], options).ended;
  }

  /** Calls it with `--json` and reads the one value. */
  async json<T = Record<string, unknown>>(
    uid: number,
    args: readonly string[],
    options: CallOptions = {},
  ): Promise<Finished & { readonly value: T }> {
    const finished = await this.call(uid, ["--json", ...args], options);
    return { ...finished, value: JSON.parse(finished.stdout) as T };
  }

  /** Starts a worker of an account and waits until it works. */
  async worker(uid: number, args: readonly string[] = [], options: CallOptions = {}): Promise<RunningCli> {
    const worker = this.spawn(uid, [process.execPath, PROGRAM, "worker", ...args], options);
    await worker.says("worker started");
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) running.kill("SIGKILL");
    await Promise.all([...this.#running].map((running) => running.ended));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
