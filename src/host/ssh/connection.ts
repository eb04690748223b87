import { join } from "node:path";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../error.ts";
import { authorityOf, type Endpoint } from "../model/endpoint.ts";
import { threeAttempts } from "../three-attempts.ts";
import { controlName, prepareControlFolder } from "./control-folder.ts";
import { judgeEnd } from "./diagnostics.ts";
import { type CallFiles, type LocalClient, startClient } from "./local-client.ts";
import { exitMaster, isMasterAlive, openMaster } from "./master.ts";
import { type CallOptions, commandArguments, forwardArguments, type SshTarget, sftpArguments } from "./options.ts";
import { refusalOf } from "./refusal.ts";
import type { RemoteProcess } from "./remote-process.ts";
import { SharedWork } from "./shared-work.ts";
import { downloadFile, makeRemoteFolder, uploadFile } from "./transfer.ts";
import { openTunnel, type Tunnel } from "./tunnel.ts";

/** What a connection stands on. */
export interface SshOptions {
  readonly clock: Clock;
  /** For a connection to be there, all attempts together. */
  readonly timeoutMs: number;
  /** Where the sockets of shared connections are; default: one folder for this account. */
  readonly controlFolder?: string;
  /** {@link SshConnection.close} ends the shared connection too. */
  readonly ownMaster?: boolean;
}

/**
 * One multiplexed connection of this account to a machine, by the system's ssh. The first session logs in; the next ones,
 * those of other processes too, use that login until nobody has used it for a minute.
 */
export class SshConnection {
  readonly #target: SshTarget;
  readonly #options: SshOptions;
  readonly #running = new Set<LocalClient>();
  readonly #tunnels = new Set<Tunnel>();
  readonly #connecting = new SharedWork<void>((signal) => this.#connect(signal));
  #controlPath: string | undefined;
  #isClosed = false;

  constructor(target: SshTarget, options: SshOptions) {
    this.#target = target;
    this.#options = options;
  }

