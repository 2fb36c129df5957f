// The libraries that the page carries are those of the pinned packages, byte by byte, and its policies agree.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { bundle } from './bundle.mjs';
import { POLICY, WEB } from './static.mjs';

const modules = path.join(import.meta.dirname, 'node_modules');

for (const [ours, theirs] of [
  ['marked.js', 'marked/lib/marked.esm.js'],
  ['marked.LICENSE.txt', 'marked/LICENSE'],
  ['purify.js', 'dompurify/dist/purify.es.mjs'],
  ['purify.LICENSE.txt', 'dompurify/LICENSE'],
]) {
  test(`${ours} is ${theirs}`, async () => {
    assert.deepEqual(await readFile(path.join(WEB, 'vendor', ours)), await readFile(path.join(modules, theirs)));
  });
}

test('plot.js is what the pinned packages make', async () => {
  const { script, licences } = await bundle();
  assert.equal(await readFile(path.join(WEB, 'vendor/plot.js'), 'utf8'), script);
  assert.equal(await readFile(path.join(WEB, 'vendor/plot.LICENSES.txt'), 'utf8'), licences);
});

test('the page carries the policy itself, but for what only a header can say', async () => {
  const html = await readFile(path.join(WEB, 'index.html'), 'utf8');
  const meta = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)[1];
  assert.equal(`${meta}; frame-ancestors 'none'`, POLICY);
});
