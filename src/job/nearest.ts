/**
 * The known names that are most like a mistyped one, best first; none when nothing is near. Near is one slip, or one for
 * every three letters of a longer name.
 */
export function nearest(name: string, known: readonly string[], most: number): readonly string[] {
  const limit = name.length < 2 ? 0 : Math.max(1, Math.floor(name.length / 3));
  return [...new Set(known)]
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(
      ({ candidate, distance }) => distance <= limit || candidate.startsWith(name) || candidate.endsWith(`.${name}`),
    )
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** What to say of a name that is none of the known ones: the nearest, else all of them. */
export function hintFor(name: string, known: readonly string[]): string {
  const [near] = nearest(name, known, 1);
  return near === undefined ? `there are ${known.join(", ")}` : `did you mean ${near}?`;
}

/**
 * The slips between two texts: a letter too many, too few or another one, or two that changed places.
 *
 * @see https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance (optimal string alignment)
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? change) + 1 : change;
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row.at(-1) ?? 0;
}
