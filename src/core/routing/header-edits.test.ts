import { describe, expect, test } from 'vitest';
import { applyHeaderEdits, type HeaderEditContext, type HeaderEditLevel } from './header-edits.ts';
import { parseHeaderValue } from './header-value.ts';

/** Writes a level as a VirtualService does. */
function level(operations: { remove?: string[]; set?: [string, string][]; add?: [string, string][] }): HeaderEditLevel {
  const edits = (entries: [string, string][] = []) =>
    entries.map(([name, text]) => {
      const value = parseHeaderValue(text);
      if (!value.ok) throw new Error(value.message);
      return { name, value: value.parts };
    });
  return { remove: operations.remove ?? [], set: edits(operations.set), add: edits(operations.add) };
}

const request: Readonly<Record<string, string>> = {
  'x-request-id': 'id-1',
  ':path': '/p?q=1',
  ':method': 'GET',
  host: 'shop:81',
  'x-in': 'one',
};

function context(message: 'request' | 'response'): HeaderEditContext {
  return { message, requestHeader: (name) => request[name], protocol: 'HTTP/1.1', responseCode: message === 'request' ? 0 : 200 };
}

const edit = (fields: string[], ...levels: HeaderEditLevel[]) => applyHeaderEdits(fields, levels, context('response'));

describe('one level: removes, then sets, then adds, whatever order they were written in (istio-semantics 1.10)', () => {
  test('add keeps what is there, in a line of its own', () => {
    expect(edit(['Set-Cookie', 'up=1'], level({ add: [['set-cookie', 'a=1']] }))).toEqual(['Set-Cookie', 'up=1', 'set-cookie', 'a=1']);
  });

  test('set replaces every line of the name, in any case', () => {
    expect(edit(['Set-Cookie', 'a', 'x', '1', 'SET-COOKIE', 'b'], level({ set: [['set-cookie', 'c']] }))).toEqual([
      'x',
      '1',
      'set-cookie',
      'c',
    ]);
  });

  test('the last of several sets wins; an add of the same name comes after it', () => {
    expect(
      edit(
        ['x', 'up'],
        level({
          set: [
            ['x', 'first'],
            ['x', 'last'],
          ],
          add: [['x', 'added']],
        }),
      ),
    ).toEqual(['x', 'last', 'x', 'added']);
  });

  test('remove does not touch what the same level adds', () => {
    expect(edit(['x', 'up'], level({ remove: ['x'], add: [['x', 'new']] }))).toEqual(['x', 'new']);
  });

  test('the input list stays as it was', () => {
    const fields = ['cache-control', 'max-age=5'];
    edit(fields, level({ add: [['cache-control', 'private']] }));
    expect(fields).toEqual(['cache-control', 'max-age=5']);
  });
});

describe('two levels, as a weighted route has: the later one sees the result of the earlier', () => {
  test('a remove of the route takes away what the destination added', () => {
    expect(edit([], level({ add: [['x', 'destination']] }), level({ remove: ['x'] }))).toEqual([]);
  });

  test('%REQ of the second level reads what the first one set (measured with Envoy 1.40)', () => {
    const levels = [level({ set: [['x-new', 'from-destination']] }), level({ add: [['x-seen', '%REQ(x-new)%;%REQ(x-in)%']] })];
    expect(applyHeaderEdits(['x-in', 'one'], levels, context('request'))).toEqual([
      ...['x-in', 'one', 'x-new', 'from-destination', 'x-seen', 'from-destination;one'],
    ]);
  });

  test('within one level %REQ reads the headers from before it', () => {
    const fields = applyHeaderEdits(
      ['x-in', 'one'],
      [level({ set: [['x-in', 'two']], add: [['x-seen', '%REQ(x-in)%']] })],
      context('request'),
    );
    expect(fields).toEqual(['x-in', 'two', 'x-seen', 'one']);
  });
});

describe('headers of which Envoy holds one value', () => {
  test('an added Cache-Control joins the one of the upstream (istio-semantics 9)', () => {
    expect(edit(['Cache-Control', 'max-age=5'], level({ add: [['cache-control', 'private']] }))).toEqual([
      'Cache-Control',
      'max-age=5,private',
    ]);
  });

  test('without one it is a line of its own', () => {
    expect(edit([], level({ add: [['cache-control', 'private']] }))).toEqual(['cache-control', 'private']);
  });

  test.each([
    ['request', 'user-agent', true],
    ['request', 'cookie', false],
    ['request', 'baggage', false],
    ['request', 'traceparent', false],
    ['response', 'vary', true],
    ['response', 'link', false],
    ['response', 'set-cookie', false],
    ['response', 'user-agent', false],
  ] as const)('in a %s an added %s joins: %s', (message, name, joins) => {
    const fields = applyHeaderEdits([name, 'A'], [level({ add: [[name, 'B']] })], context(message));
    expect(fields).toEqual(joins ? [name, 'A,B'] : [name, 'A', name, 'B']);
  });
});

describe('operators', () => {
  const value = (text: string, message: 'request' | 'response' = 'response') =>
    applyHeaderEdits(['x-up', 'yes'], [level({ add: [['v', text]] })], context(message)).slice(2)[1];

  test.each([
    ['perch=%REQ(x-request-id)%; Path=/', 'perch=id-1; Path=/'],
    ['%REQ(X-Request-Id)%', 'id-1'],
    ['%REQ(:method)% %REQ(:path)%', 'GET /p?q=1'],
    ['%REQ(nope?x-in)%', 'one'],
    ['a%REQ(nope)%b', 'ab'],
    ['100%%', '100%'],
    ['%PROTOCOL% %RESPONSE_CODE% %RESP(x-up)%', 'HTTP/1.1 200 yes'],
    ['%REQ(host)%', 'shop:81'],
    ['é', 'Ã©'],
  ])('%s gives %s', (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  test.each(['%REQ(nope)%', '%RESP(nope)%', ''])('a value that comes out empty is not added: %j', (text) => {
    expect(value(text)).toBeUndefined();
    expect(edit(['v', 'kept'], level({ set: [['v', text]] }))).toEqual(['v', 'kept']);
  });

  test('in a request there is no response yet', () => {
    expect(value('%RESPONSE_CODE%', 'request')).toBe('0');
    expect(value('%RESP(x-up)%', 'request')).toBeUndefined();
  });

  test.each([
    ['50%', 'syntax'],
    ['%REQ(x-request-id', 'syntax'],
    ['%REQ(x):3%', 'syntax'],
    ['%REQ()%', 'syntax'],
    ['%REQ(a?b?c)%', 'syntax'],
    ['a\nb', 'syntax'],
    ['%FOO%', 'unknown'],
    ['%START_TIME%', 'unsupported'],
    ['%DOWNSTREAM_REMOTE_ADDRESS%', 'unsupported'],
  ])('%j is refused: %s', (text, problem) => {
    expect(parseHeaderValue(text)).toMatchObject({ ok: false, problem });
  });
});
