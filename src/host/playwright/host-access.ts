import type { Endpoint } from "../model/endpoint.ts";
import type { ScriptArgument } from "../powershell/request.ts";
import type { HostQuestion } from "../powershell/scripts.ts";

/** A local port that leads to one on the host while it is open. */
export interface OpenTunnel extends AsyncDisposable {
  readonly port: number;
}

/** What the browser server's client needs of the host that it stands on. */
export interface HostAccess extends AsyncDisposable {
  /**
   * Asks one of our own questions.
   *
   * @throws AppError `SCRIPT_FAILED` (also for an answer of another shape) and what the host throws.
   */
  ask<A extends ScriptArgument, R>(
    question: HostQuestion<A, R>,
    argument: A,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<R>;
  /** Writes a file whole or not at all. */
  upload(content: Uint8Array, remotePath: string, options: { readonly signal: AbortSignal }): Promise<void>;
  tunnel(target: Endpoint, options: { readonly signal: AbortSignal }): Promise<OpenTunnel>;
}
