import type { Clock } from "../clock.ts";
import type { NamedHost } from "../host/inventory.ts";
import type { HostAccess } from "../host/playwright/host-access.ts";
import { ownScript } from "../host/powershell/own-script.ts";
import type { ScriptArgument } from "../host/powershell/request.ts";
import { PowerShellRunner } from "../host/powershell/runner.ts";
import type { RunnerEnd } from "../host/powershell/runner-end.ts";
import { SshConnection } from "../host/ssh/connection.ts";

/** One pass's way into a machine: one connection and one PowerShell, started when the first question is asked. */
export class HostSession implements AsyncDisposable {
  readonly #connection: SshConnection;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #runner: PowerShellRunner | undefined;

  constructor(host: NamedHost, { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number }) {
    this.#connection = new SshConnection(host, { clock, timeoutMs });
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Asks the machine something and gets an answer. A shared login that is open proves nothing: it may be one that the other
   * side has forgotten.
   *
   * @returns PowerShell's version.
   * @throws AppError as `SshConnection.connect` and `PowerShellRunner.start`.
   */
  async knock({ signal }: { readonly signal: AbortSignal }): Promise<string> {
    return (await this.#usable(signal)).version;
  }

  /** Runs one of our own scripts. @throws AppError as {@link knock} and `PowerShellRunner.call`. */
  async call(script: string, arg: ScriptArgument, { signal }: { readonly signal: AbortSignal }): Promise<unknown> {
    const runner = await this.#usable(signal);
    return runner.call(ownScript(script), arg, { timeoutMs: this.#timeoutMs, signal });
  }

  /** Runs a line with the machine's default shell. */
  async runLine(line: string, { signal }: { readonly signal: AbortSignal }): Promise<RunnerEnd> {
    return (await this.#usable(signal)).run({ line }, { timeoutMs: this.#timeoutMs, signal });
  }

  /** As the browser server's client needs it; it ends with the session, not with its user. */
  access({ signal }: { readonly signal: AbortSignal }): HostAccess {
    return {
      call: async (script, arg, options) => (await this.#usable(signal)).call(ownScript(script), arg, options),
      upload: (content, path, options) => this.#connection.upload(content, path, options),
      tunnel: (to) => this.#connection.tunnel(to, { signal }),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  /** What does not end is left to its own end: the next pass has a session of its own. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner?.[Symbol.asyncDispose]().catch(() => {});
    await this.#connection.close().catch(() => {});
  }

  async #usable(signal: AbortSignal): Promise<PowerShellRunner> {
    if (this.#runner?.isUsable === true) return this.#runner;
    await this.#runner?.[Symbol.asyncDispose]();
    await this.#connection.connect({ signal });
    this.#runner = await PowerShellRunner.start(this.#connection, { clock: this.#clock, signal });
    return this.#runner;
  }
}
