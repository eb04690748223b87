import type { Clock } from "../clock.ts";
import { AppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import { nearest } from "../job/nearest.ts";
import type { TypeRules } from "../job/rules.ts";
import { sayIssue } from "../job/say-issue.ts";
import { secretNames, secretNamesByShape } from "../job/secret.ts";
import type { Backend } from "./backend.ts";
import { publishedInput } from "./published-type.ts";
import type { PublishedType } from "./reading.ts";

/** A worker may publish a newer version of a type while this process lives; it is asked for again after this long. */
const PUBLISHED_FOR_MS = 1_000;

/** How the input of a type is read. */
export interface TypeReader {
  readonly rules: TypeRules;
  readonly read: (input: unknown) => ReturnType<JobType["input"]["safeParse"]>;
  readonly secrets: (parsed: unknown) => readonly string[];
  /** Of a published type: what it was made of, and until when that is taken to be so. */
  readonly published?: { readonly text: string; readonly untilMono: number };
}

interface Sources {
  readonly backend: Pick<Backend, "types">;
  readonly clock: Clock;
  /** The job types that this process has loaded. */
  readonly types: ReadonlyMap<string, JobType>;
}

/** How the inputs of job types are read: by the definition that this process loaded, else by what a worker published. */
export class TypeReaders {
  readonly #parts: Sources;
  readonly #readers = new Map<string, TypeReader>();

  constructor(parts: Sources) {
    this.#parts = parts;
  }

  /** True when it was read before, or this process has a definition of its own, which comes before a published one. */
  isLoaded(type: string): boolean {
    const known = this.#readers.get(type);
    if (known !== undefined) return known.published === undefined || this.#nowMono < known.published.untilMono;
    const own = this.#parts.types.get(type);
    if (own === undefined) return false;
    this.#readers.set(type, {
      rules: own.rules,
      read: (input) => own.input.safeParse(input, { error: sayIssue }),
      secrets: secretNames,
    });
    return true;
  }

  /**
   * Loads what a worker published of a type.
   *
   * @throws AppError `UNKNOWN_JOB_TYPE` with the nearest names.
   */
  async load(type: string): Promise<void> {
    const { backend, types } = this.#parts;
    const all = await backend.types();
    const found = all.find(({ name }) => name === type);
    if (found === undefined) throw unknownType(type, [...types.keys(), ...all.map(({ name }) => name)]);
    const published = { text: JSON.stringify(found), untilMono: this.#nowMono + PUBLISHED_FOR_MS };
    const known = this.#readers.get(type);
    // The same object of rules for the same rules: backends know them by it.
    this.#readers.set(
      type,
      known?.published?.text === published.text ? { ...known, published } : readerOf(found, published),
    );
  }

  /** The reader of a type that is loaded. */
  get(type: string): TypeReader {
    const reader = this.#readers.get(type);
    if (reader === undefined) throw new AppError("UNKNOWN_JOB_TYPE", `job type ${type} is not loaded`);
    return reader;
  }

  get #nowMono(): number {
    return this.#parts.clock.monotonic();
  }
}

function readerOf(type: PublishedType, published: NonNullable<TypeReader["published"]>): TypeReader {
  const schema = publishedInput(type);
  const read: TypeReader["read"] = (input) => schema.safeParse(input, { error: sayIssue });
  return { rules: type.rules, read, secrets: secretNamesByShape, published };
}

function unknownType(type: string, known: readonly string[]): AppError {
  const names = nearest(type, known, 3);
  const hint =
    names.length === 0
      ? "load it with --jobs FILE or start a worker that serves it"
      : `did you mean ${names.join(" or ")}?`;
  return new AppError(
    "UNKNOWN_JOB_TYPE",
    `job type ${JSON.stringify(type)} is known neither here nor to any worker that published its types; ${hint}`,
  );
}
