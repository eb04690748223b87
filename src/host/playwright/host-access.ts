/** A value that JSON can carry to a script of ours: one level of texts, numbers and booleans. */
export type ScriptArgument = Readonly<Record<string, string | number | boolean>>;

/** A local port that leads to one on the host while it is open. */
export interface OpenTunnel extends AsyncDisposable {
  readonly port: number;
}

/** What the browser server's client needs of the host that it stands on. */
export interface HostAccess extends AsyncDisposable {
  /** Runs one of our own scripts (`src/host/powershell/scripts/<name>.ps1`) and returns its answer. */
  call(
    script: string,
    argument: ScriptArgument,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<unknown>;
  /** Writes a file whole or not at all. */
  upload(content: Uint8Array, remotePath: string, options: { readonly signal: AbortSignal }): Promise<void>;
  tunnel(
    target: { readonly host: string; readonly port: number },
    options: { readonly signal: AbortSignal },
  ): Promise<OpenTunnel>;
}
