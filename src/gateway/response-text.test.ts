import { describe, expect, test } from 'vitest';
import { announces, responseHeadText } from './response-text.ts';

describe('responseHeadText', () => {
  test('is dated, unless the upstream has dated it', () => {
    expect(responseHeadText(200, 'OK', ['content-length', '0'])).toMatch(
      /^HTTP\/1\.1 200 OK\r\ncontent-length: 0\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n\r\n$/,
    );
    expect(responseHeadText(404, '', ['date', 'then'])).toBe('HTTP/1.1 404 \r\ndate: then\r\n\r\n');
    // A value is no name.
    expect(responseHeadText(200, 'OK', ['x-sort', 'date'])).toContain('\r\ndate: ');
  });
});

describe('announces', () => {
  test('only the right length will do: a body that is longer or shorter would shift every answer after it', () => {
    expect(announces(['x', 'y', 'content-length', '3'], 'abc')).toBe(true);
    expect(announces(['content-length', '2'], 'abc')).toBe(false);
    expect(announces(['content-length', '4'], 'abc')).toBe(false);
    expect(announces([], 'abc')).toBe(false);
    expect(announces(['x-was', 'content-length'], 'abc')).toBe(false);
  });
});
