import { open } from "node:fs/promises";
import { cutMark } from "../../artifact/kept-output.ts";

/**
 * Holds a file that a program appends to at its limit: the first `keptBytes` and a line that says so. What the program
 * appends next follows that line and is dropped by the next call.
 *
 * @returns how many bytes were dropped now.
 */
export async function cutOutput(path: string, keptBytes: number): Promise<number> {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    if (size <= keptBytes) return 0;
    const mark = Buffer.from(cutMark(keptBytes));
    const marked = Buffer.alloc(mark.length);
    await file.read(marked, 0, mark.length, keptBytes);
    const isMarked = marked.equals(mark);
    if (isMarked && size === keptBytes + mark.length) return 0;
    // The mark is written over what stands there before the file is made shorter: whatever the program appends meanwhile
    // comes after it and is either dropped with the rest or counted by the next call.
    if (!isMarked) await file.write(mark, 0, mark.length, keptBytes);
    await file.truncate(keptBytes + mark.length);
    return size - keptBytes - (isMarked ? mark.length : 0);
  } finally {
    await file.close();
  }
}

/** The last lines of a file, for an error: at most `linesMax` lines and `bytesMax` bytes, as text. */
export async function tailOf(
  path: string,
  { linesMax, bytesMax }: { linesMax: number; bytesMax: number },
): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, bytesMax));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    // A character that was cut in two at the front: its rest would show as a replacement mark.
    let from = 0;
    while (size > bytes.length && from < 4 && ((bytes[from] ?? 0) & 0xc0) === 0x80) from += 1;
    return bytes.toString("utf8", from, bytesRead).trimEnd().split("\n").slice(-linesMax).join("\n");
  } finally {
    await file.close();
  }
}
