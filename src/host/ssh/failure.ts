/** What went wrong with a session, as far as ssh's own diagnostics tell it. */
export type SshFailureKind =
  | "unreachable" // no connection: refused, no route, reset before the login
  | "timeout" // connected, or trying to, and nothing came back in time
  | "unresolved" // the name has no address
  | "auth" // the login was refused
  | "host_key" // the machine is not known, or not the one that is
  | "protocol" // what answers is no SSH server that we can talk to
  | "config" // ssh refuses its own configuration
  | "refused" // logged in, but the server opened no session or channel
  | "cut" // the connection ended in the middle
  | "no_status" // the command ended without an exit status: killed, or the server lost it
  | "unknown"; // ssh gave up without a reason that we know

/** Why a session gave no exit status. */
export interface SshFailure {
  readonly kind: SshFailureKind;
  /** Trying again can help. */
  readonly transient: boolean;
  /** False only where it is certain that the command never reached the machine; only then may it be sent again. */
  readonly beganSession: boolean;
  /** What ssh said about it; empty where it said nothing. */
  readonly text: string;
}
