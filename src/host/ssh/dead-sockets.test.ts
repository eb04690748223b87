import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { masterOf, testWithSsh as test } from "../../../test/support/ssh-bench.ts";
import { needs } from "../../../test/support/system.ts";
import { until } from "../../../test/support/until.ts";
import { removeDeadSockets } from "./dead-sockets.ts";

needs("sshd");

test("the socket of an ssh that was killed is removed, and one that serves stays", async ({ lab }) => {
  await lab.connect(await lab.serve()).connect(lab);
  const [dead = ""] = lab.sockets();
  await lab.connect(await lab.serve()).connect(lab);
  const [alive = ""] = lab.sockets().filter((path) => path !== dead);
  process.kill(masterOf(dead), "SIGKILL");
  await until(() => (Number.isNaN(masterOf(dead)) ? true : undefined), { what: "the master is gone" });
  await removeDeadSockets(join(lab.folder, "c"));
  expect(lab.sockets()).toEqual([alive]);
  expect(masterOf(alive)).toBeGreaterThan(0);
});

test("what ssh binds before it listens, and what is no socket, stays", async ({ lab }) => {
  await lab.connect(await lab.serve()).connect(lab);
  const folder = join(lab.folder, "c");
  const name = "0123456789abcdef";
  const bound = join(folder, `${name}.01234567.AbCdEfGhIjKlMnOp`);
  const listen = `require("node:net").createServer().listen(${JSON.stringify(bound)}, () => console.log("listens"))`;
  const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  writeFileSync(join(folder, name), "");
  const before = readdirSync(folder);
  await removeDeadSockets(folder);
  expect(readdirSync(folder)).toEqual(before);
  await removeDeadSockets(join(lab.folder, "none"));
});
