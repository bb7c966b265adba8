import { describe, expect, it, test } from 'vitest';
import { findings, IDENTITY, specWith, validate } from './validation.cases.ts';

/** Where a finding points to in the text: at the field's name where the field should not be there, at its value where that is wrong. */

/** A release whose spec has these lines after the usual ones; `with` replaces some of those. */
function places(lines: readonly string[], replaced: Readonly<Record<string, string>> = {}): string[] {
  const text = `${specWith(replaced)}${lines.map((line) => `  ${line}\n`).join('')}`;
  const rows = text.split('\n');
  return validate(text).diagnostics.map(({ code, source }) => {
    if (source === undefined) throw new Error(`${code} has no place`);
    return `${code} ${(rows[source.line - 1] ?? '').slice(source.column - 1)}`;
  });
}

describe('a field that should not be there is marked at its name', () => {
  const CANARY_ONLY = { affinity: '{mode: canaryOnly}' };
  it.each<[string, readonly string[], Readonly<Record<string, string>>, string[]]>([
    ['unknown', ['stpes: 7'], {}, ['PERCH1201 stpes: 7']],
    ['not supported yet', ['analysis: {source: gateway}'], {}, ['PERCH1210 analysis: {source: gateway}']],
    [
      'of another form of the route',
      [],
      { route: '{delegate: {name: a, http: [{route: [{destination: {host: reviews}}]}], hosts: [b]}}' },
      ['PERCH1201 hosts: [b]}}'],
    ],
    ['the cookie of another mode', ['affinity:', '  cookie: {name: c}'], {}, ['PERCH1213 cookie: {name: c}']],
    ['a cohort, where each draw is one of its own', ['cohort: 2'], CANARY_ONLY, ['PERCH1213 cohort: 2']],
    ['links, where all are drawn', ['optIn: {}'], CANARY_ONLY, ['PERCH1213 optIn: {}']],
    ['ids of a header, where all are drawn', ['visitorId:', '  from: {header: x-id}'], CANARY_ONLY, ['PERCH1213 from: {header: x-id}']],
    [
      'a cookie beside ids of a header',
      ['visitorId:', '  from: {header: x-id}', '  cookie: {name: c}'],
      {},
      ['PERCH1215 cookie: {name: c}'],
    ],
    [
      'a match beside a weight',
      ['steps:', '  - weight: 10', '    match: [{headers: {x-a: {exact: a}}}]', '    hold: 1m', '  - {weight: 100, hold: 1m}'],
      { steps: '' },
      ['PERCH1204 match: [{headers: {x-a: {exact: a}}}]'],
    ],
    [
      'a match after weights',
      ['steps:', '  - {weight: 10, hold: 1m}', '  - match: [{headers: {x-a: {exact: a}}}]', '    hold: 1m', '  - {weight: 100, hold: 1m}'],
      { steps: '' },
      ['PERCH1204 match: [{headers: {x-a: {exact: a}}}]'],
    ],
    [
      'a match where all are drawn',
      ['steps:', '  - match: [{headers: {x-a: {exact: a}}}]', '    hold: 1m', '  - {weight: 100, hold: 1m}'],
      { steps: '', ...CANARY_ONLY },
      ['PERCH1213 match: [{headers: {x-a: {exact: a}}}]'],
    ],
    [
      'a header that Perch needs',
      ['steps:', '  - match:', '      - headers:', '          cookie: {exact: a}', '    hold: 1m', '  - {weight: 100, hold: 1m}'],
      { steps: '' },
      ['PERCH1203 cookie: {exact: a}'],
    ],
  ])('%s', (_, lines, replaced, expected) => {
    expect(places(lines, replaced)).toEqual(expected);
  });

  it('beside spec, too', () => {
    const text = `${specWith()}statsu: {}\n`;
    expect(validate(text).diagnostics.map(({ source }) => [source?.line, source?.column])).toEqual([[text.split('\n').length - 1, 1]]);
  });
});

test('a wrong value is marked itself, and findings come in the order of the text', () => {
  expect(places(['cohort: 9', 'revision: -1'], { canary: '{subset: V2}' })).toEqual(['PERCH1203 V2}', 'PERCH1203 9', 'PERCH1203 -1']);
});

