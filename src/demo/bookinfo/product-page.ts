import type { Product } from './catalogue.ts';
import type { BookDetails } from './details.ts';
import { escapeHtml } from './escape-html.ts';
import type { Review } from './reviews.ts';
import type { VisitorSentence } from './visitor-sentence.ts';

/** What an upstream gave: its content, or the sentence to show instead. */
export type Fetched<Content> = { readonly ok: true; readonly content: Content } | { readonly ok: false; readonly error: string };

/** What reviews answered, and who it was that answered. */
export interface FetchedReviews {
  /** The version that answered, where it says so. */
  readonly version: string | undefined;
  readonly podname: string;
  readonly reviews: readonly Review[];
}

/** Everything that one product page shows. */
export interface ProductPage {
  readonly product: Product;
  readonly details: Fetched<BookDetails>;
  readonly reviews: Fetched<FetchedReviews>;
  readonly visitor: VisitorSentence | undefined;
  readonly user: string | undefined;
}

const BUCKETS = 4096;

/** The product page as HTML. Whatever came over the network is escaped; works without scripts. */
export function renderProductPage(page: ProductPage): string {
  const { product } = page;
  return layout(
    product.title,
    page.user,
    `${renderYou(page.visitor)}
<section class="book" aria-labelledby="title">
<img class="cover" src="/static/cover.svg" width="240" height="340" alt="Cover of ${escapeHtml(product.title)}">
<div class="about">
<h1 id="title">${escapeHtml(product.title)}</h1>
${page.details.ok ? `<p class="book-author">by ${escapeHtml(String(page.details.content.author))}</p>` : ''}
<p>${product.descriptionHtml}</p>
${page.details.ok ? renderFacts(page.details.content) : `<p class="sorry" role="status">Error fetching product details. ${escapeHtml(page.details.error)}</p>`}
</div>
</section>
${renderReviews(page.reviews)}`,
  );
}

/** The shop's front page. */
export function renderIndexPage(products: readonly Product[], user: string | undefined): string {
  const items = products.map(
    (product) => `<section class="book">
<img class="cover" src="/static/cover.svg" width="240" height="340" alt="Cover of ${escapeHtml(product.title)}">
<div class="about"><h1>${escapeHtml(product.title)}</h1><p>${product.descriptionHtml}</p>
<p><a class="button primary" href="/productpage">Read the reviews</a></p></div>
</section>`,
  );
  return layout('All books', user, items.join('\n'));
}

function layout(title: string, user: string | undefined, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · Bookinfo</title>
<link rel="stylesheet" href="/static/bookinfo.css">
<link rel="icon" type="image/svg+xml" href="/static/logo.svg">
</head>
<body>
<header class="top"><div class="wrap">
<a class="brand" href="/productpage"><img src="/static/logo.svg" width="32" height="32" alt="">Bookinfo</a>
${renderSession(user)}
</div></header>
<main class="wrap">
${main}
</main>
<footer class="foot"><div class="wrap">Perch’s demo, after Istio’s Bookinfo sample: productpage asks details and reviews, reviews asks ratings.</div></footer>
</body>
</html>
`;
}

function renderSession(user: string | undefined): string {
  if (user !== undefined) {
    return `<div class="session"><span>Signed in as <strong>${escapeHtml(user)}</strong></span><a class="button small" href="/logout">Sign out</a></div>`;
  }
  return `<form class="session" method="post" action="/login">
<input name="username" required maxlength="64" autocomplete="username" placeholder="Your name" aria-label="Your name">
<button class="button small">Sign in</button>
</form>`;
}

function renderYou(visitor: VisitorSentence | undefined): string {
  return `<section class="you" aria-labelledby="you">
<header><h2 id="you">You</h2>${visitor === undefined ? '' : `<span class="reached">release at ${visitor.weight} %</span>`}</header>
${visitor === undefined ? '' : `${renderSentence(visitor)}\n${visitor.bucket === undefined ? '' : renderPlace(visitor.bucket, visitor.weight)}`}
<div class="actions">
<a class="button primary" href="/productpage">Refresh</a>
<form method="post" action="/demo/new-visitor"><button class="button">Be a new visitor</button></form>
</div>
</section>`;
}

function renderSentence({ sentence, cohort, bucket }: VisitorSentence): string {
  const side = cohort === undefined ? '' : ` data-cohort="${escapeHtml(cohort)}"`;
  const place = bucket === undefined ? '' : ` data-bucket="${bucket}"`;
  return `<p class="sentence" id="sentence"${side}${place}>${escapeHtml(sentence)}</p>`;
}

/** Where the visitor's bucket lies between the first visitors to move and the last, and how far the release is. */
function renderPlace(bucket: number, weight: number): string {
  const x = ((100 * (bucket + 0.5)) / BUCKETS).toFixed(2);
  return `<svg class="place" role="img" aria-label="Your bucket is ${bucket} of ${BUCKETS}: visitors move to the new version from left to right, and the release is at ${weight} %.">
<rect class="track" y="9" width="100%" height="7" rx="3.5"></rect><rect class="moved" y="9" width="${weight}%" height="7" rx="3.5"></rect><circle class="mark" cx="${x}%" cy="12.5" r="8"></circle>
</svg>
<div class="scale" aria-hidden="true"><span>first to move</span><span>last to move</span></div>`;
}

function renderFacts(details: BookDetails): string {
  const facts: readonly (readonly [string, string | number])[] = [
    ['Type', details.type],
    ['Pages', details.pages],
    ['Year', details.year],
    ['Language', details.language],
    ['Publisher', details.publisher],
    ['ISBN-10', details['ISBN-10']],
    ['ISBN-13', details['ISBN-13']],
  ];
  return `<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(String(value))}</dd></div>`).join('')}</dl>`;
}

function renderReviews(fetched: Fetched<FetchedReviews>): string {
  if (!fetched.ok) {
    return `<section class="reviews" aria-labelledby="reviews"><header><h2 id="reviews">Reviews</h2></header>
<p class="sorry" role="status">Error fetching product reviews. ${escapeHtml(fetched.error)}</p></section>`;
  }
  const { version, podname, reviews } = fetched.content;
  const badge =
    version === undefined
      ? ''
      : `<span class="badge" id="reviews-version" data-version="${escapeHtml(version)}">reviews ${escapeHtml(version)}</span>`;
  return `<section class="reviews" aria-labelledby="reviews">
<header><h2 id="reviews">Reviews</h2>${badge}<span class="pod">served by ${escapeHtml(podname)}</span></header>
<div class="cards">${reviews.map(renderReview).join('')}</div>
</section>`;
}

function renderReview(review: Review): string {
  return `<figure class="card">${renderRating(review.rating)}
<blockquote>${escapeHtml(String(review.text))}</blockquote>
<figcaption>${escapeHtml(String(review.reviewer))}</figcaption></figure>`;
}

function renderRating(rating: Review['rating']): string {
  if (rating === undefined) return '';
  if ('error' in rating) return `<p class="sorry" role="status">${escapeHtml(String(rating.error))}</p>`;
  const stars = Math.max(0, Math.min(5, Math.round(Number(rating.stars)) || 0));
  const color = rating.color === 'red' ? 'red' : 'black';
  const off = stars === 5 ? '' : `<span class="off">${'★'.repeat(5 - stars)}</span>`;
  return `<p class="stars ${color}" role="img" aria-label="${stars} of 5 stars, ${color}">${'★'.repeat(stars)}${off}</p>`;
}
