import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../support/system.ts";
import { isIntegration, WindowsBench } from "../support/windows-bench.ts";

needs("ssh", "sshd");

let bench: WindowsBench;
beforeAll(async () => {
  bench = await WindowsBench.open({ config: { artifacts: { mirror: true } } });
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const onSimulator = test.skipIf(isIntegration);
const MIRROR = "C:\\ProgramData\\win-automation\\artifacts";

onSimulator("a mirror that cannot be written is told and changes nothing", async () => {
  bench.simulator.putFile(MIRROR, "a file in the place of the folder");
  const done = await bench.call(["windows", "exec", "--", "echo fine"]);
  expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining("state=completed") });
  const id = /job_id=(\S+)/.exec(done.stdout)?.[1] ?? "";
  const { stdout } = await bench.call(["jobs", "logs", id]);
  expect(stdout).toContain("the kept files were not copied to the machine");
  rmSync(bench.simulator.path(MIRROR));
});

onSimulator("with a mirror the kept files lie on the machine too, after success and after failure", async () => {
  for (const code of [0, 3]) {
    const { value } = await bench.json<{ job_id: string }>(["windows", "exec", "--", `echo copied & exit ${code}`]);
    const copy = bench.simulator.path(join(`${MIRROR}\\${value.job_id}`));
    const { value: list } = await bench.json<{ root: string }>(["artifacts", "list", value.job_id]);
    for (const name of ["stdout.txt", "exit_code.txt"]) {
      const path = join("ssh", name);
      expect(readFileSync(join(copy, path))).toEqual(readFileSync(join(list.root, path)));
    }
    const manifest = JSON.parse(readFileSync(join(copy, "manifest.json"), "utf8")) as Record<string, unknown>;
    expect(manifest).toMatchObject({ job_id: value.job_id });
    expect(JSON.stringify(manifest["artifacts"])).toContain("ssh/stdout.txt");
  }
});
