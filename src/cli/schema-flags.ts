import { type Flag, type FlagKind, flagNameOf } from "./flag.ts";

/** A JSON Schema, as far as flags need it. */
export interface FieldSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly FieldSchema[];
  readonly items?: FieldSchema;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | FieldSchema;
  readonly description?: string;
  readonly default?: unknown;
  /** A field that is a line of text or a list of words says here which two flags make it. */
  readonly words?: { readonly first: string; readonly further: string };
}

/**
 * A flag for each field of an object: `idempotency_key` becomes `--idempotency-key`. A field of any shape takes JSON and
 * ends in `-json`; so the input of a job is `--input-json`.
 */
export function flagsOfSchema(schema: FieldSchema): readonly Flag[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([field, property]): readonly Flag[] => {
    if (property.words !== undefined) return commandLineFlags(field, property);
    const kind = kindOf(property);
    const choices = choicesOf(property);
    const name = flagNameOf(field);
    const flag: Flag = {
      field,
      kind,
      name: isUnshaped(property) ? `${name}-json` : name,
      description: property.description ?? "",
      ...(choices === undefined ? {} : { choices }),
      ...(property.default === undefined ? {} : { default: defaultText(property.default) }),
      ...(isRequired(property) && required.has(field) ? { required: true } : {}),
      ...(mayBeReference(property) ? { takesReference: true } : {}),
    };
    return [flag];
  });
}

/** `--cmd LINE`, or `--cmd PROGRAM --arg ARGUMENT …`. */
function commandLineFlags(field: string, { words, description = "" }: FieldSchema): readonly Flag[] {
  if (words === undefined) return [];
  return [
    { field, part: "first", kind: "text", name: words.first, description },
    {
      field,
      part: "further",
      kind: "texts",
      name: words.further,
      description: `An argument for --${words.first}, which is then a program and not a line.`,
    },
  ];
}

function kindOf(schema: FieldSchema): FlagKind {
  if (isUnshaped(schema)) return "json";
  if (schema.anyOf !== undefined) return kindOfUnion(schema.anyOf);
  const type = typeOf(schema);
  if (type === "array") return isTextList(schema) ? "texts" : "value";
  if (type === "object") return isTextMap(schema) ? "pairs" : "value";
  if (type !== undefined) return SIMPLE_KINDS[type] ?? "value";
  return (schema.enum ?? [schema.const]).every((word) => typeof word === "string") ? "text" : "value";
}

const SIMPLE_KINDS: Readonly<Record<string, FlagKind>> = {
  string: "text",
  integer: "number",
  number: "number",
  boolean: "boolean",
};

/** Whoever means null leaves the flag out. */
function typeOf({ type }: FieldSchema): string | undefined {
  if (typeof type !== "object") return type;
  const types = type.filter((name) => name !== "null");
  return types.length === 1 ? types[0] : "";
}

/** A schema for anything takes nothing too, whatever its object says. */
function isRequired(schema: FieldSchema): boolean {
  return schema.default === undefined && !isUnshaped(schema);
}

function kindOfUnion(parts: readonly FieldSchema[]): FlagKind {
  const shapes = parts.filter((part) => part.type !== "null" && !isReference(part));
  const kinds = new Set(shapes.map(kindOf));
  const [first] = kinds;
  return kinds.size === 1 && first !== undefined ? first : "value";
}

/** Anything is allowed: only JSON can say it. */
function isUnshaped({ type, enum: words, const: word, anyOf }: FieldSchema): boolean {
  return type === undefined && words === undefined && word === undefined && anyOf === undefined;
}

function isTextList({ items }: FieldSchema): boolean {
  return items === undefined || kindOf(items) === "text";
}

function isTextMap({ properties, additionalProperties }: FieldSchema): boolean {
  return (
    properties === undefined && typeof additionalProperties === "object" && kindOf(additionalProperties) === "text"
  );
}

function mayBeReference(schema: FieldSchema): boolean {
  const { anyOf = [], items, additionalProperties } = schema;
  const inner = typeof additionalProperties === "object" ? additionalProperties : items;
  return anyOf.some(isReference) || (inner !== undefined && mayBeReference(inner));
}

function isReference({ type, properties }: FieldSchema): boolean {
  return type === "object" && properties !== undefined && Object.hasOwn(properties, "$secret");
}

function choicesOf({ enum: words, const: word }: FieldSchema): readonly string[] | undefined {
  const all = words ?? (word === undefined ? undefined : [word]);
  return all?.map(String);
}

function defaultText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
