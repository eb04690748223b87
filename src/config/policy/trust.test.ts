import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { loadPolicy } from "./load-policy.ts";
import { type Account, ownAccount, writablePart } from "./trust.ts";

const AGENT: Account = { uid: 4711, groups: [4711, 50] };
const POLICY = "version: 1\nrules:\n  - { name: all, allow: true }\n";
const isRoot = process.getuid?.() === 0;

let folder = "";
let path = "";
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "windlass-trust-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  path = join(folder, "etc", "policy.yaml");
  mkdirSync(dirname(path), { mode: 0o755 });
  writeFileSync(path, POLICY, { mode: 0o644 });
});

test("what others own and only they may write cannot be changed", () => {
  expect(writablePart(path, AGENT)).toBeUndefined();
});

describe.skipIf(!isRoot)("a policy can be changed by an account", () => {
  test.each<[what: string, change: () => void, part: () => string]>([
    [
      "that owns the file, even where it may not write it",
      () => {
        chownSync(path, 4711, 0);
        chmodSync(path, 0o444);
      },
      () => path,
    ],
    ["that owns the folder", () => chownSync(dirname(path), 4711, 0), () => dirname(path)],
    ["that owns a folder above", () => chownSync(folder, 4711, 0), () => folder],
    ["when everybody may write the file", () => chmodSync(path, 0o646), () => path],
    ["when everybody may write a folder above", () => chmodSync(folder, 0o757), () => folder],
    [
      "whose group may write the file",
      () => {
        chownSync(path, 0, 50);
        chmodSync(path, 0o664);
      },
      () => path,
    ],
    [
      "whose group may write the folder",
      () => {
        chownSync(dirname(path), 0, 50);
        chmodSync(dirname(path), 0o775);
      },
      () => dirname(path),
    ],
  ])("%s", (_, change, part) => {
    change();
    expect(writablePart(path, AGENT)).toBe(part());
  });

  test.each<[what: string, change: () => void]>([
    [
      "whose group is another",
      () => {
        chownSync(path, 0, 51);
        chmodSync(path, 0o664);
      },
    ],
    ["in a folder like /tmp, where others' files stay", () => chmodSync(folder, 0o1777)],
  ])("but not by one %s", (_, change) => {
    change();
    expect(writablePart(path, AGENT)).toBeUndefined();
  });

  test("that can move a link on the way, or what the link leads to", () => {
    const link = join(folder, "link");
    mkdirSync(join(folder, "loose"));
    symlinkSync(dirname(path), link);
    expect(writablePart(join(link, "policy.yaml"), AGENT)).toBeUndefined();
    lchownSync(link, 4711, 0);
    expect(writablePart(join(link, "policy.yaml"), AGENT)).toBe(link);
    rmSync(link);
    symlinkSync("etc/../loose", link);
    writeFileSync(join(folder, "loose", "policy.yaml"), POLICY);
    chownSync(join(folder, "loose"), 4711, 0);
    expect(writablePart(join(link, "policy.yaml"), AGENT)).toBe(join(folder, "loose"));
    rmSync(link);
    symlinkSync("link", link);
    expect(writablePart(join(link, "policy.yaml"), AGENT)).toBe(link);
  });

  test("when it is root, and when it is not there", () => {
    expect(writablePart(path, { uid: 0, groups: [] })).toBe(path);
    const none = join(folder, "none.yaml");
    expect(writablePart(none, AGENT)).toBe(none);
  });
});

describe("a policy is", () => {
  const load = (
    policyOrigin: Parameters<typeof loadPolicy>[0]["policyOrigin"],
    account: Account | undefined = AGENT,
  ) => {
    const { level, reason } = loadPolicy({ policy: path, policyOrigin }, account);
    return [level, reason];
  };

  test.skipIf(!isRoot)("enforced where the account that asks could neither change nor choose it", () => {
    expect(load({ kind: "found", where: "/etc" })).toEqual(["enforced", undefined]);
    const config = join(folder, "config.yaml");
    writeFileSync(config, "");
    expect(load({ kind: "file", path: config })).toEqual(["enforced", undefined]);
    chownSync(config, 4711, 0);
    expect(load({ kind: "file", path: config })).toEqual([
      "advisory",
      `the account that asks can change ${config}, which names it`,
    ]);
  });

  test("advisory where it could", () => {
    expect(load({ kind: "flag", name: "--policy" })).toEqual(["advisory", "the call itself chose it"]);
    expect(load({ kind: "environment", name: "WINDLASS_POLICY" })).toEqual(["advisory", "the call itself chose it"]);
    expect(load({ kind: "found", where: "/" }, { uid: 0, groups: [] })).toEqual([
      "advisory",
      "root, who asks, can change every file",
    ]);
    const own = ownAccount();
    expect(load({ kind: "found", where: "/" }, own)[0]).toBe("advisory");
  });
});
