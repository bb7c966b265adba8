import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { edgeInput, gatewayOf, releaseOf, rulesOf } from './fixtures.cases.ts';
import { issuingSetCookie } from './set-cookie.ts';
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
