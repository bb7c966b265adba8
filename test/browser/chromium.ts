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

/** A Chromium whose contexts are fresh profiles, each with a cookie jar of its own; it finds names below `test` on this machine. */
export async function launchChromium(executable: string): ReturnType<BrowserType['launch']> {
  const options = launchOptions(executable);
  return await chromium.launch({ ...options, args: [...(options.args ?? []), '--host-resolver-rules=MAP *.test 127.0.0.1'] });
}

/** A Chromium with one profile that is kept in `directory`: what is there again after the browser was closed. */
export async function launchProfile(executable: string, directory: string): Promise<BrowserContext> {
  return await chromium.launchPersistentContext(directory, launchOptions(executable));
}
