import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor, type Redactor } from "./redact.ts";

const redactorFor = (...values: readonly string[]): Redactor => {
  const redactor = createRedactor();
  for (const value of values) redactor.add(value);
  return redactor;
};

/** Sends bytes through a stream in pieces that end at the given places. */
function pieces(redactor: Redactor, bytes: Uint8Array, cuts: readonly number[]): Buffer {
  const stream = redactor.stream();
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const out: Uint8Array[] = [];
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    // A Buffer, as files and sockets give: its `slice` shares memory, unlike that of other bytes.
    const chunk = Buffer.from(bytes.subarray(from, to));
    out.push(Uint8Array.from(stream.push(chunk)));
    chunk.fill(0); // The caller may use its buffer again.
    from = to;
  }
  return Buffer.concat([...out, stream.flush()]);
}

// No star, so that a mask cannot make a secret; no white space at the ends, because that is masked in two ways.
const secret = fc
  .oneof(
    fc.string({ unit: "grapheme", minLength: 4, maxLength: 30 }),
    fc.stringMatching(/^[a-c]{4,9}$/),
    fc.stringMatching(/^[ -~\n]{8,60}$/),
  )
  .filter((value) => [...value.trim()].length >= 4 && value.trim() === value && !value.includes("*"));
const cuts = fc.array(fc.nat(), { maxLength: 8 });

/** Writers that a secret may meet; none of them is the redactor's own. */
const encoders: Readonly<Record<string, (value: string) => string | Buffer>> = {
  utf8: (value) => value,
  utf16: (value) => Buffer.from(value, "utf16le"),
  base64: (value) => Buffer.from(value).toString("base64"),
  base64url: (value) => Buffer.from(value).toString("base64url"),
  powershell: (value) => Buffer.from(value, "utf16le").toString("base64"),
  percent: encodeURIComponent,
  url: (value) => encodeURI(value),
  form: (value) => new URLSearchParams([["v", value]]).toString().slice(2),
  lowerPercent: (value) => encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase()),
  json: (value) => JSON.stringify(value).slice(1, -1),
  asciiJson: (value) =>
    JSON.stringify(value)
      .slice(1, -1)
      .replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  jsonSlashes: (value) => JSON.stringify(value).slice(1, -1).replaceAll("/", "\\/"),
  crlf: (value) => value.replaceAll("\n", "\r\n"),
};

