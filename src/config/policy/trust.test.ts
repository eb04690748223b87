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
import { partOfWriters } from "./database-writers.ts";
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
    const database = { path: join(folder, "database", "w.db") };
    const { level, reason } = loadPolicy({ policy: path, policyOrigin, database }, account);
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

describe.skipIf(!isRoot)("whoever may write the database asks too, as anybody", () => {
  const WORKER = 4712;
  const CALLER: Account = { uid: 4713, groups: [4713] };
  let database = "";
  beforeEach(() => {
    database = join(folder, "data", "w.db");
    mkdirSync(dirname(database), { mode: 0o700 });
    writeFileSync(database, "", { mode: 0o600 });
    for (const part of [dirname(database), database]) chownSync(part, WORKER, WORKER);
  });
  const level = () => {
    const found = loadPolicy(
      { policy: path, policyOrigin: { kind: "found", where: "/" }, database: { path: database } },
      CALLER,
    );
    return [found.level, found.reason];
  };

  test("a policy of root's holds them all", () => {
    expect(partOfWriters(path, database)).toBeUndefined();
    chmodSync(dirname(database), 0o777);
    chmodSync(database, 0o666);
    expect(partOfWriters(path, database)).toBeUndefined();
    expect(level()).toEqual(["enforced", undefined]);
  });

  test.each<[what: string, change: () => void, part: () => string]>([
    ["the database's owner has the file", () => chownSync(path, WORKER, 0), () => path],
    [
      "the owner of its folder has a folder above the file",
      () => {
        chownSync(database, 0, 0);
        chownSync(dirname(path), WORKER, 0);
      },
      () => dirname(path),
    ],
    [
      "somebody has the file, and a group may write the database",
      () => {
        chmodSync(database, 0o660);
        chownSync(path, 4799, 0);
      },
      () => path,
    ],
    [
      "somebody has the file, and everybody may replace the database",
      () => {
        chmodSync(dirname(database), 0o777);
        chownSync(path, 4799, 0);
      },
      () => path,
    ],
    [
      "a group may write the file",
      () => {
        chownSync(path, 0, 50);
        chmodSync(path, 0o664);
      },
      () => path,
    ],
    ["everybody may write the folder", () => chmodSync(dirname(path), 0o777), () => dirname(path)],
  ])("where %s it is advisory, whoever calls", (_, change, part) => {
    change();
    expect(partOfWriters(path, database)).toBe(part());
    expect(level()[0]).toBe("advisory");
  });

  test("somebody else may have the file where only its owner writes the database", () => {
    chownSync(path, 4799, 4799);
    expect(level()).toEqual(["enforced", undefined]);
    chownSync(path, WORKER, WORKER);
    expect(level()).toEqual(["advisory", `an account that may write the database can change ${path}`]);
  });

  test("a database that is named by a link has the writers of both folders", () => {
    const link = join(folder, "link.db");
    symlinkSync(database, link);
    chmodSync(dirname(database), 0o777);
    chownSync(database, 0, 0);
    chownSync(path, 4799, 0);
    expect(partOfWriters(path, link)).toBe(path);
  });

  test("a database that is not there yet has the writers of its folder", () => {
    rmSync(database);
    chownSync(path, WORKER, WORKER);
    expect(partOfWriters(path, database)).toBe(path);
    // In a folder like /tmp nobody takes away what others put there.
    chownSync(dirname(database), 0, 0);
    chmodSync(dirname(database), 0o1777);
    expect(partOfWriters(path, database)).toBeUndefined();
  });
});
