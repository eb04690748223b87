import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { realPath } from "../../windows-path.ts";
import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ context, cwd }, { path, offset, max_bytes: maxBytes }) => {
  const real = realPath(context.folder, String(path), cwd);
  if (real === undefined || statSync(real, { throwIfNoEntry: false })?.isFile() !== true) {
    return { exists: false, size: 0, offset: 0, data: "" };
  }
  const file = openSync(real, "r");
  try {
    const { size } = fstatSync(file);
    const wanted = Number(offset);
    const from = Math.min(wanted < 0 ? Math.max(0, size + wanted) : wanted, size);
    const bytes = Buffer.alloc(Math.min(Number(maxBytes), size - from));
    const length = readSync(file, bytes, 0, bytes.length, from);
    return { exists: true, size, offset: from, data: bytes.subarray(0, length).toString("base64") };
  } finally {
    closeSync(file);
  }
};
