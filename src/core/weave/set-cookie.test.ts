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
  });

  it('has its percent signs doubled, which Envoy would read as a command', () => {
    const { cookie } = releaseOf().spec.visitorId;
    expect(issuingSetCookie({ ...cookie, path: '/50%' }, false)).toContain('=%REQ(x-request-id)%; Max-Age=34560000; Path=/50%%;');
  });

  it('is warned of where browsers would drop it', () => {
    expect(setCookie({ name: '__Host-perch' }, [gatewayOf('HTTP')]).codes).toEqual(['PERCH2013']);
    expect(setCookie({ name: '__Host-perch' }, [gatewayOf('HTTPS')]).codes).toEqual([]);
  });
});
