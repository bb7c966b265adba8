import type { BrowserContext, Cookie, Page } from 'playwright-core';

/** What Bookinfo's product page tells its reader. */
export interface Reading {
  /** Of the badge beside the reviews: `v1`. */
  readonly version: string;
  /** Whether the reviews have stars, which v1 does not know. */
  readonly hasStars: boolean;
  /** The sentence about the visitor. */
  readonly sentence: string;
  readonly cohort: string;
  /** Undefined where no bucket decides. */
  readonly bucket: number | undefined;
}

/** In one go: a locator for each fact would take five times as long, sixty times a test. */
const READ = `(() => {
  const sentence = document.querySelector('#sentence');
  return {
    version: document.querySelector('#reviews-version').dataset.version,
    hasStars: document.querySelector('.stars') !== null,
    sentence: sentence.textContent,
    cohort: sentence.dataset.cohort,
    bucket: sentence.dataset.bucket === undefined ? undefined : Number(sentence.dataset.bucket),
  };
})()`;

/** The product page in a tab, as a person uses it. */
export class ProductPage {
  readonly page: Page;
  readonly #url: string;

  constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
  }

  /** Opens the page in a new tab of this profile. */
  static async open(profile: BrowserContext, url: string): Promise<ProductPage> {
    const tab = new ProductPage(await profile.newPage(), url);
    await tab.page.goto(url);
    return tab;
  }

  /** Types the address again. */
  async goto(): Promise<void> {
    await this.page.goto(this.#url);
  }

  /** F5. */
  async reload(): Promise<void> {
    await this.page.reload();
  }

  /** Clicks the page's own link. */
  async clickRefresh(): Promise<void> {
    await this.#click(() => this.page.getByRole('link', { name: 'Refresh' }).click());
  }

  async clickNewVisitor(): Promise<void> {
    await this.#click(() => this.page.getByRole('button', { name: 'Be a new visitor' }).click());
  }

  async signIn(name: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Your name' }).fill(name);
    await this.#click(() => this.page.getByRole('button', { name: 'Sign in' }).click());
  }

  /** What stands on the page; fails where the page has no reviews or no sentence. */
  async read(): Promise<Reading> {
    return (await this.page.evaluate(READ)) as Reading;
  }

  /** A click that loads another document: waits for that one, not for the old one's end. */
  async #click(click: () => Promise<void>): Promise<void> {
    await Promise.all([this.page.waitForEvent('load'), click()]);
  }
}

/** The visitor id cookies in a profile's jar for the site of `url`: one, unless something is wrong. */
export async function visitorCookies(profile: BrowserContext, url: string): Promise<readonly Cookie[]> {
  return (await profile.cookies(url)).filter(({ name }) => name === 'perch');
}

/** The visitor id of a profile. Throws where it has not exactly one. */
export async function visitorId(profile: BrowserContext, url: string): Promise<string> {
  const [cookie, ...others] = await visitorCookies(profile, url);
  if (cookie === undefined || others.length > 0)
    throw new Error(`${others.length + (cookie === undefined ? 0 : 1)} visitor ids in one jar`);
  return cookie.value;
}

/** The bucket of an id, by hand: three hex digits of its last group (docs/adr/0001). */
export function bucketByHand(id: string, offset: number): number {
  const lastGroup = id.split('-').at(-1) ?? '';
  return Number.parseInt(lastGroup.slice(offset, offset + 3), 16);
}
