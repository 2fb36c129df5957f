// A static server for the page alone, as a lab's web server would be: index.html at / and its other files under /ui/.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

export const WEB = path.resolve(import.meta.dirname, '../../main/resources/pelican/server/web');

export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src *; " +
  "frame-src 'self' data: about:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** @returns `{url, requests, close}`; `host` may be any name of this machine */
export async function startStatic(host = '127.0.0.1') {
  const requests = [];
  const server = http.createServer(async (request, response) => {
    requests.push(request.url);
    const name = request.url === '/' ? 'index.html' : /^\/ui\/([a-z/]+\.[a-z]+)$/.exec(request.url)?.[1];
    try {
      const body = await readFile(path.join(WEB, name));
      response.writeHead(200, {
        'Content-Type': `${TYPES[path.extname(name)]}; charset=utf-8`,
        'Content-Security-Policy': POLICY,
        'X-Content-Type-Options': 'nosniff',
      });
      response.end(body);
    } catch {
      response.writeHead(404, { 'Content-Type': 'text/plain' });
      response.end('404 page not found');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    requests,
    url: `http://${host}:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
