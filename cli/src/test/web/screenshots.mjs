// Screenshots of a report, as docs/example shows them: `node screenshots.mjs report.html folder`, and after these the
// names of those wanted, where not all are. It fails where the report writes an error to the console or asks for
// anything from elsewhere.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openReport } from './report.mjs';
import { launch } from './browser.mjs';

const VIEWS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

const PARTS = ['head', 'storage', 'weights', 'precision', 'quality', 'answers', 'drawings', 'speed'];

const PLACES = { head: '.report-head', drawings: '#answers-filter' };

const [file, folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node screenshots.mjs report.html folder [light-head dark-weights …]');
await mkdir(folder, { recursive: true });
const browser = await launch();
try {
  for (const [name, context] of Object.entries(VIEWS)) {
    const report = await openReport(browser, pathToFileURL(file).href, context);
    for (const part of PARTS.filter((each) => wanted.length === 0 || wanted.includes(`${name}-${each}`))) {
      if (part === 'drawings') await report.page.locator('#answers-filter').selectOption('drawn');
      await report.page.locator(PLACES[part] ?? `#${part}`).evaluate((node) => node.scrollIntoView());
      await report.page.waitForTimeout(500);
      await report.page.screenshot({ path: path.join(folder, `${name}-${part}.png`) });
    }
    await report.close();
  }
} finally {
  await browser.close();
}
