import type { Readable, Writable } from "node:stream";

/** What a transport knows of an end. */
export interface TransportEnd {
  /** The connection, not the program, is why. */
  readonly failure?: { readonly text: string; readonly beganSession: boolean } | undefined;
}

/** A program that was started on a host: what an SSH connection gives, or a process of this machine. */
export interface RunnerProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when it has ended on this side. */
  readonly ended: Promise<TransportEnd>;
  /** Ends this side of it; nothing is said about the other side. */
  kill(): void;
}

/** What can start a command line on a host. `signal` ends this side of the program, as {@link RunnerProcess.kill} does. */
export interface RunnerTransport {
  start(command: string, options: { readonly signal: AbortSignal }): Promise<RunnerProcess>;
}

/**
 * Ends this side of a program that is no longer listened to. Its streams are closed too: where sessions share a connection,
 * that connection holds their other ends until the program on the host has ended, which one that hangs does not.
 */
export function drop(process: RunnerProcess): void {
  process.kill();
  process.stdout.destroy();
  process.stderr.destroy();
}
