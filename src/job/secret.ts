import { z } from "zod";
import { AppError } from "../error.ts";

const NAME = /^[A-Z_][A-Z0-9_]*$/;

/** True for a text that may name a secret: capitals, digits and `_`, as environment variables are called. */
export function isSecretName(text: string): boolean {
  return NAME.test(text);
}

/** How a reference to a secret is written: only its name is ever stored. */
const ReferenceShape = z.strictObject({
  $secret: z.string().regex(NAME, { error: "is not a name of an environment variable" }),
});

/** A file of job types may bring its own copy of this module; what its schemas parse is known by this mark, not by class. */
const MARK: unique symbol = Symbol.for("windlass.secret-reference");

/** A reference to a secret, at a place where the schema allows one. */
export class SecretReference {
  /** By its mark. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && MARK in value;
  }

  readonly secretName: string;

  constructor(secretName: string) {
    this.secretName = secretName;
  }

  get [MARK](): true {
    return true;
  }

  /** How it is stored. */
  toJSON(): { $secret: string } {
    return { $secret: this.secretName };
  }
}

/**
 * A text that may be given by reference: `"plain"` or `{"$secret": "NAME"}`. The handler always receives the text; the
 * reference is resolved in the worker, from its environment, against the names that the job type may resolve.
 */
export function secretText(): z.ZodType<string, string | { $secret: string }> {
  const schema = z
    .union([z.string(), ReferenceShape])
    .transform((value) => (typeof value === "string" ? value : new SecretReference(value.$secret)));
  return schema as unknown as z.ZodType<string, string | { $secret: string }>;
}

/** The names of the secrets that a parsed input refers to, sorted. */
export function secretNames(parsed: unknown): readonly string[] {
  let found: Set<string> | undefined;
  walk(parsed, "", (reference) => {
    found ??= new Set();
    found.add(reference.secretName);
    return "";
  });
  return found === undefined ? NONE : [...found].sort();
}

/** Of nearly every input. */
const NONE: readonly string[] = [];

/**
 * The names that an input refers to, by the shape of the references alone: for a process that knows a type only as it was
 * published and cannot tell where its schema takes secrets. The worker, which can, refuses them elsewhere.
 */
export function secretNamesByShape(input: unknown): readonly string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const reference = ReferenceShape.safeParse(value);
    if (reference.success) found.add(reference.data.$secret);
    else for (const item of Object.values(value)) visit(item);
  };
  visit(input);
  return [...found].sort();
}

/**
 * Puts the texts in the place of the references of a parsed input. A copy is made only where something changes.
 *
 * @throws AppError `INVALID_INPUT` where a reference stands at a place whose schema takes none; whatever `resolve` throws.
 */
export function resolveSecrets<T>(parsed: T, resolve: (name: string) => string): T {
  return walk(parsed, "", (reference) => resolve(reference.secretName)) as T;
}

function walk(value: unknown, path: string, replace: (reference: SecretReference) => string): unknown {
  if (value instanceof SecretReference) return replace(value);
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (const [index, item] of value.entries()) {
      const next = walk(item, path === "" ? `${index}` : `${path}.${index}`, replace);
      if (next !== item) {
        copy ??= [...value];
        copy[index] = next;
      }
    }
    return copy ?? value;
  }
  if (typeof value !== "object" || value === null || !isPlain(value)) return value;
  if (Object.hasOwn(value, "$secret")) {
    throw new AppError(
      "INVALID_INPUT",
      `input.${path || "(root)"}: a $secret may not stand here; the job type takes secrets only in fields that its schema marks`,
    );
  }
  const changed: [string, unknown][] = [];
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    const next = walk(item, path === "" ? key : `${path}.${key}`, replace);
    if (next !== item) changed.push([key, next]);
  }
  // Spread keeps symbols that a schema left as notes, and, unlike an assignment, a key `__proto__` out of JSON.
  return changed.length === 0 ? value : { ...value, ...Object.fromEntries(changed) };
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
