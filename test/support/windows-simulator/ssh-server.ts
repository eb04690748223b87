import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { until } from "../until.ts";

/** Debian's own; sshd insists on its absolute path. */
const SSHD = "/usr/sbin/sshd";
const SFTP_SERVER = "/usr/lib/openssh/sftp-server";
/** Another process may take the free port between the look and sshd's start. */
const PORT_TRIES = 5;

/** What a test wants of its SSH server. */
export interface SshServerOptions {
  /** Where sftp starts: with a folder named `C:` in it, the path `C:/x` works as on Windows. Default: a new folder with that. */
  readonly root?: string;
  /** Runs instead of every command, which it finds in SSH_ORIGINAL_COMMAND; sftp stays sftp. A line for `sh`. */
  readonly forceCommand?: string;
  /** Set for every command. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How many sessions one connection may carry; sshd's default is 10. */
  readonly maxSessions?: number;
  /** Default: a free one. */
  readonly port?: number;
}

/** A real sshd on 127.0.0.1 with keys of its own. */
export interface SshServer {
  readonly port: number;
  readonly user: string;
  readonly identityFile: string;
  readonly knownHosts: string;
  readonly hostKeyFile: string;
  /** Where sftp starts. */
  readonly root: string;
  /** Of the listening process. */
  readonly pid: number;
  /** Ends it, its connections and what still runs of their commands. */
  stop(): Promise<void>;
  /** Kills the processes that serve the present connections, as a cut line would; the listener and the commands stay. */
  cutConnections(): number;
  /** From now on it answers with another host key, which {@link knownHosts} does not have. */
  changeHostKey(): Promise<void>;
  /** What sshd has logged so far. */
  log(): string;
}

interface Files {
  readonly folder: string;
  readonly hostKey: string;
  readonly userKey: string;
  readonly knownHosts: string;
  readonly log: string;
}

