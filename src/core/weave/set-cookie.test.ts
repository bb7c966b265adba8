import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { edgeInput, gatewayOf, releaseOf, rulesOf } from './fixtures.cases.ts';
import {
  canarySetCookie,
  choosingSetCookie,
  expiringSetCookie,
  issuingSetCookie,
  maxAgeSeconds,
  needsSecure,
  takesCookieBack,
} from './set-cookie.ts';
import { weaveRelease } from './weave-virtual-service.ts';

describe('the cookie', () => {
  const setCookie = (spec: object, gateways: readonly KubeObject[]) => {
    const release = releaseOf({ visitorId: { cookie: spec } });
    const { routes, diagnostics } = weaveRelease(edgeInput([{ route: [{ destination: { host: 'web' } }] }], { release, gateways }));
    const add = rulesOf(routes[0]?.virtualService)[3]?.route?.[0]?.headers?.response?.add;
    return { value: add?.['Set-Cookie'], codes: diagnostics.map((each) => each.code) };
  };

  it('is Secure where every server is HTTPS; a plain one counts unless it only redirects', () => {
    const redirecting = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'], tls: { httpsRedirect: true } };
    const plain = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] };
    const https = { port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: ['*'], tls: { mode: 'SIMPLE' } };
    const secure = (servers: readonly object[]) => setCookie({}, [gatewayOf('HTTPS', 'web', { servers })]).value?.includes('; Secure;');
    expect(secure([https])).toBe(true);
    expect(secure([redirecting, https])).toBe(true);
    expect(secure([plain, https])).toBe(false);
    expect(secure([plain])).toBe(false);
    expect(setCookie({}, []).value).not.toContain('Secure');
    expect(setCookie({ secure: true }, []).value).toContain('; Secure;');
  });

  it('has the attributes of the release', () => {
    const spec = { name: 'id', maxAge: '1h30m', path: '/shop', secure: true, httpOnly: false, sameSite: 'None' };
    expect(setCookie(spec, []).value).toBe('id=%REQ(x-request-id)%; Max-Age=5400; Path=/shop; Secure; SameSite=None');
    const embedded = { domain: 'shop.example', secure: true, sameSite: 'None', partitioned: true };
    expect(setCookie(embedded, []).value).toBe(
      'perch=%REQ(x-request-id)%; Max-Age=34560000; Path=/; Domain=shop.example; Secure; HttpOnly; SameSite=None; Partitioned',
    );
  });

  it('has its percent signs doubled, which Envoy would read as a command', () => {
    const { cookie } = releaseOf().spec.visitorId;
    expect(issuingSetCookie({ ...cookie, path: '/50%' }, false)).toContain('=%REQ(x-request-id)%; Max-Age=34560000; Path=/50%%;');
  });

  it('is warned of where browsers would drop it', () => {
    expect(setCookie({ name: '__Host-perch' }, [gatewayOf('HTTP')]).codes).toEqual(['PERCH2013']);
    expect(setCookie({ name: '__Host-perch' }, [gatewayOf('HTTPS')]).codes).toEqual([]);
    expect(setCookie({ partitioned: true }, [gatewayOf('HTTP')]).codes).toEqual(['PERCH2013']);
    expect(setCookie({ partitioned: true }, [gatewayOf('HTTPS')]).codes).toEqual([]);
  });

  it('is warned of where its domain is not that of a host at which it is issued', () => {
    const warnings = (domain: string, hosts: readonly string[]) => {
      const release = releaseOf({ visitorId: { cookie: { domain } } });
      const input = edgeInput([{ route: [{ destination: { host: 'web' } }] }], { release, gateways: [gatewayOf('HTTP')] });
      const spec = { ...(input.routed.spec as object), hosts };
      const { diagnostics } = weaveRelease({ ...input, routed: { ...input.routed, spec } });
      return diagnostics.map(({ code, path, message }) => `${code} ${path}: ${message}`);
    };
    const warned = (hosts: string) => [
      `PERCH2013 spec.visitorId.cookie.domain: browsers drop the cookie perch: its domain is shop.example, and VirtualService default/web issues it at ${hosts} too`,
    ];
    for (const covered of [['shop.example'], ['www.shop.example', 'shop.example'], ['*.shop.example'], ['*']]) {
      expect(warnings('shop.example', covered)).toEqual([]);
    }
    expect(warnings('shop.example', ['myshop.example', 'shop.example'])).toEqual(warned('myshop.example'));
    expect(warnings('shop.example', ['*.example'])).toEqual(warned('*.example'));
    expect(warnings('shop.example', ['a.org', 'b.org', 'c.org', 'd.org', 'shop.example'])).toEqual(
      warned('a.org, b.org, c.org and 1 more'),
    );
  });
});

describe('the cookie of a choice', () => {
  it('has the attributes of the visitor id’s, percent signs doubled, and its own age; below 0 it is forgotten', () => {
    const { cookie: given } = releaseOf({ visitorId: { cookie: { domain: 'shop.example' } } }).spec.visitorId;
    const cookie = { ...given, path: '/50%' };
    const chosen = { name: 'perch-opt-web', value: 'canary-1', maxAge: 60 };
    expect(choosingSetCookie(chosen, cookie, true)).toBe(
      'perch-opt-web=canary-1; Max-Age=60; Path=/50%%; Domain=shop.example; Secure; HttpOnly; SameSite=Lax',
    );
    expect(choosingSetCookie({ ...chosen, maxAge: -1 }, { ...cookie, domain: undefined, httpOnly: false }, false)).toBe(
      'perch-opt-web=canary-1; Max-Age=-1; Path=/50%%; SameSite=Lax',
    );
  });
});

describe('the cookie of the canary', () => {
  const cookie = { name: 'web-canary', value: 'v2', maxAge: 21_600 };

  it('lives at least a second; it is taken back with the path that it was set with', () => {
    expect(canarySetCookie(cookie, undefined)).toBe('web-canary=v2; Max-Age=21600');
    expect(canarySetCookie({ ...cookie, maxAge: 0 }, '/')).toBe('web-canary=v2; Max-Age=1; Path=/');
    expect(expiringSetCookie(cookie, undefined)).toBe('web-canary=v2; Max-Age=-1');
    expect(expiringSetCookie(cookie, '/')).toBe('web-canary=v2; Max-Age=-1; Path=/');
  });

  it.each([
    ['web-canary=v2; Max-Age=-1', true],
    ['web-canary=v2; Max-Age=-1; Path=/', true],
    ['web-canary=v2; Max-Age=-10', false],
    ['web-canary=v2; Max-Age=1', false],
    ['web-canary=v2; Max-Age=-1x', false],
  ])('is taken back by %s: %s', (value, expected) => {
    expect(takesCookieBack(value)).toBe(expected);
  });
});

describe('what asks for Secure', () => {
  const { cookie } = releaseOf().spec.visitorId;
  it.each([
    ['__Host-perch', 'name'],
    ['__SECURE-perch', 'name'],
    ['my__Host-perch', undefined],
    ['__Hostperch', undefined],
  ])('the name %s: %s', (name, field) => {
    expect(needsSecure({ ...cookie, name })?.field).toBe(field);
  });
});

describe('Max-Age', () => {
  it.each([
    ['1h30m', 5400],
    ['1500ms', 2],
    ['1ms', 1],
    ['0s', 1],
    ['no duration', 1],
  ])('of %s is %i s', (duration, seconds) => {
    expect(maxAgeSeconds(duration)).toBe(seconds);
  });
});
