import type { NamedHost } from "../inventory.ts";
import { TRACED } from "./diagnostics.ts";

/** What ssh needs to know of a machine. */
export type SshTarget = Pick<
  NamedHost,
  "name" | "sshHost" | "sshPort" | "sshUser" | "sshIdentityFile" | "sshKnownHosts"
>;

/** Of one call of ssh. */
export interface CallOptions {
  /** The socket of the shared connection. */
  readonly controlPath: string;
  /** Where ssh writes its own diagnostics, apart from what the remote command writes. */
  readonly diagnosticsPath: string;
  readonly connectTimeoutMs: number;
}

/** How long a connection without a session stays open for the next one. */
const PERSIST_SECONDS = 60;

/**
 * Asked of every call. What a user's own ssh configuration says (a jump host, an alias) holds too, but not against these:
 * the command line comes first.
 */
const FIXED = [
  // Options that older clients lack are skipped there; this must come before them.
  "IgnoreUnknown=LogVerbose,SessionType,StdinNull,ForkAfterAuthentication,KnownHostsCommand",
  "BatchMode=yes",
  "StrictHostKeyChecking=yes",
  "NoHostAuthenticationForLocalhost=no",
  "VerifyHostKeyDNS=no",
  "UpdateHostKeys=no",
  "ServerAliveInterval=15",
  "ServerAliveCountMax=3",
  "LogLevel=ERROR",
  `LogVerbose=${TRACED}`,
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "PermitLocalCommand=no",
  "RemoteCommand=none",
  "RequestTTY=no",
  "Tunnel=no",
];

const CLIENT = ["ControlMaster=no", "StdinNull=no", "ForkAfterAuthentication=no"];
const MASTER = ["ControlMaster=yes", `ControlPersist=${PERSIST_SECONDS}`];

/** Arguments of an ssh that runs a command, which is no secret: everybody on this machine sees it. */
export function commandArguments(target: SshTarget, call: CallOptions, command: string): readonly string[] {
  return [...argumentsFor(target, call, [...CLIENT, "SessionType=default"]), "-T", "--", target.sshHost, command];
}

/** Arguments of the ssh below sftp. */
export function sftpArguments(target: SshTarget, call: CallOptions): readonly string[] {
  // ssh refuses -s beside any SessionType.
  return [...argumentsFor(target, call, CLIENT), "-T", "-s", "--", target.sshHost, "sftp"];
}

/** Arguments of an ssh that joins its stdin and stdout to an address as the machine sees it. */
export function forwardArguments(target: SshTarget, call: CallOptions, address: string): readonly string[] {
  return [...argumentsFor(target, call, CLIENT), "-W", address, "--", target.sshHost];
}

/** Arguments of the ssh that opens the connection, goes to the background and keeps it. */
export function masterArguments(target: SshTarget, call: CallOptions): readonly string[] {
  // Not -M as well: twice means that ssh asks somebody before each session.
  return [...argumentsFor(target, call, MASTER), "-T", "-N", "-f", "--", target.sshHost];
}

/** Arguments of an ssh that tells the connection to end. */
export function exitArguments(target: SshTarget, call: CallOptions): readonly string[] {
  return [...argumentsFor(target, call, CLIENT), "-O", "exit", "--", target.sshHost];
}

function argumentsFor(target: SshTarget, call: CallOptions, settings: readonly string[]): readonly string[] {
  const all = [
    ...FIXED,
    ...settings,
    `ConnectTimeout=${Math.max(1, Math.floor(call.connectTimeoutMs / 1000))}`,
    `ControlPath=${quotePath(call.controlPath)}`,
    // A file that the operator names is the whole truth; without one OpenSSH's own files count.
    ...(target.sshKnownHosts === ""
      ? []
      : [
          `UserKnownHostsFile=${quotePath(target.sshKnownHosts)}`,
          "GlobalKnownHostsFile=/dev/null",
          "KnownHostsCommand=none",
        ]),
    ...(target.sshIdentityFile === ""
      ? []
      : ["IdentitiesOnly=yes", `IdentityFile=${quotePath(target.sshIdentityFile)}`]),
  ];
  const where = ["-p", String(target.sshPort), "-l", target.sshUser, "-E", call.diagnosticsPath];
  return [...all.flatMap((setting) => ["-o", setting]), ...where];
}

/** ssh splits such values at blanks and reads `%` as the start of a token. */
function quotePath(path: string): string {
  return `"${path.replaceAll("%", "%%").replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
