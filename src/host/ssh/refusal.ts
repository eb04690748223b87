import { AppError, type ErrorCode } from "../../error.ts";
import type { SshFailure, SshFailureKind } from "./failure.ts";
import type { SshTarget } from "./options.ts";

const CODES: Readonly<Record<SshFailureKind, ErrorCode>> = {
  unreachable: "HOST_UNREACHABLE",
  timeout: "TIMEOUT",
  unresolved: "HOST_UNREACHABLE",
  auth: "SSH_AUTH_REFUSED",
  host_key: "SSH_HOST_KEY",
  protocol: "HOST_UNREACHABLE",
  config: "CONFIG",
  refused: "HOST_UNREACHABLE",
  cut: "HOST_UNREACHABLE",
  no_status: "HOST_UNREACHABLE",
  unknown: "HOST_UNREACHABLE",
};

const ADVICE: Readonly<Record<SshFailureKind, string>> = {
  unreachable: "check that the machine and its SSH server run, and windows.ssh_host and windows.ssh_port",
  timeout: "what listens there gave no answer in time; check the machine, or raise timeout",
  unresolved: "check windows.ssh_host",
  auth: "check windows.ssh_user and windows.ssh_identity_file, and that the machine knows the key; it is not tried again",
  host_key: "compare the machine's key and add it to the known hosts only if it is right; it is not tried again",
  protocol: "check that windows.ssh_port is that of an SSH server",
  config: "correct what ssh names",
  refused: "the server opened no session; look into its log",
  cut: "the connection ended",
  no_status: "the server told no exit status",
  unknown: "try the same with ssh -v",
};

/** The error of a machine that could not be reached, or not by us. */
export function refusalOf(target: SshTarget, failure: SshFailure): AppError {
  const { name, sshUser, sshHost, sshPort } = target;
  const { kind, transient, beganSession, text } = failure;
  // The last line is ssh's verdict; what stands above it explains.
  const said = text === "" ? kind : text.replaceAll(/\s*\n\s*/g, "; ").slice(0, 600);
  const where = `${sshUser}@${sshHost} port ${sshPort}`;
  return new AppError(CODES[kind], `ssh to ${name} (${where}): ${said}; ${ADVICE[kind]}`, {
    details: { host: name, kind, transient, began_session: beganSession },
  });
}
