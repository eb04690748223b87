import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";
import { parseTrailer } from "./trailer.ts";

const NONCE = "0123456789abcdef0123456789abcdef";
const TRAILER = `\n${NONCE} end=exited rc=0 left=0\n`;

/** Gives the bytes to a splitter in pieces of these lengths, over and over. */
function split(bytes: Buffer, lengths: readonly number[]) {
  const splitter = new LineSplitter(NONCE, parseTrailer);
  const output: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    const result = splitter.push(bytes.subarray(at, at + length));
    output.push(...result.output);
    at += length;
    if (result.found !== undefined) {
      const rest = Buffer.concat([result.rest ?? Buffer.alloc(0), bytes.subarray(at)]);
      return { output: Buffer.concat(output), found: result.found, rest };
    }
  }
  return { output: Buffer.concat([...output, splitter.end()]), found: undefined, rest: Buffer.alloc(0) };
}

const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
/** Pieces of which something can be made that looks like the runner's line. */
const lookalike = fc.constantFrom(
  ...["\n", "\n\n", "\r\n", NONCE, `\n${NONCE}`, `\n${NONCE.slice(0, 20)}`, `\n${NONCE} end=`],
  ...[
    `\n${NONCE} end=exited rc=0\n`,
    `\n${NONCE} end=exited rc=00 left=0\n`,
    `\n${NONCE} end=exited rc=4294967296 left=0\n`,
  ],
  ...[`\n${NONCE} end=gone rc=0 left=0\n`, `\n${NONCE} end=exited rc=0 left=0 \n`, `${NONCE} end=exited rc=0 left=0\n`],
  ...[`\n ${NONCE} end=exited rc=0 left=0\n`, `\n${NONCE.toUpperCase()} end=exited rc=0 left=0\n`, "x"],
);
/** Nobody but the runner knows the nonce, so no command writes the line itself. */
const EXACT = new RegExp(`\n${NONCE} end=exited rc=0 left=0\r?\n`);
const bytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.array(lookalike, { maxLength: 8 }).map((texts) => Buffer.from(texts.join(""))),
  )
  .filter((made) => !EXACT.test(made.toString("latin1")));

test("the bytes of a command pass unchanged, whatever they look like and however they are cut", () => {
  fc.assert(
    fc.property(bytes, lengths, bytes, (output, cuts, rest) => {
      const result = split(Buffer.concat([output, Buffer.from(TRAILER), rest]), cuts);
      expect(result.found).toEqual({ end: "exited", code: 0, left: 0 });
      expect(result.output.equals(output)).toBe(true);
      expect(result.rest.equals(rest)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("without the line everything is the command's", () => {
  fc.assert(
    fc.property(bytes, lengths, (output, cuts) => {
      const result = split(output, cuts);
      expect(result.found).toBeUndefined();
      expect(result.output.equals(output)).toBe(true);
    }),
  );
});

test("no more is held back than could be the line", () => {
  const splitter = new LineSplitter(NONCE, parseTrailer);
  expect(Buffer.concat([...splitter.push(Buffer.from("hello")).output]).toString()).toBe("hello");
  expect(Buffer.concat([...splitter.push(Buffer.from(`a\n${NONCE.slice(0, 5)}`)).output]).toString()).toBe("a");
  expect(Buffer.concat([...splitter.push(Buffer.from("z")).output]).toString()).toBe(`\n${NONCE.slice(0, 5)}z`);
  // A line without an end is not waited for for ever.
  const long = Buffer.from(`\n${NONCE}${"x".repeat(20_000)}`);
  expect(Buffer.concat([...splitter.push(long).output])).toHaveLength(long.length);
});

test("a console that makes CRLF of every newline does not hide the line", () => {
  const result = split(Buffer.from(`a\r\n${NONCE} end=exited rc=3 left=0\r\n`), [7]);
  expect(result).toMatchObject({ found: { code: 3 } });
});
