import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cutMark, KeptOutput } from "./kept-output.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kept-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("whatever comes in whatever pieces is kept up to the limit, and said to be cut beyond it", async () => {
  let files = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      fc.nat(100),
      async (pieces, limit) => {
        const path = join(folder, `${++files}/out.txt`);
        const output = await KeptOutput.open(path, limit);
        for (const piece of pieces) await output.write(piece);
        const end = await output.finish();
        const all = Buffer.concat(pieces);
        const mark = all.length > limit ? cutMark(limit) : "";
        const expected = Buffer.concat([all.subarray(0, limit), Buffer.from(mark)]);
        expect(readFileSync(path)).toEqual(expected);
        expect(end).toEqual({
          bytes: expected.length,
          sha256: createHash("sha256").update(expected).digest("hex"),
          droppedBytes: Math.max(0, all.length - limit),
        });
      },
    ),
  );
});

test("only its owner may read it, and a file that is there is not written over", async () => {
  const path = join(folder, "a/out.txt");
  await using output = await KeptOutput.open(path, 10);
  await output.write(Buffer.from("x"));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o700);
  await expect(KeptOutput.open(path, 10)).rejects.toMatchObject({ code: "EEXIST" });
});
