import { type Finding, valueAt } from '../source/finding.ts';
import { isMapping } from '../source/kube-object.ts';
import { cookieAgeFindings } from './duration-rules.ts';

/**
 * What browsers demand of the visitor id's cookie, as far as the spec alone shows it (RFC 6265bis sections 4.1.3 and 5.7; CHIPS): each
 * contradiction once, at the field to change. Whether a cookie is secure that does not say so, and which hosts issue, only weaving knows.
 */
export function cookieRules(spec: unknown): readonly Finding[] {
  const cookie = valueAt(spec, ['visitorId', 'cookie']);
  if (!isMapping(cookie)) return [];
  const base = ['spec', 'visitorId', 'cookie'];
  const { name = 'perch', path = '/', domain, secure, sameSite = 'Lax', partitioned, maxAge } = cookie;
  const findings: Finding[] = [];
  const contradiction = (field: string, message: string, hint: string) => {
    findings.push({ code: 'PERCH1206', path: [...base, field], message, hint });
  };
  if (sameSite === 'None' && secure !== true) {
    contradiction('sameSite', 'browsers drop a cookie with sameSite None that is not secure', 'add secure: true, or use sameSite: Lax');
  }
  // Browsers compare the prefixes without regard to case.
  const lowerName = typeof name === 'string' ? name.toLowerCase() : '';
  const prefix = ['__host-', '__secure-'].find((each) => lowerName.startsWith(each));
  if (prefix !== undefined && secure === false) {
    contradiction('secure', `browsers drop a cookie named ${String(name)} that is not secure`, 'use secure: true, or another name');
  } else if (partitioned === true && secure === false) {
    contradiction('secure', 'browsers drop a partitioned cookie that is not secure', 'use secure: true, or take partitioned out');
  }
  if (prefix === '__host-' && path !== '/') {
    contradiction('path', `browsers drop a cookie named ${String(name)} whose path is not /`, 'use path: /, or another name');
  }
  if (prefix === '__host-' && domain !== undefined) {
    contradiction('domain', `browsers drop a cookie named ${String(name)} that has a domain`, 'take domain out, or use another name');
  } else if (typeof domain === 'string' && /^[a-z0-9-]+$/.test(domain)) {
    const message = `browsers drop a cookie with the domain ${domain}: a name without a dot is nobody’s own`;
    contradiction('domain', message, 'name a domain such as shop.example, or take domain out');
  }
  findings.push(...cookieAgeFindings(maxAge, [...base, 'maxAge']));
  return findings;
}
