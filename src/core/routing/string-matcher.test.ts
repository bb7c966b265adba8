import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { requiredLiteral } from './required-literal.ts';
import { compileRegex, compileStringMatch, regexProblem } from './string-matcher.ts';

describe('exact and prefix', () => {
  test.each([
    [{ exact: 'v1' }, 'v1', true],
    [{ exact: 'v1' }, 'V1', false],
    [{ exact: '' }, '', true],
    [{ prefix: '/foo' }, '/foobar', true],
    [{ prefix: '/foo' }, '/fo', false],
    // heads hold UTF-8 bytes, a character each
    [{ exact: 'é' }, 'Ã©', true],
    [{ exact: 'é' }, 'é', false],
  ])('%j on %j: %s', (match, value, expected) => {
    expect(compileStringMatch(match)(value)).toBe(expected);
  });

  test.each([
    [{ exact: '/Login' }, '/LOGIN', true],
    [{ exact: '/Login' }, '/login/', false],
    [{ prefix: '/API' }, '/api/v1', true],
    // ASCII only, as in Envoy: the Kelvin sign is not a k
    [{ exact: 'k' }, '\u212a', false],
  ])('without case: %j on %j: %s', (match, value, expected) => {
    expect(compileStringMatch(match, true)(value)).toBe(expected);
  });
});

describe('regexes match the whole value, as RE2 (istio-semantics 1.7)', () => {
  test.each([
    ['v[12]', 'v1', true],
    ['v[12]', 'xv1', false],
    ['a|b', 'b', true],
    ['a|b', 'ab', false],
    ['(?i)jason', 'JASON', true],
    ['.*reviews-cookie.*REVIRES-V2.*', 'a=1; reviews-cookie=REVIRES-V2', true],
    ['.*reviews-cookie.*REVIRES-V2.*', 'REVIRES-V2; reviews-cookie=', false],
    ['^(.*?;)?(user=jason)(;.*)?$', 'user=jason', true],
    // the pattern that is often copied misses a cookie after `; `
    ['^(.*?;)?(user=jason)(;.*)?$', 'a=1; user=jason', false],
    ['^(.*;\\s*)?user=jason(;.*)?$', 'a=1; user=jason; b=2', true],
    // byte by byte, as Envoy
    ['..', 'Ã©', true],
    ['.', 'Ã©', false],
    ['[é]', 'Ã©', false],
    ['é', 'Ã©', true],
    ['é', 'é', false],
    ['é{2}', 'Ã©©', true],
    ['\\x{e9}', 'é', true],
    ['.*a\\.*', 'xa..', true],
    ['.*a\\.*', 'xab', false],
    ['.*\\\\.*', 'a\\b', true],
  ])('%s on %j: %s', (regex, value, expected) => {
    expect(compileRegex(regex)(value)).toBe(expected);
  });

  test.each([
    ['*', /missing argument/],
    ['(?=a)', /Perl syntax/],
    ['a{2000}', /repeat count/],
    ['[a', /missing/],
  ])('%s is none: %s', (regex, problem) => {
    expect(regexProblem(regex)).toMatch(problem);
  });

  test('what RE2 takes is no problem', () => {
    expect(regexProblem('(?i)[[:alpha:]]+\\pL')).toBeUndefined();
  });
});

const word = fc.constantFrom('a', 'b', 'c', 'ab', ';', '=', '-', 'é', '😀');
const value = fc.array(fc.oneof(word, fc.constantFrom('.', '2', ' ', '\n', 'A')), { maxLength: 12 }).map((parts) => parts.join(''));
/** Regexes as people write them: literals, classes, groups, alternatives, every quantifier. */
const regex = fc.letrec<{ regex: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { depthSize: 'small' },
    word,
    fc.constantFrom('.', '.*', '\\.', '[a-c]', '[^;]', '[]a]', '[[:alpha:]]', '\\d', '\\x61', '{', '(?i)', '\\pL'),
    tie('regex').map((inner) => `(${inner})`),
    tie('regex').map((inner) => `(?:${inner})`),
    fc.tuple(tie('regex'), tie('regex')).map(([left, right]) => `(?P<n>${left}|${right})`),
  ),
  regex: fc
    .array(fc.tuple(tie('atom'), fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{0,1}', '*?', '+?')), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.map(([atom, quantifier]) => atom + quantifier).join('')),
})).regex;

/** The bytes of a text, a character each, as a head has them. */
const wire = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

describe('short cuts decide what RE2 decides', () => {
  test('every regex, on every value', () => {
    let decided = 0;
    let matched = 0;
    fc.assert(
      fc.property(regex, fc.array(value, { minLength: 1, maxLength: 8 }), (pattern, values) => {
        fc.pre(regexProblem(pattern) === undefined);
        const re2 = RE2JS.compile(wire(pattern));
        for (const each of values) {
          const expected = re2.matches(wire(each));
          decided += 1;
          if (expected) matched += 1;
          expect(compileRegex(pattern)(wire(each)), `${pattern} on ${JSON.stringify(each)}`).toBe(expected);
        }
      }),
      { seed: 11, numRuns: 4000 },
    );
    expect(matched).toBeGreaterThan(decided / 50);
  });

  test('A then B, on every value', () => {
    const literals = fc.array(fc.constantFrom('a', 'b', 'ab', '\\.', 'é', '-'), { maxLength: 3 });
    fc.assert(
      fc.property(literals, value, (parts, each) => {
        const pattern = `.*${parts.map((part) => `${part}.*`).join('')}`;
        expect(compileRegex(pattern)(wire(each))).toBe(RE2JS.compile(wire(pattern)).matches(wire(each)));
      }),
      { seed: 12, numRuns: 3000 },
    );
  });

  test('A then B is linear where a backtracking engine is cubic', () => {
    const hostile = 'reviews-cookie'.repeat(4000);
    const started = performance.now();
    expect(compileRegex('.*reviews-cookie.*reviews-cookie.*REVIRES-V2.*')(hostile)).toBe(false);
    expect(performance.now() - started).toBeLessThan(100);
  });
});

describe('the literal that a match must contain', () => {
  test.each([
    ['^(.*?;)?(user=jason)(;.*)?$', 'user=jason'],
    ['(?:.*; ?)?lang=(?:de|fr)(?:;.*)?', 'lang='],
    ['v1\\.2.*', 'v1.2'],
    ['ab+cd', 'ab'],
    ['abc?', 'ab'],
    ['a{2}', undefined],
    ['foo|bar', undefined],
    ['(?i)foo', undefined],
    ['[abc]+', undefined],
    ['{[}a]', undefined],
    ['x😀?', 'x'],
    ['(foo)?', undefined],
    ['(foo(bar)?baz)', 'foo'],
  ])('%s: %s', (pattern, literal) => {
    expect(requiredLiteral(pattern)).toBe(literal);
  });
});
