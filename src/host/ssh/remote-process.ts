import type { Readable, Writable } from "node:stream";
import type { SshFailure } from "./failure.ts";

/** A command that runs on the machine. */
export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Of the local ssh. */
  readonly pid: number;
  /** Settles when ssh has ended, never rejects; what the command wrote may still be waiting in the streams. */
  readonly ended: Promise<RemoteEnd>;
  /** Ends the local ssh, and so the command's input; on Windows the command itself may go on. */
  kill(): void;
}

/** How a session ended. Exactly one of `code`, `signal` and `failure` says it. */
export interface RemoteEnd {
  /** The exit status, 32 bits without a sign; modulo 256 from clients before OpenSSH 8.5. Null where none came. */
  readonly code: number | null;
  /** The signal that ended the local ssh, when {@link RemoteProcess.kill} sent it. */
  readonly signal: string | null;
  /** What ssh itself said; never what the remote command wrote. */
  readonly diagnostics: string;
  readonly failure: SshFailure | undefined;
}
