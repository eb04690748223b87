import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makePlainKey } from "../../test/support/plain-key.ts";
import { needs } from "../../test/support/system.ts";
import { signStatement } from "./ssh-keygen.ts";

needs("ssh");
const folder = mkdtempSync(join(tmpdir(), "windlass-ssh-keygen-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a key that others can read is not signed with, and that is what is said", async () => {
  const { path } = makePlainKey(folder, "open", "anna");
  chmodSync(path, 0o644);
  await expect(signStatement("{}", path)).rejects.toMatchObject({
    code: "APPROVAL_SIGNATURE",
    message: expect.stringMatching(
      /ssh-keygen made no signature with \S+: Permissions 0644 for \S+ are too open\. .*ignored/,
    ),
  });
});

test("a key that is not there is named", async () => {
  await expect(signStatement("{}", join(folder, "none"))).rejects.toMatchObject({
    code: "APPROVAL_SIGNATURE",
    message: expect.stringContaining("none: No such file or directory"),
  });
});
