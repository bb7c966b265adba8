import { type BrowserContext, type BrowserType, chromium } from 'playwright-core';

/** How Chromium is started: as root there is no sandbox, and nothing of its own may go out to the network. */
function launchOptions(executable: string): NonNullable<Parameters<BrowserType['launch']>[0]> {
  return {
    executablePath: executable,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  };
}

/** A Chromium whose contexts are fresh profiles, each with a cookie jar of its own. */
export async function launchChromium(executable: string): ReturnType<BrowserType['launch']> {
  return await chromium.launch(launchOptions(executable));
}

/** A Chromium with one profile that is kept in `directory`: what is there again after the browser was closed. */
export async function launchProfile(executable: string, directory: string): Promise<BrowserContext> {
  return await chromium.launchPersistentContext(directory, launchOptions(executable));
}
