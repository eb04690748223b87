/** The value below which a share of the sorted values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** `12,345` for rates. */
export function rate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString("en-US");
}

/** Median with the smallest and the largest: none is left out. */
export function spread(values: readonly number[], format: (value: number) => string): string {
  return `${format(median(values))} [${format(Math.min(...values))}-${format(Math.max(...values))}]`;
}

/** `12.3` for milliseconds. */
export function milliseconds(ms: number): string {
  return ms.toFixed(1);
}
