import { expect, test } from 'vitest';
import { perch } from '../../../test/harness/perch-process.ts';
import { CODES } from '../../core/diagnostics/codes.ts';
import { widthOf } from '../../core/diagnostics/wrap.ts';
import { plainStyle } from '../terminal/style.ts';
import { codeList, explainedCode, explanation } from './explain-code.ts';

test('perch explain works without a runtime', async () => {
  expect(await perch(['explain', 'perch1104'], { PERCH_SERVER: 'http://127.0.0.1:1' })).toEqual({
    code: 0,
    stderr: '',
    stdout:
      'PERCH1104  Istio objects\nAn Istio object or an HTTPRoute breaks a rule of its validation\n   fix  Correct it as the message says: istiod’s admission webhook, Envoy, or the apiserver would refuse it too.\n',
  });
});

test('a code is found in any case and by its number; another gets a suggestion', () => {
  expect(explainedCode('1104')).toEqual(explainedCode('Perch1104'));
  expect(() => explainedCode('PERCH110')).toThrow(/there is no code PERCH110: did you mean PERCH110\d\?/);
  expect(() => explainedCode('nonsense')).toThrow('there is no code nonsense (perch explain lists all)');
});

test('every code is listed, under its area, and explained in 80 columns', () => {
  const list = codeList(plainStyle, 80);
  const explained = Object.keys(CODES).flatMap((code) => explanation(explainedCode(code), plainStyle, 80));
  for (const line of [...list, ...explained]) expect(widthOf(line), line).toBeLessThanOrEqual(80);
  expect(list.filter((line) => /^PERCH\d+ {2}/.test(line))).toHaveLength(Object.keys(CODES).length);
  expect(list[0]).toBe('Reading files');
});