describe("a value", () => {
  test("is masked wherever it stands, as often as it stands", () => {
    const redactor = redactorFor("s3cret!");
    expect(redactor.text("token=s3cret! again s3cret!")).toBe("token=*** again ***");
    expect(redactor.text("s3cret!s3cret!")).toBe("******");
    expect(redactor.text("S3CRET! s3cret")).toBe("S3CRET! s3cret");
  });

  test("of fewer than 4 characters is not masked, and add says so", () => {
    const redactor = createRedactor();
    expect(["", "abc", "😀😀😀"].map((value) => redactor.add(value))).toEqual([false, false, false]);
    expect(["abcd", "😀😀😀😀"].map((value) => redactor.add(value))).toEqual([true, true]);
    expect(redactor.text("abc abcd 😀😀😀 😀😀😀😀")).toBe("abc *** 😀😀😀 ***");
  });

  test("with a line end behind it is masked without it too, and with the other kind of line ends", () => {
    const redactor = redactorFor("line one\nline two\n");
    expect(redactor.text("[line one\nline two]")).toBe("[***]");
    expect(redactor.text("[line one\r\nline two\r\n]")).toBe("[***]");
  });

  test("that overlaps another leaves nothing of either", () => {
    const redactor = redactorFor("abcdef", "defghi", "bcde");
    expect(redactor.text("abcdefghi")).toBe("***");
    expect(redactor.text("xbcdex")).toBe("x***x");
  });

  test("in every form in which something may write it, in the middle of anything, is one mask", () => {
    const noise = fc.stringMatching(/^[|~^ ]{0,12}$/).filter((text) => !text.includes("*"));
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom(...Object.keys(encoders)),
        noise,
        noise,
        cuts,
        (value, name, before, after, at) => {
          fc.pre(!/[|~^ ]/.test(value) && !/^[a-c]+$/.test(value));
          const written = Buffer.concat(
            [before, encoders[name]?.(value) ?? "", after].map((part) => Buffer.from(part)),
          );
          expect(pieces(redactorFor(value), written, at).toString()).toBe(`${before}***${after}`);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("inside a longer base64 text is masked in all three alignments, but for at most one digit at either end", () => {
    const around = fc.uint8Array({ maxLength: 20 });
    fc.assert(
      fc.property(
        secret,
        around,
        around,
        fc.constantFrom("base64", "base64url"),
        cuts,
        (value, before, after, alphabet, at) => {
          const digits = Buffer.concat([before, Buffer.from(value), after]).toString(alphabet as BufferEncoding);
          const masked = pieces(redactorFor(value), Buffer.from(digits), at).toString();
          const [front = "", ...rest] = masked.split("***");
          expect(rest.length).toBeGreaterThan(0);
          if (rest.length > 1) return; // The noise holds the secret too.
          // A digit at an end that also holds bits of a neighbour stays, and gives away four bits at most.
          const sureEnd = Math.floor(((before.length + Buffer.byteLength(value)) * 8) / 6);
          expect(front.length).toBeLessThanOrEqual(Math.ceil((before.length * 8) / 6));
          expect((rest[0] ?? "").length).toBeLessThanOrEqual(digits.length - sureEnd);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("a stream", () => {
  const input = (values: readonly string[]) => {
    const one = fc.constantFrom(...values);
    const cut = one.map((value) => value.slice(0, -1));
    return fc.array(fc.oneof(one, cut, fc.string(), fc.stringMatching(/^[a-c]{0,6}$/)), { maxLength: 12 });
  };

  test("gives the same bytes however the input is cut, and no secret is left in them", () => {
    const sample = fc
      .array(secret, { minLength: 1, maxLength: 4 })
      .chain((values) => fc.tuple(fc.constant(values), input(values)));
    fc.assert(
      fc.property(sample, cuts, ([values, parts], at) => {
        const redactor = redactorFor(...values);
        const bytes = Buffer.from(parts.join(""));
        const whole = pieces(redactor, bytes, []);
        expect(pieces(redactor, bytes, at)).toEqual(whole);
        expect(pieces(redactor, bytes, [...bytes.keys()])).toEqual(whole);
        for (const value of values) expect(whole.includes(value)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test("lets bytes that hold no secret through untouched, be they text or not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, at) => {
        fc.pre(!Buffer.from(bytes).includes("0123"));
        expect(pieces(redactorFor("0123456789"), bytes, at)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test("holds back only what may become a secret, and less than the longest form", () => {
    const stream = redactorFor("password").stream();
    const push = (text: string) => Buffer.from(stream.push(Buffer.from(text))).toString();
    expect(push("a prompt> ")).toBe("a prompt> ");
    expect(push("my pass")).toBe("my ");
    expect(push("port")).toBe("passport");
    expect(push(" pass")).toBe(" ");
    expect(push("wor")).toBe("");
    expect(push("d!")).toBe("***!");
    expect(push("passwor")).toBe("");
    expect(Buffer.from(stream.flush()).toString()).toBe("passwor");
    expect(push("d")).toBe("d");
  });

  test("masks a value that was added while it was open", () => {
    const redactor = createRedactor();
    const stream = redactor.stream();
    expect(Buffer.from(stream.push(Buffer.from("late-one "))).toString()).toBe("late-one ");
    redactor.add("late-one");
    expect(Buffer.from(stream.push(Buffer.from("late-one "))).toString()).toBe("*** ");
  });
});

describe("a text", () => {
  test("without a secret comes back as it is, half characters too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(!text.includes("nowhere"));
        expect(redactorFor("nowhere to be found").text(text)).toBe(text);
        expect(createRedactor().text(text)).toBe(text);
      }),
    );
    expect(redactorFor("abcd").text("\ud800")).toBe("\ud800");
  });

  test("is masked as a stream of the same bytes is", () => {
    fc.assert(
      fc.property(secret, fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (value, before, after) => {
        const text = `${before}${value}${after}`.toWellFormed();
        const redactor = redactorFor(value);
        expect(redactor.text(text)).toBe(pieces(redactor, Buffer.from(text), []).toString());
      }),
    );
  });
});
