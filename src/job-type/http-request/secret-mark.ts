import { SecretReference } from "../../job/secret.ts";

/**
 * The handler receives texts only, yet it must know which of them came from secrets to keep them from other origins. The
 * schema notes it while the references still stand there. A symbol, because JSON, digests and the strict schema do not
 * see it, while the copy that puts the texts in keeps it.
 */
const FROM_SECRET: unique symbol = Symbol("from secret");

/** The fields of the input that may hold secrets. */
export interface SecretFields {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** Which fields of an input came from secrets. */
export interface SecretOrigin {
  /** Header names in lower case. */
  readonly headers: ReadonlySet<string>;
  readonly body: boolean;
}

/** Notes in a parsed input which of its fields are references to secrets. */
export function markSecrets<T extends SecretFields>(input: T): T {
  const origin: SecretOrigin = {
    headers: new Set(names(input.headers, isReference)),
    body: isReference(input.body),
  };
  return { ...input, [FROM_SECRET]: origin };
}

/** Reads the note of {@link markSecrets}. An input that lost it counts as secret throughout. */
export function secretOrigin(input: SecretFields & { readonly [FROM_SECRET]?: SecretOrigin }): SecretOrigin {
  return input[FROM_SECRET] ?? { headers: new Set(names(input.headers, () => true)), body: input.body !== undefined };
}

function names(headers: SecretFields["headers"], wanted: (value: unknown) => boolean): string[] {
  return Object.entries(headers ?? {})
    .filter(([, value]) => wanted(value))
    .map(([name]) => name.toLowerCase());
}

function isReference(value: unknown): boolean {
  return value instanceof SecretReference;
}
