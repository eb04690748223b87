import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { commandsOf, knownFlags } from "./documented-commands.ts";

const text = (page: string): string => readFileSync(page, "utf8");
/** Every page of the repository that people read. */
const PAGES = ["SPEC.md", "README.md", "CONTRIBUTING.md", "SECURITY.md", ...globSync("docs/**/*.md")].sort();
const UNITS = globSync("deploy/*.service").sort();

/** Headings as a page shows them, outside of code. */
function headingsOf(page: string): string[] {
  const prose = text(page).replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

describe("what is looked for stands where it is looked for", () => {
  test.each([
    [
      "docs/CONTEXT.md",
      ["Config precedence", "Logging schema", "Retry policy", "Playwright launchServer"],
      ["Artifact root", "Hatchet", "Remediation"],
    ],
    ["docs/NIXOS_INTEGRATION.md", ["compatibility matrix", "drift checklist"], ["Ports", "Unit templates"]],
    ["SPEC.md", ["Exit codes", "Job types", "Artifacts"], ["Supervisor lines", "Errors"]],
    ["README.md", ["What has not run on a real Windows"], []],
  ])("%s has its headings", (page, some, others) => {
    expect(headingsOf(page)).toEqual(expect.arrayContaining([...some, ...others]));
  });

  test.each(["deploy", "upgrade", "rollback", "troubleshoot"])(
    "there is a runbook %s, and its list names it",
    (name) => {
      expect(existsSync(`docs/runbooks/${name}.md`)).toBe(true);
      expect(text("docs/runbooks/README.md")).toContain(`(${name}.md)`);
    },
  );

  test("every decision stands in their list", () => {
    const pages = globSync("docs/decisions/*.md").map((page) => basename(page));
    for (const page of pages.filter((name) => name !== "README.md"))
      expect(text("docs/decisions/README.md")).toContain(`(${page})`);
  });
});

describe.each(PAGES)("%s", (page) => {
  test("leads to pages and headings that there are", () => {
    const links = [...text(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      expect(existsSync(target), link).toBe(true);
      if (anchor !== undefined) expect(headingsOf(target).map(anchorOf), link).toContain(anchor);
    }
  });

  test("names only variables that there are, and says nothing of restate", () => {
    const reference = text("docs/configuration.md");
    const names = [...text(page).matchAll(/\bWINDLASS_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    const ofTests = ["WINDLASS_TEST_PWSH"];
    expect(names.filter((name) => !reference.includes(name) && !ofTests.includes(name))).toEqual([]);
    expect(text(page)).not.toMatch(/\brestate\b/i);
  });
});

// The runbooks have a test of their own.
const TOLD = [...globSync("docs/*.md"), ...globSync("docs/decisions/*.md")]
  .filter((page) => page !== "docs/cli.md" && commandsOf(text(page)).length > 0)
  .sort();

describe.each(TOLD)("%s", (page) => {
  test.each(commandsOf(text(page)))("%s is a command with these flags", async (line) => {
    const { known, given } = await knownFlags(line);
    expect(known).toEqual(expect.arrayContaining(given));
  });
});

test("the pages tell what to type", () => {
  expect(TOLD.flatMap((page) => commandsOf(text(page))).length).toBeGreaterThan(30);
});

describe.each(UNITS)("%s", (unit) => {
  const pairs = text(unit)
    .split("\n")
    .filter((line) => line !== "" && !/^[#[]/.test(line))
    .map((line) => /^(\w+)=(.*)$/.exec(line) ?? [line]);

  test("has sections and pairs, and starts a command with flags that there are", async () => {
    expect(text(unit).match(/^\[\w+\]$/gm)).toEqual(["[Unit]", "[Service]", "[Install]"]);
    for (const pair of pairs) expect(pair).toHaveLength(3);
    const start = pairs.find(([, key]) => key === "ExecStart")?.[2] ?? "";
    const { known, given } = await knownFlags(start.replace(/^\S+\/windlass --config \S+/, "windlass"));
    expect(start).toMatch(/^\/opt\/windlass\/node_modules\/\.bin\/windlass --config \/etc\/windlass\/config\.yaml /);
    expect(known).toEqual(expect.arrayContaining(given));
    const page = pairs.find(([, key]) => key === "Documentation")?.[2]?.replace("file:///opt/windlass/", "") ?? "";
    expect(existsSync(page)).toBe(true);
  });

  test("is sound to systemd", ({ skip }) => {
    const program = ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"].find((path) => existsSync(path));
    if (program === undefined) return skip("systemd-analyze is missing; install it (apt-get install systemd)");
    const folder = mkdtempSync(join(tmpdir(), "windlass-units-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const adapted = join(folder, basename(unit));
    writeFileSync(adapted, text(unit).replace("/opt/windlass/node_modules/.bin/windlass", process.execPath));
    expect(execFileSync(program, ["verify", adapted], { encoding: "utf8", stdio: "pipe" })).toBe("");
  });
});
