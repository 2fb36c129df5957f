// Screenshots of a report, as docs/example shows them: `node screenshots.mjs report.html folder`. It fails where the
// report writes an error to the console or asks for anything from elsewhere.
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

const [file, folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node screenshots.mjs report.html folder');
await mkdir(folder, { recursive: true });
const browser = await launch();
try {
  for (const [name, context] of Object.entries(VIEWS)) {
    const report = await openReport(browser, pathToFileURL(file).href, context);
    for (const id of ['', 'storage', 'weights', 'precision', 'quality', 'answers', 'speed']) {
      await report.page.locator(id === '' ? '.report-head' : `#${id}`).evaluate((node) => node.scrollIntoView());
      await report.page.waitForTimeout(500);
      await report.page.screenshot({ path: path.join(folder, `${name}-${id || 'head'}.png`) });
    }
    await report.close();
  }
} finally {
  await browser.close();
}
