import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { resolveSecrets, SecretReference, secretNames, secretText } from "./secret.ts";

const Input = z.strictObject({
  url: z.string(),
  headers: z.record(z.string(), secretText()).optional(),
  body: secretText().optional(),
  parts: z.array(z.strictObject({ value: secretText() })).optional(),
  rest: z.unknown().optional(),
});
const values: Readonly<Record<string, string>> = { TOKEN: "t0ken", BODY: "b0dy" };
const resolve = (name: string): string => values[name] ?? expect.fail(`asked for ${name}`);

describe("a reference to a secret", () => {
  test("is known whichever copy of the library parsed it", async () => {
    // As when a program that is installed for everybody loads a project's own job types.
    const copy = (await import(`${import.meta.resolve("./secret.ts")}?copy`)) as typeof import("./secret.ts");
    expect(copy.secretText).not.toBe(secretText);
    const parsed: unknown = z.strictObject({ token: copy.secretText() }).parse({ token: { $secret: "TOKEN" } });
    expect(secretNames(parsed)).toEqual(["TOKEN"]);
    expect(resolveSecrets(parsed, resolve)).toEqual({ token: "t0ken" });
  });

  const given = {
    url: "x",
    headers: { a: "plain", b: { $secret: "TOKEN" } },
    body: { $secret: "BODY" },
    parts: [{ value: { $secret: "TOKEN" } }],
  };

  test("is found and replaced where the schema marks a place", () => {
    const parsed = Input.parse(given);
    expect(secretNames(parsed)).toEqual(["BODY", "TOKEN"]);
    expect(resolveSecrets(parsed, resolve)).toEqual({
      url: "x",
      headers: { a: "plain", b: "t0ken" },
      body: "b0dy",
      parts: [{ value: "t0ken" }],
    });
  });

  test("is stored as it was written, by name only", () => {
    expect(JSON.parse(JSON.stringify(Input.parse(given)))).toEqual(given);
    expect(Input.parse(JSON.parse(JSON.stringify(Input.parse(given))))).toEqual(Input.parse(given));
  });

  test("is found in objects without a prototype and behind a key that looks like one", () => {
    const bare: unknown = Object.assign(Object.create(null), { a: new SecretReference("TOKEN") });
    expect(resolveSecrets(bare, resolve)).toEqual({ a: "t0ken" });
    const hidden: unknown = Object.fromEntries([["__proto__", { a: new SecretReference("BODY") }]]);
    expect(JSON.stringify(resolveSecrets(hidden, resolve))).toBe('{"__proto__":{"a":"b0dy"}}');
  });

  test("leaves the notes that a schema put on the input under a symbol", () => {
    const note = Symbol("note");
    expect(resolveSecrets({ [note]: 1, a: new SecretReference("TOKEN") }, resolve)).toEqual({ [note]: 1, a: "t0ken" });
  });

  test("is put into a copy; the parsed input keeps the names", () => {
    const parsed = Input.parse(given);
    resolveSecrets(parsed, resolve);
    expect(parsed.body).toEqual(new SecretReference("BODY"));
    const plain = Input.parse({ url: "x", parts: [{ value: "plain" }] });
    expect(resolveSecrets(plain, resolve)).toBe(plain);
  });

  test("is refused by a schema that takes a plain text there", () => {
    expect(Input.safeParse({ url: { $secret: "TOKEN" } }).success).toBe(false);
  });

  test.each([
    [{ url: "x", rest: { $secret: "TOKEN" } }, "input.rest:"],
    [{ url: "x", rest: [1, { deep: { $secret: "TOKEN" } }] }, "input.rest.1.deep:"],
    [{ url: "x", rest: { $secret: "TOKEN", more: 1 } }, "input.rest:"],
    [{ url: "x", rest: { $secret: 7 } }, "input.rest:"],
  ])("is refused where no schema marks a place: %j", (input, place) => {
    const parsed = Input.parse(input);
    const refusal = expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining(place) });
    expect(() => secretNames(parsed)).toThrowError(refusal);
    expect(() => resolveSecrets(parsed, resolve)).toThrowError(refusal);
  });

  test("is refused as the whole input, and where a key hides it", () => {
    expect(() => resolveSecrets({ $secret: "TOKEN" }, resolve)).toThrowError("input.(root)");
    expect(() => resolveSecrets(JSON.parse('{"__proto__":{"$secret":"TOKEN"}}'), resolve)).toThrowError(
      "input.__proto__",
    );
  });

  test.each(["", "token", "1TOKEN", "TO-KEN", "TOKEN ", "../X", "A.B"])(
    "names an environment variable: %j does not",
    (name) => {
      expect(secretText().safeParse({ $secret: name }).success).toBe(false);
    },
  );

  test("has no other key and is no other thing", () => {
    for (const value of [{ $secret: "A", other: 1 }, { secret: "A" }, 7, null, ["A"]]) {
      expect(secretText().safeParse(value).success).toBe(false);
    }
  });
});

describe("every input", () => {
  test("without a reference comes back as the same object", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes("$secret"));
        expect(resolveSecrets(value, resolve)).toBe(value);
        expect(secretNames(value)).toEqual([]);
      }),
    );
  });

  test("with references anywhere resolves to the same thing with texts in their places", () => {
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom("TOKEN", "BODY").map((name) => new SecretReference(name)),
        fc.constantFrom("plain", 7, null, true),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie("node"), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (value) => {
        const names = new Set<string>();
        const expected = JSON.parse(JSON.stringify(value), (_key, item: unknown) => {
          const name = (item as { $secret?: unknown } | null)?.$secret;
          if (typeof name !== "string") return item;
          names.add(name);
          return values[name];
        });
        expect(JSON.stringify(resolveSecrets(value, resolve))).toBe(JSON.stringify(expected));
        expect(secretNames(value)).toEqual([...names].sort());
      }),
    );
  });
});
