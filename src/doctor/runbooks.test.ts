import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../cli/commands.ts";
import { GLOBAL_FLAGS } from "../cli/global-flags.ts";
import { settingFlags } from "../cli/settings-flags.ts";
import { CHECKS } from "./checks.ts";
import { HOST_LINES } from "./model/host-lines.ts";

const PAGES = globSync("docs/runbooks/*.md").sort();
const text = (page: string): string => readFileSync(page, "utf8");

/** Every command that a page tells to type: behind a prompt, or in backticks. */
function commandsOf(page: string): string[] {
  const typed = [...text(page).matchAll(/^\s*\$ (windlass .*)$/gm)].map(([, command = ""]) => command);
  const named = [...text(page).matchAll(/`(windlass [a-z][^`\n]*)`/g)].map(([, command = ""]) => command);
  return [...typed, ...named];
}

describe.each(PAGES)("%s", (page) => {
  test.each(commandsOf(page))("%s is a command with these flags", async (line) => {
    const words = line.replace(/ #.*$/, "").split(/\s+/).slice(1);
    const entry = COMMANDS.filter(({ name }) => words.join(" ").startsWith(name)).sort(
      (a, b) => b.name.length - a.name.length,
    )[0];
    expect(entry).toBeDefined();
    const command = await entry?.load();
    const flags = [...GLOBAL_FLAGS, ...(command?.flags ?? []), ...settingFlags(command?.settings ?? [])];
    const known = flags.flatMap(({ name, aliases = [], short }) => [
      ...[name, ...aliases].map((each) => `--${each}`),
      ...(short === undefined ? [] : [`-${short}`]),
    ]);
    // Of a job's own type: what jobs enqueue takes beside the flags of its operation.
    known.push("--input-json", "--from-file");
    const given = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/, ""));
    expect(known).toEqual(expect.arrayContaining(given));
  });

  test("names only checks that there are, and pages that there are", () => {
    const names = [...text(page).matchAll(/check=([a-z_]+)/g)].map(([, name]) => name);
    expect([...CHECKS.map(({ name }) => name), ...HOST_LINES]).toEqual(expect.arrayContaining(names));
    const links = [...text(page).matchAll(/\]\(([a-z./-]+\.md)\)/g)].map(([, path = ""]) => path);
    for (const link of links) expect(globSync(`docs/runbooks/${link}`)).toHaveLength(1);
  });
});

test("there are pages, and they tell what to type", () => {
  expect(PAGES.length).toBeGreaterThan(3);
  expect(PAGES.flatMap(commandsOf).length).toBeGreaterThan(20);
});
