import { hex32 } from "../../id.ts";
import { canonicalJson } from "../canonical-json.ts";

/**
 * A short digest of a call's arguments: 64 bits of the canonical JSON, as 16 hexadecimal digits (two lanes of the finaliser
 * of MurmurHash3, https://github.com/aappleby/smhasher). It tells changed code from the same code; it protects nothing.
 */
export function digestOf(value: unknown): string {
  const text = canonicalJson(value);
  let high = 0x9e3779b9;
  let low = 0x85ebca6b ^ text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x85ebca6b);
    low = Math.imul(low ^ unit, 0xc2b2ae35);
    high = (high << 13) | (high >>> 19);
    low = (low << 17) | (low >>> 15);
  }
  return hex32(mix(high ^ (low >>> 5))) + hex32(mix(low ^ high));
}

function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
