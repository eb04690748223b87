import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { needs } from "../system.ts";
import { until } from "../until.ts";
import { type SshServer, type SshServerOptions, startSshServer } from "./ssh-server.ts";

needs("sshd");

const servers: SshServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function start(options: SshServerOptions = {}): Promise<SshServer> {
  const server = await startSshServer(options);
  servers.push(server);
  return server;
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/ Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

function ssh(server: SshServer, command: string): SpawnSyncReturns<string> {
  return spawnSync("ssh", [...optionsOf(server), "-p", String(server.port), `${server.user}@127.0.0.1`, command], {
    encoding: "utf8",
    input: "",
  });
}

function optionsOf(server: SshServer): readonly string[] {
  const settings = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${server.knownHosts}`,
    "IdentitiesOnly=yes",
    "LogLevel=ERROR",
  ];
  return ["-F", "none", "-i", server.identityFile, ...settings.flatMap((setting) => ["-o", setting])];
}

test("runs commands with their exit codes", async () => {
  const server = await start();
  expect(ssh(server, "echo out; echo err >&2; exit 7")).toMatchObject({ status: 7, stdout: "out\n", stderr: "err\n" });
  expect(server.log()).toMatch(/Accepted publickey/);
});

test("a forced command sees the original one, and sftp is not forced", async () => {
  const server = await start({
    forceCommand: `printf '%s|%s|%s' "$SSH_ORIGINAL_COMMAND" "$STATE" "$ODD"`,
    environment: { STATE: "/a b", ODD: `x"y\\z` },
  });
  expect(ssh(server, `a "b c" %TEMP%`).stdout).toBe(`a "b c" %TEMP%|/a b|x"y\\z`);
  const file = join(server.root, "from here.txt");
  writeFileSync(file, "text");
  const put = spawnSync(
    "sftp",
    [...optionsOf(server), "-b", "-", "-P", String(server.port), `${server.user}@127.0.0.1`],
    {
      encoding: "utf8",
      input: `put "${file}" "C:/to there.txt"\n`,
    },
  );
  expect(put).toMatchObject({ status: 0 });
  expect(readFileSync(join(server.root, "C:", "to there.txt"), "utf8")).toBe("text");
});

test("a changed host key is refused, the port stays", async () => {
  const server = await start();
  await server.changeHostKey();
  const refused = ssh(server, "true");
  expect(refused.status).toBe(255);
  expect(refused.stderr).toMatch(/REMOTE HOST IDENTIFICATION HAS CHANGED/);
});

test("cut connections are nobody's any more, the next one is served", async () => {
  const server = await start();
  expect(server.cutConnections()).toBe(0);
  expect(ssh(server, "true").status).toBe(0);
});

test("stop ends what commands left running", async () => {
  const server = await start();
  const pid = Number(ssh(server, "sleep 1000 >/dev/null 2>&1 & echo $!").stdout);
  expect(() => process.kill(pid, 0)).not.toThrow();
  await server.stop();
  servers.length = 0;
  await until(() => (isRunning(pid) ? undefined : true), { what: "the program is gone" });
});