describe('cookies that are fine', () => {
  it.each([
    'path: /shop, secure: false',
    'partitioned: false, secure: false',
    'sameSite: None, secure: true',
    'name: __Secure-p, path: /shop',
    'name: __Host-p, secure: true',
    'name: my-__Host-p, path: /shop, domain: shop.example, secure: false',
    'domain: shop.example',
  ])('%s', (cookie) => {
    expect(findings(specWith({ visitorId: `{cookie: {${cookie}}}` }))).toEqual([]);
  });

  it('a name that is no text is the schema’s to tell, and the rest is judged as if it were fine', () => {
    const codes = (cookie: string) => findings(specWith({ visitorId: `{cookie: {${cookie}}}` })).map((each) => each.split(':')[0]);
    expect(codes('name: 7, secure: false')).toEqual(['PERCH1203 spec.visitorId.cookie.name']);
    expect(codes('name: 7, secure: false, partitioned: true')).toEqual([
      'PERCH1203 spec.visitorId.cookie.name',
      'PERCH1206 spec.visitorId.cookie.secure',
    ]);
  });
});

describe('how a decision goes on', () => {
  const propagate = (list: string) => findings(specWith({ visitorId: `{propagate: ${list}}` }));

  it('by the request id only beside the cookie', () => {
    expect(propagate('[baggage, requestId]')).toHaveLength(1);
    expect(propagate('[requestId]')).toHaveLength(1);
    expect(propagate('[cookie, requestId]')).toEqual([]);
    expect(propagate('[baggage]')).toEqual([]);
  });

  it('each way once; what is no text is the schema’s to tell', () => {
    expect(propagate('[cookie, cookie]')).toEqual([
      'PERCH1203 spec.visitorId.propagate[1]: cookie stands twice in spec.visitorId.propagate | keep one',
    ]);
    expect(propagate('[cookie, 7, 7]').map((each) => each.split(':')[0])).toEqual([
      'PERCH1203 spec.visitorId.propagate[1]',
      'PERCH1203 spec.visitorId.propagate[2]',
    ]);
  });
});

describe('two mistakes at once', () => {
  const codes = (changes: Readonly<Record<string, string>>) => findings(specWith(changes)).map((each) => each.split(':')[0]);

  it('a misspelt field hides that the right one is missing, at its own level only', () => {
    expect(codes({ steps: '', stpes: '[]' })).toEqual(['PERCH1201 spec.stpes']);
    expect(codes({ service: '{host: reviews}', prot: '80' })).toEqual(['PERCH1202 spec.service.port', 'PERCH1201 spec.prot']);
    expect(codes({ service: '{host: reviews, prot: 80}', steps: '' })).toEqual(['PERCH1202 spec.steps', 'PERCH1201 spec.service.prot']);
  });

  it('an unknown field beside two forms of a mapping is not named with them', () => {
    expect(findings(specWith({ canary: '{subset: v2, host: x, colour: red}' }))).toContain(
      'PERCH1203 spec.canary: spec.canary must be a mapping with subset, or with host, found subset and host together | keep one of the two',
    );
  });

  it('hosts are unknown where no route has them, and the hint says what is known there', () => {
    const hint = (changes: Readonly<Record<string, string>>) => findings(specWith(changes)).map((each) => each.split(' | ')[1]);
    expect(hint({ hosts: '[a]' })).toEqual([expect.stringMatching(/^known here: service, /)]);
    expect(hint({ route: '{adopt: {virtualService: a, gateways: [b]}}' })).toEqual([expect.stringMatching(/^known here: virtualService/)]);
  });
});

test('texts that only contain a number, or yes and no, are not taken for them', () => {
  const hint = (changes: Readonly<Record<string, string>>) => findings(specWith(changes)).map((each) => each.split(' | ')[1]);
  for (const port of ['80x', 'x80', '80%%', '1.2.3']) {
    expect(hint({ service: `{host: reviews, port: "${port}"}` })).toEqual(['correct the value']);
  }
  for (const value of ['not', 'yes!', 'a no']) {
    expect(hint({ visitorId: `{cookie: {httpOnly: "${value}"}}` })).toEqual(['correct the value']);
  }
  expect(hint({ visitorId: '{cookie: {httpOnly: 1}}' })).toEqual(['correct the value']);
});

test('a name of one letter is one', () => {
  expect(findings(specWith().replace(IDENTITY, IDENTITY.replace('reviews', 'r')))).toEqual([]);
});
