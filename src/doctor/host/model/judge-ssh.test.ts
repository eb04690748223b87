import { expect, test } from "vitest";
import { judgeSsh, type SshFacts } from "./judge-ssh.ts";
import type { Subject } from "./subject.ts";

const subject: Subject = {
  ...{ name: "lab1", sshHost: "10.0.0.7", sshPort: 2_222, sshUser: "operator" },
  ...{ sshIdentityFile: "/keys/lab", sshKnownHosts: "/keys/known" },
};
const facts: SshFacts = { connectMs: 41, client: "OpenSSH_9.2p1", server: "OpenSSH_for_Windows_9.5" };

const failed = (code: string, kind?: string) =>
  judgeSsh(
    { kind: "failed", error: { code, message: "said", ...(kind === undefined ? {} : { details: { kind } }) } },
    subject,
  );

test("a way in says how long it took and both programs", () => {
  expect(judgeSsh({ kind: "said", value: facts }, subject)).toEqual({
    state: "ok",
    detail: "operator@10.0.0.7 port 2222 in 41 ms, client OpenSSH_9.2p1, server OpenSSH_for_Windows_9.5",
    facts: { connect_ms: 41, client: "OpenSSH_9.2p1", server: "OpenSSH_for_Windows_9.5" },
    remedy: null,
  });
});

test("versions that cannot be told are no finding; an old client is", () => {
  const unknown = judgeSsh({ kind: "said", value: { connectMs: 1, client: null, server: null } }, subject);
  expect(unknown).toMatchObject({ state: "ok", detail: "operator@10.0.0.7 port 2222 in 1 ms, client unknown" });
  const old = judgeSsh({ kind: "said", value: { ...facts, client: "OpenSSH_8.4p1" } }, subject);
  expect(old).toMatchObject({ state: "warn", remedy: "install OpenSSH's client 8.5 or newer here" });
});

test.each([
  ["SSH_HOST_KEY", "host_key", "unreachable", "`ssh-keyscan -t ed25519 -p 2222 10.0.0.7 | ssh-keygen -lf -`"],
  ["SSH_HOST_KEY", "host_key", "unreachable", "`ssh-keygen -R '[10.0.0.7]:2222' -f /keys/known`"],
  [
    "SSH_AUTH_REFUSED",
    "auth",
    "unreachable",
    "put /keys/lab.pub into C:\\ProgramData\\ssh\\administrators_authorized_keys",
  ],
  ["SSH_AUTH_REFUSED", "auth", "unreachable", "correct hosts.lab1.ssh_user and hosts.lab1.ssh_identity_file"],
  ["HOST_UNREACHABLE", "unreachable", "unreachable", "`Start-Service sshd`"],
  ["HOST_UNREACHABLE", "unresolved", "unreachable", "correct hosts.lab1.ssh_host: 10.0.0.7 has no address"],
  ["HOST_UNREACHABLE", "protocol", "unreachable", "correct hosts.lab1.ssh_port"],
  ["HOST_UNREACHABLE", "refused", "unreachable", "OpenSSH/Operational"],
  ["HOST_UNREACHABLE", "unknown", "unreachable", "try `ssh -v -p 2222 operator@10.0.0.7`"],
  ["TIMEOUT", "timeout", "unreachable", "look whether 10.0.0.7 is up"],
  ["PREREQUISITE_MISSING", undefined, "unreachable", "apt-get install openssh-client"],
  ["CONFIG", "config", "fail", "correct what ssh names"],
] as const)("%s (%s) is %s, with what to do", (code, kind, state, remedy) => {
  const finding = failed(code, kind);
  expect(finding).toMatchObject({ state, detail: `${code}: said`, facts: { code } });
  expect(finding.remedy).toContain(remedy);
});

test("of the machine default the blocks at the top are named, and without settings OpenSSH's own files", () => {
  const plain = { ...subject, name: "default", sshIdentityFile: "", sshKnownHosts: "", sshPort: 22 };
  const refused = judgeSsh({ kind: "failed", error: { code: "SSH_AUTH_REFUSED", message: "" } }, plain);
  expect(refused.remedy).toContain("put your public key into");
  expect(refused.remedy).toContain("windows.ssh_user and windows.ssh_identity_file");
  const unknown = judgeSsh({ kind: "failed", error: { code: "SSH_HOST_KEY", message: "" } }, plain);
  expect(unknown.remedy).toContain("`ssh-keygen -R '10.0.0.7' -f ~/.ssh/known_hosts`");
});
