// Makes the chart library that the report and the precision page carry: what they use of Observable Plot and of what
// Plot needs, in one classic script that defines `Plot`. `node bundle.mjs` writes it; a test compares it with a new one.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { WEB } from './static.mjs';

const USED = ['plot', 'axisX', 'axisY', 'barX', 'barY', 'cell', 'dot', 'gridX', 'gridY', 'line', 'link', 'rectY', 'ruleX', 'ruleY', 'text', 'tickX', 'tickY', 'tip', 'pointer', 'pointerX', 'stackX'];

const HERE = import.meta.dirname;

/** @returns `{script, licences}`, both texts */
export async function bundle() {
  const result = await build({
    stdin: { contents: `export { ${USED.join(', ')} } from '@observablehq/plot';`, resolveDir: HERE },
    absWorkingDir: HERE,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    charset: 'utf8',
    format: 'iife',
    globalName: 'Plot',
    target: 'es2022',
    legalComments: 'none',
  });
  const [output] = Object.values(result.metafile.outputs);
  const folders = Object.entries(output.inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1])
    .filter((folder) => folder !== undefined);
  const names = [];
  const licences = [];
  for (const folder of [...new Set(folders)].sort()) {
    const { name, version } = JSON.parse(await readFile(path.join(HERE, folder, 'package.json'), 'utf8'));
    const file = (await readdir(path.join(HERE, folder))).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name}: no licence file`);
    names.push(`${name} ${version}`);
    licences.push(`${name} ${version}\n\n${(await readFile(path.join(HERE, folder, file), 'utf8')).trim()}\n`);
  }
  const head = `/* ${names.join(', ')}: see plot.LICENSES.txt */\n`;
  return { script: head + result.outputFiles[0].text, licences: licences.join(`\n${'-'.repeat(80)}\n\n`) };
}

if (process.argv[1] === import.meta.filename) {
  const { script, licences } = await bundle();
  await writeFile(path.join(WEB, 'vendor/plot.js'), script);
  await writeFile(path.join(WEB, 'vendor/plot.LICENSES.txt'), licences);
}
