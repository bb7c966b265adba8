import { type ServiceResponse, text } from './http-service.ts';
import { COVER_SVG, LOGO_SVG } from './page-images.ts';
import { PAGE_CSS } from './page-style.ts';

const SVG = 'image/svg+xml';
const FILES: ReadonlyMap<string, { readonly type: string; readonly body: string }> = new Map([
  ['/static/bookinfo.css', { type: 'text/css; charset=utf-8', body: PAGE_CSS }],
  ['/static/logo.svg', { type: SVG, body: LOGO_SVG }],
  ['/static/cover.svg', { type: SVG, body: COVER_SVG }],
]);

/** The product page's assets, which a browser loads in parallel with each page: kept in the source, so nothing has to be shipped beside it. */
export function staticFile(path: string): ServiceResponse {
  const file = FILES.get(path);
  if (file === undefined) return text(404, 'not found');
  return {
    status: 200,
    headers: { 'content-type': file.type, 'cache-control': 'max-age=60', 'x-content-type-options': 'nosniff' },
    body: file.body,
  };
}
