import { editDistance } from "../../job/nearest.ts";

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
