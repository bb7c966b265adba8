import { describe, expect, test } from 'vitest';
import type { Diagnostic } from './diagnostic.ts';
import { renderDiagnostic } from './render.ts';
import { widthOf } from './wrap.ts';

const at = (line: number, column: number, endColumn: number, endLine = line): Diagnostic => ({
  code: 'PERCH1201',
  severity: 'error',
  message: 'there is no field spec.stpes',
  object: 'CanaryRelease default/reviews',
  path: 'spec.stpes',
  source: { file: 'release.yaml', line, column, endLine, endColumn },
  hint: 'did you mean steps?',
});

describe('without colour', () => {
  test('place, code, message; the line with the place underlined; what to do', () => {
    expect(renderDiagnostic(at(2, 3, 8), { text: 'spec:\n  stpes: []\n', color: false })).toBe(
      [
        'release.yaml:2:3  PERCH1201  there is no field spec.stpes',
        '   2 |   stpes: []',
        '     |   ^^^^^',
        '   fix  did you mean steps?',
      ].join('\n'),
    );
  });

  test('without the text there is no excerpt', () => {
    expect(renderDiagnostic(at(2, 3, 8), { color: false }).split('\n')).toHaveLength(2);
  });

  test('a line that the text does not have is not made up', () => {
    expect(renderDiagnostic(at(9, 1, 2), { text: 'a\n', color: false }).split('\n')).toHaveLength(2);
  });

  test('without a place the object and the field are named; lesser severities say so', () => {
    const { source: _, hint: __, ...rest } = at(1, 1, 2);
    expect(renderDiagnostic({ ...rest, severity: 'warning' }, { color: false })).toBe(
      'CanaryRelease default/reviews spec.stpes  warning PERCH1201  there is no field spec.stpes',
    );
  });

  test('nothing but code and message', () => {
    expect(renderDiagnostic({ code: 'PERCH1001', severity: 'error', message: 'm' }, { color: true })).not.toContain('\u001b[1m');
    expect(renderDiagnostic({ code: 'PERCH1001', severity: 'error', message: 'm' }, { color: false })).toBe('PERCH1001  m');
  });
});

/** The excerpt, and the text above the carets. */
function excerptOf(text: string, diagnostic: Diagnostic): { line: string; marked: string } {
  const [, line = '', carets = ''] = renderDiagnostic(diagnostic, { text, color: false }).split('\n');
  return { line: line.slice(7), marked: line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1) };
}

describe('the underline stands under what is meant', () => {
  test('after tabs', () => {
    expect(excerptOf('\ta:\tbad', at(1, 5, 8)).marked).toBe('bad');
  });

  test('in Windows line ends', () => {
    expect(excerptOf('a: 1\r\nb: bad\r\n', at(2, 4, 7)).marked).toBe('bad');
  });

  test('of a range over several lines, on the first to its end', () => {
    expect(excerptOf('a: [1,\n  2]', at(1, 4, 5, 2)).marked).toBe('[1,');
  });

  test('of an empty range, one character', () => {
    expect(excerptOf('a: b', at(1, 4, 4)).marked).toBe('b');
  });

  test('far to the right in a very long line, which is cut around it', () => {
    const text = `${'x'.repeat(5000)}bad${'y'.repeat(5000)}`;
    const { line, marked } = excerptOf(text, at(1, 5001, 5004));
    expect(marked).toBe('bad');
    expect(line.length).toBeLessThan(130);
    expect(line).toMatch(/^…x+bady+…$/);
  });
});

test('no line is wider than the terminal, and the underline stays under what is meant', () => {
  const text = `hosts: [${'shop.example.com, '.repeat(8)}]`;
  const diagnostic: Diagnostic = {
    ...at(1, 81, 97),
    message: 'this host is only known inside the mesh, but a browser comes in through gateway default/edge',
    hint: 'add gateways: [edge] and hosts: ["*"], or let Perch issue the visitor id at the edge of your mesh',
  };
  const lines = renderDiagnostic(diagnostic, { text, color: true, width: 60 }).split('\n');
  for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(60);
  expect(lines.join(' ').replaceAll(/ +/g, ' ')).toContain(
    'only known inside the mesh, but a browser comes in through gateway default/edge',
  );
  const plain = renderDiagnostic(diagnostic, { text, color: false, width: 60 }).split('\n');
  const [excerpt = '', carets = ''] = plain.filter((line) => /^.{5}\|/.test(line));
  expect(excerpt.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('shop.example.com');
});

test('control characters of a file never reach the terminal', () => {
  const evil = { ...at(1, 1, 3), message: 'found \u001b[2J' };
  const out = renderDiagnostic(evil, { text: '\u001b[2Jx\u009b', color: false });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(out.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
});

test('colour only decorates: without the escapes it is the plain text', () => {
  const text = 'spec:\n  stpes: []\n';
  const colored = renderDiagnostic(at(2, 3, 8), { text, color: true });
  expect(colored).toContain('\u001b[31m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escapes are what is taken out
  expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(renderDiagnostic(at(2, 3, 8), { text, color: false }));
});
