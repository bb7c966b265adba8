import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StringMatch } from '../istio/resources.ts';
import { compileStringMatch } from '../routing/string-matcher.ts';
import { DOCUMENTS } from '../weave/rule-sketch.ts';
import { asksForDocument, type EdgeRequest, EdgeTally, type EdgeVisitor } from './edge-tally.ts';

const PAGE = { accept: 'text/html,*/*;q=0.8', fetchMode: 'navigate', fetchSite: 'none' };
const IMAGE = { accept: 'image/webp,*/*', fetchMode: 'no-cors', fetchSite: 'same-origin' };
const SCRIPT = { accept: '*/*', fetchMode: 'cors', fetchSite: 'cross-site' };
const UUID = '3e4666bf-d5e5-4aa7-b8ce-0b3e41c7568a';
const HEX = '3e4666bfd5e54aa7b8ce0b3e41c7568a';

interface Counted extends EdgeRequest {
  readonly visitor: EdgeVisitor;
  readonly drewCanary: boolean;
}

const request = (more: Partial<Counted>): Counted => ({ requestId: UUID, ...PAGE, visitor: 'none', drewCanary: false, ...more });

function figuresOf(issueOn: 'documents' | 'all', ...requests: readonly Counted[]) {
  const tally = new EdgeTally(issueOn);
  const wrong = requests.map((each) => tally.count(each, each.visitor, each.drewCanary));
  return { ...tally.summary(), wrong: wrong.filter(Boolean).length };
}

describe('who gets no id at the edge', () => {
  test('a page whose request id is no UUID; not one that brought an id, nor an image', () => {
    const figures = figuresOf(
      'documents',
      request({ requestId: HEX }),
      request({ requestId: HEX, visitor: 'known' }),
      request({ requestId: HEX, ...IMAGE }),
      request({ visitor: 'issued' }),
    );
    expect(figures).toEqual({ requests: 4, issued: 1, oddRequestIds: 1, oddOnCanary: 0, oddRequestId: HEX, crossSite: 0, wrong: 1 });
  });

  test('where all get one, an image too', () => {
    expect(figuresOf('all', request({ requestId: HEX, ...IMAGE }))).toMatchObject({ oddRequestIds: 1 });
  });

  test('a rule of the user’s own may take a page: with a UUID nothing is wrong about that', () => {
    expect(figuresOf('documents', request({}))).toMatchObject({ oddRequestIds: 0, wrong: 0 });
  });

  test('an odd id on the canary is one of those, too', () => {
    const odd = request({ requestId: HEX });
    expect(figuresOf('all', odd, { ...odd, drewCanary: true }, request({ drewCanary: true }))).toMatchObject({
      ...{ oddRequestIds: 2, oddOnCanary: 1 },
    });
  });

  test('scripts of other sites, without an id; with one they have credentials', () => {
    const figures = figuresOf(
      'documents',
      request(SCRIPT),
      request({ ...SCRIPT, visitor: 'known' }),
      request({ ...SCRIPT, fetchSite: 'same-site' }),
      request({ ...SCRIPT, visitor: 'issued' }),
    );
    expect(figures).toMatchObject({ requests: 4, issued: 1, crossSite: 2, wrong: 2 });
  });

  test('the example is the first that is plain: what clients send never fills a screen or a log', () => {
    const ids = ['\u001b[2J', 'x'.repeat(65), 'Root=1-67-ab', HEX].map((requestId) => request({ requestId }));
    expect(figuresOf('documents', ...ids)).toMatchObject({ oddRequestIds: 4, oddRequestId: 'Root=1-67-ab' });
    expect(figuresOf('documents', ...ids.slice(0, 2))).not.toHaveProperty('oddRequestId');
  });
});

test('a page is told as by the woven rules', () => {
  const header = fc.option(
    fc.oneof(fc.constantFrom('text/html', 'navigate', 'a/b, text/html;q=0.9', 'cors', 'TEXT/HTML', ''), fc.string()),
    {
      nil: undefined,
    },
  );
  fc.assert(
    fc.property(header, header, (accept, fetchMode) => {
      const headers: Readonly<Record<string, string | undefined>> = { accept, 'sec-fetch-mode': fetchMode };
      const woven = DOCUMENTS.some((conditions) =>
        Object.entries(conditions).every(
          ([name, match]) => headers[name] !== undefined && compileStringMatch(match as StringMatch)(headers[name]),
        ),
      );
      expect(asksForDocument({ accept, fetchMode })).toBe(woven);
    }),
  );
});
