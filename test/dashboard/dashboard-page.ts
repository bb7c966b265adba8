import { mkdir } from 'node:fs/promises';
import axe from 'axe-core';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';

/** `PERCH_SCREENSHOTS=1 ... npx vitest run test/dashboard` leaves pictures there. */
const SCREENSHOTS = process.env['PERCH_SCREENSHOTS'] ? new URL('../../screenshots/', import.meta.url).pathname : undefined;

/** What a reader's window is like. */
export interface WindowKind {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly reducedMotion?: 'reduce' | 'no-preference';
}

/** The dashboard in a tab, as a person uses it. */
export class DashboardPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console said, and what the page's policy refused: nothing, unless something is wrong. */
  readonly complaints: string[] = [];
  readonly #server: string;

  private constructor(context: BrowserContext, page: Page, server: string) {
    this.context = context;
    this.page = page;
    this.#server = server;
    page.on('console', (message) => {
      // Answers that are no success are lines of the console, too; what the page makes of them is tested by what it shows.
      if (!/^Failed to load resource: the server responded with a status of [45]\d\d/.test(message.text()))
        this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /** Opens the dashboard of the runtime at `server` (an origin) in a fresh profile. `query`: `?release=default/web`. */
  static async open(browser: Browser, server: string, query = '', kind: WindowKind = {}): Promise<DashboardPage> {
    const { width = 1280, height = 900, colorScheme = 'light', reducedMotion = 'no-preference' } = kind;
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion, deviceScaleFactor: 1 });
    const tab = new DashboardPage(context, await context.newPage(), server);
    await tab.goto(query);
    return tab;
  }

  /** Another tab of the same profile, which shares its connections. */
  async anotherTab(): Promise<DashboardPage> {
    const tab = new DashboardPage(this.context, await this.context.newPage(), this.#server);
    await tab.goto();
    return tab;
  }

  /** What a browser tells a page when another tab is chosen, or this one again: one without windows takes all of them for visible. */
  async setVisible(state: 'visible' | 'hidden'): Promise<void> {
    await this.page.evaluate(
      `Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' }); document.dispatchEvent(new Event('visibilitychange'))`,
    );
  }

  async goto(query = ''): Promise<void> {
    await this.page.goto(`${this.#server}/${query}`);
  }

  /** The headline and what follows it, as one text. */
  async headline(): Promise<string> {
    return (await this.page.locator('.headline').innerText()).replaceAll(/\s+/g, ' ');
  }

  get phase(): Locator {
    return this.page.locator('.headline .phase');
  }

  get connection(): Locator {
    return this.page.getByRole('banner').getByRole('status');
  }

  /** What came of the last thing that was asked. */
  get result(): Locator {
    return this.page.getByRole('region', { name: 'Controls' }).getByRole('status');
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** The labels of the release's buttons. */
  async buttons(): Promise<readonly string[]> {
    return await this.page.getByRole('region', { name: 'Controls' }).getByRole('button').allInnerTexts();
  }

  /** Presses a button of the release, and confirms. */
  async ask(label: string, by = ''): Promise<void> {
    await this.button(label).click();
    if (by !== '') await this.dialog.getByRole('textbox', { name: 'Your name' }).fill(by);
    await this.dialog.getByRole('button', { name: label, exact: true }).click();
  }

  /** A picture, where they are wanted. */
  async picture(name: string): Promise<void> {
    if (SCREENSHOTS === undefined) return;
    await mkdir(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: `${SCREENSHOTS}dashboard-${name}.png`, fullPage: true });
  }

  /** What axe finds wrong (WCAG 2.2 AA, and best practices), a line each. Run outside the page's policy, as a person's own tools are. */
  async axe(): Promise<readonly string[]> {
    await this.page.evaluate(axe.source);
    const found = (await this.page.evaluate('axe.run()')) as AxeResults;
    return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`));
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}
