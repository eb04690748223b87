import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LoadedConfig } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { type ChosenHost, chooseHosts, configuredHosts } from "./choose-hosts.ts";

/** What is watched with this file and these variables. */
async function watched(file: unknown, { env = {}, words }: { env?: Record<string, string>; words?: string[] } = {}) {
  return (await choose(file, env, (loaded) => chooseHosts(loaded, words))).map(sayHost);
}

/** What the doctor takes for configured. */
async function configured(file: unknown, env: Record<string, string> = {}) {
  return (await choose(file, env, configuredHosts)).map(sayHost);
}

const sayHost = ({ host, hasAloha, hasPlaywright }: ChosenHost) => [host.name, hasAloha, hasPlaywright];

async function choose<T>(file: unknown, env: Record<string, string>, of: (loaded: LoadedConfig) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "windlass-hosts-"));
  try {
    const configPath = join(folder, "windlass.json");
    writeFileSync(configPath, JSON.stringify(file));
    const loaded = await loadConfig({ configPath, env, flags: {}, cwd: folder, home: folder });
    return of(loaded);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const LAB = { ssh_host: "lab", aloha: {}, labels: { site: "lab1" } };

test("without any setting nothing is watched; the default machine is where it is named or a failure rehearsed, for SSH alone", async () => {
  await expect(watched({})).rejects.toMatchObject({
    code: "CONFIG",
    message:
      "no Windows machine is configured; set windows.ssh_host, or hosts for several; `--host default` takes the one at localhost:22555 as it is",
  });
  expect(await watched({}, { words: ["default"] })).toEqual([["default", false, false]]);
  expect(await watched({}, { env: { WINDLASS_SUPERVISOR_FAILPOINT: "ssh" } })).toEqual([["default", false, false]]);
});

test("a block that is set says that its part is there", async () => {
  expect(await watched({ aloha: { server_start_cmd: "sc start aloha" } })).toEqual([["default", true, false]]);
  const env = { WINDLASS_PLAYWRIGHT_WS_PATH: "/a1b2c3d4e5f6a7b8" };
  expect(await watched({}, { env })).toEqual([["default", false, true]]);
});

test("of named machines all are watched, and the default one where a setting is about it", async () => {
  expect(await watched({ hosts: { lab: LAB } })).toEqual([["lab", true, false]]);
  expect(await watched({ hosts: { lab: LAB }, windows: { ssh_port: 2_222 } })).toEqual([
    ["default", false, false],
    ["lab", true, false],
  ]);
});

test("the secret path is one for all machines and makes no default one", async () => {
  const env = { WINDLASS_PLAYWRIGHT_WS_PATH: "/a1b2c3d4e5f6a7b8" };
  expect(await watched({ hosts: { lab: { ...LAB, playwright: {} } } }, { env })).toEqual([["lab", true, true]]);
});

test("words choose by name or label, and an unknown one is refused", async () => {
  const file = { hosts: { lab: LAB, other: { ssh_host: "other" } } };
  expect(await watched(file, { words: ["other"] })).toEqual([["other", false, false]]);
  expect(await watched(file, { words: ["site=lab1"] })).toEqual([["lab", true, false]]);
  await expect(watched(file, { words: ["otter"] })).rejects.toMatchObject({ code: "UNKNOWN_HOST" });
});

test("without any setting nothing is configured; a named host, a setting or the secret path alone is one", async () => {
  expect(await configured({})).toEqual([]);
  expect(await configured({ hosts: { lab: LAB } })).toEqual([["lab", true, false]]);
  expect(await configured({ windows: { ssh_port: 2_222 } })).toEqual([["default", false, false]]);
  expect(await configured({}, { WINDLASS_PLAYWRIGHT_WS_PATH: "/a1b2c3d4e5f6a7b8" })).toEqual([
    ["default", false, true],
  ]);
});
