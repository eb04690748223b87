/** The version of runner.ps1 that this client speaks to. */
export const RUNNER_VERSION = 1;

/** What a runner says of itself when it is ready. */
export interface Hello {
  readonly runner: number;
  readonly pid: number;
  /** When its process started, in ticks of .NET (100 ns since the year 1, UTC): with the pid it says which process. */
  readonly started: string;
  /** PowerShell's own version. */
  readonly powershell: string;
}

const GRAMMAR = /^ runner=([0-9]{1,9}) pid=([0-9]{1,10}) started=([0-9]{1,20}) powershell=([0-9A-Za-z.+-]{1,60})$/;

/** Reads what stands on the runner's first line after the nonce. */
export function parseHello(text: string): Hello | undefined {
  const [, runner, pid, started, powershell] = GRAMMAR.exec(text) ?? [];
  if (started === undefined || powershell === undefined) return undefined;
  return { runner: Number(runner), pid: Number(pid), started, powershell };
}
