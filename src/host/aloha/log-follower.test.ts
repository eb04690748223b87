import fc from "fast-check";
import { expect, test } from "vitest";
import { LogFollower, type LogPiece, markLog, type ReadLog } from "./log-follower.ts";

/** A file that a test writes; `undefined`: there is none. */
class File {
  content: Buffer | undefined;

  constructor(content?: string) {
    this.content = content === undefined ? undefined : Buffer.from(content);
  }

  append(text: string): void {
    this.content = Buffer.concat([this.content ?? Buffer.alloc(0), Buffer.from(text)]);
  }

  readonly read: ReadLog = ({ offset, bytesMax }) => {
    const { content } = this;
    const piece: LogPiece =
      content === undefined
        ? { kind: "missing" }
        : { kind: "read", bytes: content.subarray(offset, offset + bytesMax), sizeBytes: content.length };
    return Promise.resolve(piece);
  };
}

const options = { signal: new AbortController().signal };
const line = (message: string): string => `2026-11-21 12:00:00,123 - INFO - ${message}\n`;

async function following(file: File): Promise<{ readonly log: LogFollower; readonly kept: () => string }> {
  const kept: Uint8Array[] = [];
  const mark = await markLog(file.read, options);
  const log = new LogFollower({ read: file.read, mark, task: "open it", keep: (bytes) => void kept.push(bytes) });
  return { log, kept: () => Buffer.concat(kept).toString() };
}

test("what stood in the log before is not looked at", async () => {
  const file = new File(line("process_input thread started.") + line("process_input thread finished."));
  const { log, kept } = await following(file);
  expect(await log.look(options)).toBe(true);
  expect(log.evidence.started).toBe(false);
  file.append(line("process_input thread started."));
  await log.look(options);
  expect([log.evidence.started, kept()]).toEqual([true, line("process_input thread started.")]);
});

test("a log that is not there yet is read from its beginning", async () => {
  const file = new File();
  const { log } = await following(file);
  expect(await log.look(options)).toBe(false);
  file.append(line("process_input thread started."));
  expect(await log.look(options)).toBe(true);
  expect(log.evidence).toMatchObject({ started: true, turned: false });
});

test.each([
  ["emptied", ""],
  ["emptied and longer again than before", "x".repeat(10_000)],
  ["of another process", line("App main() function starting setup.")],
])("a log that was %s is read from its beginning", async (_name, content) => {
  const file = new File(line("App main() function starting setup."));
  const { log } = await following(file);
  file.append(line("process_input thread started."));
  await log.look(options);
  file.content = Buffer.from(`${content}\n${line("step_count: 2")}`);
  await log.look(options);
  expect(log.evidence.turned).toBe(true);
  expect(content.includes("App main") ? log.evidence.restarted : log.evidence.steps === 2).toBe(true);
});

test("a log that is gone for a while goes on on a new page", async () => {
  const file = new File(line("boot"));
  const { log } = await following(file);
  file.append(line("process_input thread started."));
  await log.look(options);
  file.content = undefined;
  expect(await log.look(options)).toBe(false);
  file.append(line("step_count: 7"));
  await log.look(options);
  expect(log.evidence).toMatchObject({ steps: 7, turned: true });
});

test("a log of many pieces is read to its end in one look", async () => {
  const file = new File("");
  const { log, kept } = await following(file);
  const text = line("process_input thread started.") + line("x".repeat(1_000)).repeat(700) + line("step_count: 3");
  file.append(text);
  await log.look(options);
  expect(log.evidence.steps).toBe(3);
  expect(kept()).toBe(text);
});

test("whatever is written between looks is kept once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.array(fc.string({ minLength: 1 })), async (before, pieces) => {
      const file = new File(before);
      const { log, kept } = await following(file);
      for (const piece of pieces) {
        file.append(piece);
        await log.look(options);
      }
      expect(kept()).toBe(pieces.join(""));
    }),
    { numRuns: 50 },
  );
});
