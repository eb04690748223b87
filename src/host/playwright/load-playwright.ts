import type { BrowserType } from "playwright-core";

let loading: Promise<BrowserType> | undefined;

/** Playwright's Chromium; it takes 0.4 s to load, so only what drives a browser does. */
export function loadChromium(): Promise<BrowserType> {
  loading ??= load();
  return loading;
}

async function load(): Promise<BrowserType> {
  // With DEBUG=pw:* or DEBUG=* Playwright prints the endpoint with its secret path; it reads the variable once, here.
  const debug = process.env["DEBUG"];
  delete process.env["DEBUG"];
  try {
    return (await import("playwright-core")).chromium;
  } finally {
    if (debug !== undefined) process.env["DEBUG"] = debug;
  }
}
