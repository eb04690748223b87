/** The candidate with the fewest letters to change; the first of several. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = nearness(text, candidate);
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

// A key that was written in the wrong block is near too: `lease` at the top means worker.lease.
function nearness(text: string, candidate: string): number {
  const leaf = candidate.slice(candidate.indexOf(".") + 1);
  const ownLeaf = text.slice(text.lastIndexOf(".") + 1);
  return Math.min(editDistance(text, candidate), editDistance(ownLeaf, leaf) + 0.5);
}

/** Levenshtein's distance, a row of the table at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
