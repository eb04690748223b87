/** Python's `repr` of a JSON value, as the client's log shows dictionaries. */
export function repr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, inner]) => `${quoted(key)}: ${repr(inner)}`)
      .join(", ")}}`;
  return String(value);
}

/** Python's `str`: a text stands as it is. */
export function str(value: unknown): string {
  return typeof value === "string" ? value : repr(value);
}

/** The name of a JSON value's type in Python's messages. */
export function typeName(value: unknown): string {
  if (value === null) return "NoneType";
  if (Array.isArray(value)) return "list";
  return { string: "str", boolean: "bool", object: "dict" }[typeof value as string] ?? "int";
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replaceAll(quote, `\\${quote}`);
  return `${quote}${inner}${quote}`;
}