/** Starts one; resolves when it listens. Needs Debian's openssh-server, as root or as an ordinary user. */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), "windlass-sshd-"));
  const files = {
    folder,
    hostKey: join(folder, "host_key"),
    userKey: join(folder, "user_key"),
    knownHosts: join(folder, "known_hosts"),
    log: join(folder, "sshd.log"),
  };
  const root = options.root ?? join(folder, "root");
  mkdirSync(join(root, "C:"), { recursive: true });
  try {
    makeKey(files.hostKey);
    makeKey(files.userKey);
    // As root it separates its privileges, and wants this empty folder for it.
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    const { child, port } = await listen(files, root, options);
    writeFileSync(files.knownHosts, `[127.0.0.1]:${port} ${publicKey(files.hostKey)}\n`);
    return handle(child, port, files, root);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function handle(child: ChildProcess, port: number, files: Files, root: string): SshServer {
  const pid = child.pid ?? 0;
  const exited = child.exitCode === null ? once(child, "exit") : Promise.resolve();
  const log = () => readFileSync(files.log, "utf8");
  return {
    port,
    user: userInfo().username,
    identityFile: files.userKey,
    knownHosts: files.knownHosts,
    hostKeyFile: files.hostKey,
    root,
    pid,
    log,
    cutConnections: () => killAll(connectionsOf(pid)),
    changeHostKey: async () => {
      const listens = countListening(log());
      rmSync(files.hostKey);
      makeKey(files.hostKey);
      process.kill(pid, "SIGHUP");
      await until(() => (countListening(log()) > listens ? true : undefined), { what: "sshd listens again" });
    },
    stop: async () => {
      const running = [...connectionsOf(pid), ...commandsOf(port)];
      child.kill("SIGTERM");
      await exited;
      killAll([...running, ...commandsOf(port)]);
      rmSync(files.folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function listen(
  files: Files,
  root: string,
  options: SshServerOptions,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  for (let tries = 1; ; tries++) {
    const port = options.port ?? (await freePort());
    const config = join(files.folder, "sshd_config");
    writeFileSync(config, configText(files, root, port, options));
    writeFileSync(files.log, "");
    const child = spawn(SSHD, ["-D", "-f", config, "-E", files.log], { stdio: "ignore" });
    const failed = new Promise<Error>((resolve) => child.once("error", resolve));
    const state = await Promise.race([failed, listens(child, files.log)]);
    if (state instanceof Error) throw state;
    if (state === "listens") return { child, port };
    if (tries === PORT_TRIES || options.port !== undefined)
      throw new Error(`sshd did not start: ${readFileSync(files.log, "utf8")}`);
  }
}

function listens(child: ChildProcess, log: string): Promise<"listens" | "ended"> {
  const look = () => {
    if (countListening(readFileSync(log, "utf8")) > 0) return "listens" as const;
    return child.exitCode === null ? undefined : ("ended" as const);
  };
  return until(look, { what: "sshd listens", folder: join(log, "..") });
}

function countListening(log: string): number {
  return log.match(/^Server listening on /gm)?.length ?? 0;
}

function configText(files: Files, root: string, port: number, options: SshServerOptions): string {
  const authorizedKeys = join(files.folder, "authorized_keys");
  writeFileSync(authorizedKeys, `${publicKey(files.userKey)}\n`);
  const sftp = writeScript(files.folder, "sftp.sh", `exec ${SFTP_SERVER} -d ${shellQuote(root)}`);
  // A bash that sshd starts reads the account's .bashrc, whatever stands there; one that is not the first shell does not.
  const environment = Object.entries({ SHLVL: "1", ...options.environment });
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${files.hostKey}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    "PidFile none",
    "LogLevel VERBOSE",
    "UsePAM no",
    "UseDNS no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PrintMotd no",
    "MaxStartups 100",
    `Subsystem sftp ${sftp}`,
  ];
  if (options.maxSessions !== undefined) lines.push(`MaxSessions ${options.maxSessions}`);
  // One line: sshd takes the first SetEnv only.
  lines.push(`SetEnv ${environment.map((pair) => configQuote(pair.join("="))).join(" ")}`);
  if (options.forceCommand !== undefined) {
    // It would take the place of sftp too.
    const text = `if [ "$SSH_ORIGINAL_COMMAND" = ${shellQuote(sftp)} ]; then exec ${shellQuote(sftp)}; fi\n${options.forceCommand}`;
    lines.push(`ForceCommand exec ${writeScript(files.folder, "forced.sh", text)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** sshd takes quotes in a Subsystem line away, so its parts stand in a file. */
function writeScript(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function configQuote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function makeKey(path: string): void {
  rmSync(`${path}.pub`, { force: true });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "windlass-test", "-f", path]);
}

function publicKey(path: string): string {
  return readFileSync(`${path}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" ");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

/** The processes of sshd itself below its listener: one for a connection, two where it separates privileges. */
function connectionsOf(listener: number): readonly number[] {
  const children = processes().filter(({ parent, name }) => parent === listener && name === "sshd");
  return children.flatMap(({ pid }) => [pid, ...connectionsOf(pid)]);
}

/** What runs with the environment of a session on this port. */
function commandsOf(port: number): readonly number[] {
  const mark = new RegExp(`(^|\\0)SSH_CONNECTION=127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${port}(\\0|$)`);
  return processes()
    .filter(({ pid }) => pid !== process.pid && mark.test(readProcess(pid, "environ")))
    .map(({ pid }) => pid);
}

function processes(): readonly { readonly pid: number; readonly parent: number; readonly name: string }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      const found = /^\d+ \((.*)\) \S (\d+) /s.exec(readProcess(Number(entry), "stat"));
      return found === null ? [] : [{ pid: Number(entry), parent: Number(found[2]), name: found[1] ?? "" }];
    });
}

function readProcess(pid: number, file: "stat" | "environ"): string {
  try {
    const path = `/proc/${pid}/${file}`;
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  } catch {
    // It has ended, or is another user's.
    return "";
  }
}

function killAll(pids: readonly number[]): number {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  return pids.length;
}
