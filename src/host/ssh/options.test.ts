import { expect, test } from "vitest";
import { commandArguments, masterArguments, type SshTarget, sftpArguments } from "./options.ts";

const target: SshTarget = {
  name: "lab1",
  sshHost: "vm.lab",
  sshPort: 22_555,
  sshUser: "LAB\\robot one",
  sshIdentityFile: "",
  sshKnownHosts: "",
};
const call = { controlPath: "/run/c/x", diagnosticsPath: "/tmp/d", connectTimeoutMs: 1_999 };

test("the command is one argument, after everything that ssh reads as an option", () => {
  const args = commandArguments(target, call, "echo -o x");
  expect(args.slice(-3)).toEqual(["--", "vm.lab", "echo -o x"]);
  expect(args.join(" ")).toContain("-p 22555 -l LAB\\robot one -E /tmp/d");
  expect(args).toContain("BatchMode=yes");
  expect(args).toContain("StrictHostKeyChecking=yes");
  expect(args).toContain("ConnectTimeout=1");
});

test("without files of its own a host leaves both choices to OpenSSH", () => {
  const text = commandArguments(target, call, "x").join("\n");
  expect(text).not.toMatch(/IdentitiesOnly|IdentityFile|UserKnownHostsFile|GlobalKnownHostsFile/);
});

test("a named key and a named file of known hosts are the only ones, and may have any name", () => {
  const named = { ...target, sshIdentityFile: '/k/a "b"\\c%d', sshKnownHosts: "/h/known hosts" };
  const args = commandArguments(named, call, "x");
  expect(args).toContain("IdentitiesOnly=yes");
  expect(args).toContain('IdentityFile="/k/a \\"b\\"\\\\c%%d"');
  expect(args).toContain('UserKnownHostsFile="/h/known hosts"');
  expect(args).toContain("GlobalKnownHostsFile=/dev/null");
});

test("only the master keeps a connection, and it is told once: twice would ask before each session", () => {
  const master = masterArguments(target, call);
  expect(master).toContain("ControlMaster=yes");
  expect(master).not.toContain("-M");
  expect(commandArguments(target, call, "x")).toContain("ControlMaster=no");
});

test("what ssh refuses beside -s is not given with it", () => {
  expect(sftpArguments(target, call).some((word) => word.startsWith("SessionType"))).toBe(false);
});