  /**
   * Resolves when sessions can be started: at once where a login is open, else after up to three attempts.
   *
   * @throws AppError `HOST_UNREACHABLE`, `TIMEOUT`, `SSH_AUTH_REFUSED`, `SSH_HOST_KEY` (both after one attempt),
   *   `CONFIG`, `PREREQUISITE_MISSING`; the signal's reason.
   */
  async connect({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    if (this.#isClosed) throw new AppError("CLIENT_CLOSED", `the connection to ${this.#target.name} is closed`);
    await this.#connecting.join(signal);
  }

  /**
   * Starts a command with the machine's default shell.
   *
   * @param command a line as ssh sends it. It stands in this machine's list of processes: never a secret.
   * @param options.signal for the start; afterwards {@link RemoteProcess.kill} ends it.
   * @throws AppError as {@link connect}; `INVALID_INPUT` for an empty command, `TOO_LARGE` for one that the system refuses.
   */
  async start(command: string, { signal }: { readonly signal: AbortSignal }): Promise<RemoteProcess> {
    if (command === "" || command.includes("\0")) {
      throw new AppError("INVALID_INPUT", "a remote command must not be empty or hold a NUL character");
    }
    await this.connect({ signal });
    const client = await this.#startClient("ssh", (call) => commandArguments(this.#target, call, command));
    const { stdin, stdout, stderr, pid } = client;
    const ended = client.ended.then(async (end) =>
      judgeEnd(end, await isMasterAlive(this.#pathOfControl(), this.#options.clock)),
    );
    return { stdin, stdout, stderr, pid, ended, kill: () => client.kill() };
  }

  /**
   * Copies a file, or these bytes, to the machine. The file gets its name only when what arrived is known to be the same.
   *
   * @param remotePath as `C:/folder/name`; a file of that name is replaced.
   * @throws AppError `TRANSFER_FAILED`, `INVALID_PATH`, and as {@link connect}.
   */
  async upload(
    source: string | Uint8Array,
    remotePath: string,
    options: { readonly signal: AbortSignal },
  ): Promise<void> {
    await this.connect(options);
    await uploadFile(this.#transport(options.signal), source, remotePath);
  }

  /**
   * Copies a file from the machine. The local file gets its name only when all of it is there.
   *
   * @throws AppError `REMOTE_FILE_MISSING`, and as {@link upload}.
   */
  async download(remotePath: string, localPath: string, options: { readonly signal: AbortSignal }): Promise<void> {
    await this.connect(options);
    await downloadFile(this.#transport(options.signal), remotePath, localPath);
  }

  /** Makes a folder of the machine, with those above it, where it is missing. */
  async makeFolder(remotePath: string, options: { readonly signal: AbortSignal }): Promise<void> {
    await this.connect(options);
    await makeRemoteFolder(this.#transport(options.signal), remotePath);
  }

  /**
   * A port of 127.0.0.1 that leads to `host:port` as the machine sees it, until it is disposed of or this process ends.
   * A connection whose other side cannot be reached is closed.
   */
  async tunnel(to: Endpoint, { signal }: { readonly signal: AbortSignal }): Promise<Tunnel> {
    await this.connect({ signal });
    const tunnel = await openTunnel(async (opened) => {
      await this.connect({ signal: opened });
      return this.#startClient("ssh", (call) => forwardArguments(this.#target, call, authorityOf(to)));
    });
    this.#tunnels.add(tunnel);
    return tunnel;
  }

  /** Ends the sessions, transfers and tunnels that this object started; a shared login stays for the next one. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connecting.stop(new AppError("CLIENT_CLOSED", `the connection to ${this.#target.name} was closed`));
    await Promise.all([...this.#tunnels].map((tunnel) => tunnel[Symbol.asyncDispose]()));
    const running = [...this.#running];
    for (const client of running) client.kill();
    await Promise.all(running.map(({ ended }) => ended));
    // The shared connection holds their other ends until the remote program has ended, which one that hangs does not.
    for (const { stdout, stderr } of running) for (const stream of [stdout, stderr]) stream.destroy();
    const { ownMaster = false, clock } = this.#options;
    if (ownMaster && this.#controlPath !== undefined && (await isMasterAlive(this.#controlPath, clock))) {
      await exitMaster(this.#target, this.#controlPath, clock);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { clock, timeoutMs } = this.#options;
    const controlPath = this.#pathOfControl();
    if (await isMasterAlive(controlPath, clock)) return;
    const deadlineMs = clock.monotonic() + timeoutMs;
    const open = () => {
      const leftMs = deadlineMs - clock.monotonic();
      return openMaster({ target: this.#target, controlPath, clock, timeoutMs: leftMs, signal });
    };
    const failure = await threeAttempts(open, (why) => why?.transient === true, { clock, signal, timeoutMs });
    signal.throwIfAborted();
    if (failure !== undefined) throw refusalOf(this.#target, failure);
  }

  #pathOfControl(): string {
    this.#controlPath ??= join(prepareControlFolder(this.#options.controlFolder), controlName(this.#target));
    return this.#controlPath;
  }

  async #startClient(
    program: "ssh" | "sftp",
    argumentsFor: (call: CallOptions, files: CallFiles) => readonly string[],
  ): Promise<LocalClient> {
    const { clock, timeoutMs: connectTimeoutMs } = this.#options;
    const controlPath = this.#pathOfControl();
    const client = await startClient(
      program,
      (files) => argumentsFor({ controlPath, diagnosticsPath: files.diagnosticsPath, connectTimeoutMs }, files),
      { clock },
    );
    this.#running.add(client);
    void client.ended.then(() => this.#running.delete(client));
    // Closed while it was being started.
    if (this.#isClosed) client.kill();
    return client;
  }

  #transport(signal: AbortSignal) {
    return {
      target: this.#target,
      signal,
      start: (argumentsFor: (ssh: readonly string[], files: CallFiles) => readonly string[]) =>
        this.#startClient("sftp", (call, files) => argumentsFor(sftpArguments(this.#target, call), files)),
    };
  }
}
