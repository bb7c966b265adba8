import { describe, expect, test } from 'vitest';
import { readTraceParent, traceParentText } from './trace-parent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  test.each([
    ['sampled', `00-${TRACE}-${SPAN}-01`, true],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, false],
    ['with other flags', `00-${TRACE}-${SPAN}-fe`, false],
    ['with all flags', `00-${TRACE}-${SPAN}-ff`, true],
    ['of a later version, with more behind', `01-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
    ['with blanks around', ` 00-${TRACE}-${SPAN}-01 `, true],
  ])('%s', (_name, text, sampled) => {
    expect(readTraceParent([text])).toEqual({ traceId: TRACE, parentId: SPAN, sampled });
  });

  test.each([
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['more behind version 00', `00-${TRACE}-${SPAN}-01-x`],
    ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['no parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['text behind a later version without a hyphen', `01-${TRACE}-${SPAN}-01x`],
    ['nothing', ''],
  ])('with %s is none', (_name, text) => {
    expect(readTraceParent([text])).toBeUndefined();
  });

  test('twice is none', () => {
    const text = `00-${TRACE}-${SPAN}-01`;
    expect(readTraceParent([text, text])).toBeUndefined();
    expect(readTraceParent([])).toBeUndefined();
  });

  test('is written as it is read', () => {
    expect(readTraceParent([traceParentText(TRACE, SPAN, true)])).toEqual({ traceId: TRACE, parentId: SPAN, sampled: true });
  });
});
