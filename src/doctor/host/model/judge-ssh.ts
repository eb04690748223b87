import type { ErrorRecord } from "../../../error.ts";
import { type Finding, ok, warn } from "../../model/finding.ts";
import { type Answer, judgeError, judgeNoAnswer } from "./answer.ts";
import { type Subject, settingOf } from "./subject.ts";

/** What connecting told. */
export interface SshFacts {
  readonly connectMs: number;
  /** What `ssh -V` says; null where it cannot be told. */
  readonly client: string | null;
  /** How the server names itself; null where it is behind something that ssh alone knows. */
  readonly server: string | null;
}

/** Older clients do not tell what became of a session that ends with 255. */
const CLIENT_WANTED = 8.5;

/** The way into the machine. */
export function judgeSsh(answer: Answer<SshFacts>, subject: Subject): Finding {
  if (answer.kind === "failed")
    return judgeError(answer.error, remedyOf(answer.error, subject), detailsOf(answer.error));
  if (answer.kind === "not_asked") return judgeNoAnswer(answer, "");
  const { connectMs, client, server } = answer.value;
  const facts = { connect_ms: connectMs, client, server };
  const detail = `${subject.sshUser}@${subject.sshHost} port ${subject.sshPort} in ${connectMs} ms`;
  const version = Number.parseFloat(/OpenSSH_(\d+\.\d+)/.exec(client ?? "")?.[1] ?? "");
  if (version < CLIENT_WANTED)
    return warn(
      `${detail}; this machine's ${client} does not tell a lost connection from a command that ended with 255`,
      `install OpenSSH's client ${CLIENT_WANTED} or newer here`,
      facts,
    );
  return ok(`${detail}, client ${client ?? "unknown"}${server === null ? "" : `, server ${server}`}`, facts);
}

function detailsOf({ details }: ErrorRecord): Finding["facts"] {
  const kind = details?.["kind"];
  return typeof kind === "string" ? { kind } : {};
}

function remedyOf({ code, details }: ErrorRecord, subject: Subject): string {
  const { sshHost, sshPort, sshUser } = subject;
  const [host, port] = [settingOf(subject, "windows.ssh_host"), settingOf(subject, "windows.ssh_port")];
  if (code === "PREREQUISITE_MISSING")
    return "install OpenSSH's client here (Debian: `apt-get install openssh-client`)";
  if (code === "SSH_HOST_KEY") return remedyOfKey(subject);
  if (code === "SSH_AUTH_REFUSED") return remedyOfLogin(subject);
  if (code === "TIMEOUT")
    return `look whether ${sshHost} is up and what listens on its port ${sshPort}; a slow line needs a longer \`timeout\``;
  switch (details?.["kind"]) {
    case "unresolved":
      return `correct ${host}: ${sshHost} has no address`;
    case "config":
      return "correct what ssh names";
    case "protocol":
      return `correct ${port}: what listens on ${sshPort} is no SSH server that we can talk to`;
    case "refused":
      return `look into the log of the SSH server (Event Viewer, OpenSSH/Operational), and whether ${sshUser} may log in`;
    case "unreachable":
      return `on the machine \`Start-Service sshd\`; a forwarded port needs its forward; else correct ${host} and ${port}`;
    default:
      return `try \`ssh -v -p ${sshPort} ${sshUser}@${sshHost}\``;
  }
}

function remedyOfKey({ sshHost, sshPort, sshKnownHosts }: Subject): string {
  const file = sshKnownHosts === "" ? "~/.ssh/known_hosts" : sshKnownHosts;
  const seen = `\`ssh-keyscan -t ed25519 -p ${sshPort} ${sshHost} | ssh-keygen -lf -\``;
  const own = "`ssh-keygen -lf C:\\ProgramData\\ssh\\ssh_host_ed25519_key.pub`";
  const entry = sshPort === 22 ? sshHost : `[${sshHost}]:${sshPort}`;
  const old = `\`ssh-keygen -R '${entry}' -f ${file}\``;
  return `compare ${seen} with ${own} on the machine; only where they are the same, take out what ${file} has (${old}) and add the key`;
}

function remedyOfLogin(subject: Subject): string {
  const { sshUser, sshIdentityFile } = subject;
  const key = sshIdentityFile === "" ? "your public key" : `${sshIdentityFile}.pub`;
  const files =
    "C:\\ProgramData\\ssh\\administrators_authorized_keys (an administrator; only Administrators and SYSTEM may write it) or .ssh\\authorized_keys (a plain account)";
  const settings = [settingOf(subject, "windows.ssh_user"), settingOf(subject, "windows.ssh_identity_file")];
  return `put ${key} into ${files} of ${sshUser}, load a key with a passphrase into ssh-agent, or correct ${settings.join(" and ")}`;
}
