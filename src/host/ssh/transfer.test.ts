import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, vi } from "vitest";
import { loginsOf, testWithSsh as test } from "../../../test/support/ssh-bench.ts";
import { needs } from "../../../test/support/system.ts";
import { until } from "../../../test/support/until.ts";

needs("sshd");

afterEach(() => void vi.unstubAllEnvs());

// What Windows allows in a name, and some that only the stand-in does.
const NAMES = [
  "with blanks.txt",
  "ünïcödé ✓ 文件.txt",
  "it's $HOME %TEMP% `x` & [1] {a} #b.txt",
  'a "quoted" *?\\.txt',
  "-o",
];

test("files of any name arrive unchanged, over the login that is open", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  const bytes = randomBytes(300_000);
  for (const name of NAMES) {
    const local = join(lab.folder, name);
    writeFileSync(local, bytes);
    const remote = name.replaceAll("\\", "");
    await connection.upload(local, `C:/${remote}`, lab);
    expect(readFileSync(join(server.root, "C:", remote)).equals(bytes)).toBe(true);
    const back = join(lab.folder, `back ${name}`);
    await connection.download(`C:\\${remote}`, back, lab);
    expect(readFileSync(back).equals(bytes)).toBe(true);
    expect(statSync(back).mode & 0o777).toBe(0o600);
  }
  expect(loginsOf(server)).toBe(1);
  expect(readdirSync(join(server.root, "C:")).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("bytes are uploaded, an empty file too, and what was there is replaced", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  await connection.upload(Buffer.from("one"), "C:/file.txt", lab);
  await connection.upload(Buffer.from("another"), "C:/file.txt", lab);
  expect(readFileSync(join(server.root, "C:", "file.txt"), "utf8")).toBe("another");
  await connection.upload(new Uint8Array(), "C:/empty", lab);
  await connection.download("C:/empty", join(lab.folder, "empty"), lab);
  expect(statSync(join(lab.folder, "empty")).size).toBe(0);
});

test("a folder is made with those above it, and may be there already", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  for (const path of ["C:/ProgramData/win automation/ü", "C:\\ProgramData\\win automation\\ü\\"]) {
    await connection.makeFolder(path, lab);
    expect(statSync(join(server.root, "C:", "ProgramData", "win automation", "ü")).isDirectory()).toBe(true);
  }
  writeFileSync(join(server.root, "C:", "file"), "");
  await expect(connection.makeFolder("C:/file/below", lab)).rejects.toMatchObject({ name: "AppError" });
});

test("a file that is missing is said to be, and leaves nothing here", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const local = join(lab.folder, "here");
  mkdirSync(local);
  await expect(connection.download("C:/no such file", join(local, "x"), lab)).rejects.toMatchObject({
    code: "REMOTE_FILE_MISSING",
  });
  expect(readdirSync(local)).toEqual([]);
});

test("a folder is no file, in either direction", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  mkdirSync(join(server.root, "C:", "folder"));
  await expect(connection.download("C:/folder", join(lab.folder, "x"), lab)).rejects.toMatchObject({
    code: "TRANSFER_FAILED",
  });
  await expect(connection.upload(lab.folder, "C:/x", lab)).rejects.toMatchObject({ code: "INVALID_PATH" });
  await expect(connection.upload(join(lab.folder, "none"), "C:/x", lab)).rejects.toMatchObject({
    code: "INVALID_PATH",
  });
});

test("an upload that cannot end leaves nothing behind", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  // A folder of the final name: the rename is what fails.
  mkdirSync(join(server.root, "C:", "taken", "inside"), { recursive: true });
  await expect(connection.upload(Buffer.from("x"), "C:/taken", lab)).rejects.toMatchObject({ code: "TRANSFER_FAILED" });
  expect(readdirSync(join(server.root, "C:"))).toEqual(["taken"]);
  await expect(connection.upload(Buffer.from("x"), "C:/none/x", lab)).rejects.toMatchObject({ name: "AppError" });
});

test("the name of an upload appears with all of it or not at all", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  const local = join(lab.folder, "large");
  writeFileSync(local, Buffer.alloc(200_000_000));
  const uploading = connection.upload(local, "C:/large", lab).catch((error) => error);
  const drive = join(server.root, "C:");
  await until(() => (readdirSync(drive).some((name) => name.endsWith(".part")) ? true : undefined), {
    what: "the upload has begun",
  });
  server.cutConnections();
  expect(await uploading).toMatchObject({ code: "HOST_UNREACHABLE", details: { kind: "cut" } });
  expect(existsSync(join(drive, "large"))).toBe(false);
});

test("a cancelled download ends at once and leaves nothing here", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  writeFileSync(join(server.root, "C:", "large"), Buffer.alloc(200_000_000));
  const local = join(lab.folder, "here");
  mkdirSync(local);
  const stop = new AbortController();
  const downloading = connection.download("C:/large", join(local, "x"), stop).catch((error) => error);
  await until(() => (readdirSync(local).some((name) => statSync(join(local, name)).size > 0) ? true : undefined), {
    what: "the download has begun",
  });
  const reason = new Error("enough");
  stop.abort(reason);
  expect(await downloading).toBe(reason);
  expect(readdirSync(local)).toEqual([]);
});

test("a path that is none of a Windows machine is refused before anything is started", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  for (const path of ["", "relative/x", "/etc/passwd", "C:x", "C:/a\nrm C:/b", "-C:/x"])
    await expect(connection.upload(Buffer.from("x"), path, lab)).rejects.toMatchObject({ code: "INVALID_PATH" });
});

test("bytes that are uploaded are gone from here afterwards", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const folder = join(lab.folder, "temporary");
  mkdirSync(folder);
  vi.stubEnv("TMPDIR", folder);
  await connection.upload(Buffer.from("secret"), "C:/secret", lab);
  expect(readdirSync(folder)).toEqual([]);
});
