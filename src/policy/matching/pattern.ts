/**
 * True when a text is what a pattern says: `*` stands for any number of any characters, everything else for itself. Takes
 * time in proportion to text times pattern at most, whatever the pattern: names come from the party that is judged.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return text === pattern;
  // Most patterns are so, and every job is asked about twice.
  if (star === pattern.length - 1) return text.startsWith(pattern.slice(0, star));
  const parts = pattern.split("*");
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return from <= text.length - last.length;
}

/** True when one of the patterns matches; a text that is not there matches none. */
export function matchesAny(patterns: readonly string[], text: string | undefined): boolean {
  return text !== undefined && patterns.some((pattern) => matchesPattern(pattern, text));
}
