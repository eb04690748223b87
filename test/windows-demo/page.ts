import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

/** A page on the loopback for the browser to look at. */
export async function servePage(): Promise<AsyncDisposable & { readonly url: string }> {
  const text =
    "<!doctype html><title>A page</title><style>body{font:40px sans-serif;margin:80px}</style><h1>Hello from this page</h1>";
  const web = http.createServer((_request, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end(text),
  );
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  return {
    url: `http://127.0.0.1:${(web.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      web.closeAllConnections();
      web.close();
      await once(web, "close");
    },
  };
}
