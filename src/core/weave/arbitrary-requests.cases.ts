import fc from 'fast-check';
import type { ReferenceRequest } from './reference-router.cases.ts';

/** Arbitrary visitors of the arbitrary routes. */

/** Request ids, and the ids of visitors. */
export const ids = fc.oneof(
  fc.constantFrom('3f2a9c1e-7b54-4d21-9e0a-000000000000', '3f2a9c1e-7b54-4d21-9e0a-19919a19a19b', '3f2a9c1e-7b54-4d21-9e0a-ffffffffffff'),
  fc.uuid(),
);

const baggage = fc.constantFrom('perch.web=canary', 'perch.web=stable', 't=1, perch.web=canary', 'perch.web=canaryx');

/** Some of them carry one of these cookies (`name=value`), among others. */
export function requestsWith(cookies: fc.Arbitrary<string>): fc.Arbitrary<ReferenceRequest> {
  return fc
    .record({
      at: fc.constantFrom('web', 'mesh'),
      labels: fc.constantFrom({}, { app: 'x' }),
      method: fc.constantFrom('GET', 'POST'),
      path: fc.constantFrom('/', '/a', '/a?q=1', '/A', '/a/b', '/a/b/c?q=1', '/c', '/away'),
      requestId: ids,
      cookie: fc.option(cookies, { nil: undefined }),
      before: fc.constantFrom('', 'a=1; ', 'a=1;', 'xperch=1; '),
      document: fc.constantFrom({}, { accept: ['text/html,*/*'] }, { 'sec-fetch-mode': ['navigate'] }, { accept: ['image/png'] }),
      user: fc.constantFrom({}, { 'end-user': ['jason'] }, { 'end-user': ['jim'], 'x-tenant': ['jason'] }),
      told: fc.option(baggage, { nil: undefined }),
    })
    .map(({ at, labels, method, path, requestId, cookie, before, document, user, told }) => ({
      at,
      labels,
      method,
      path,
      headers: {
        'x-request-id': [requestId],
        ...(cookie === undefined ? {} : { cookie: [`${before}${cookie}; z=9`] }),
        ...(told === undefined ? {} : { baggage: [told] }),
        ...document,
        ...user,
      },
    }));
}

/** Whether it asks for a page, as browsers do. */
export function isDocument({ headers }: ReferenceRequest): boolean {
  return headers['accept']?.[0]?.includes('text/html') === true || headers['sec-fetch-mode']?.[0] === 'navigate';
}
