import { expect, test } from 'vitest';
import { addressLines } from './address-lines.ts';

test('both loopbacks at one port are localhost; the declared port is told where it is another', () => {
  const lines = addressLines([
    { kind: 'ingress', port: 8080, address: '127.0.0.1', actualPort: 8080, tls: false },
    { kind: 'ingress', port: 8080, address: '::1', actualPort: 8080, tls: false },
    { kind: 'mesh', port: 9080, address: '127.0.0.1', actualPort: 19080, tls: false },
    { kind: 'mesh', port: 9080, address: '::1', actualPort: 19080, tls: false },
    { kind: 'proxy', port: 0, address: '127.0.0.1', actualPort: 15080, tls: false },
    { kind: 'proxy', port: 0, address: '::1', actualPort: 15080, tls: false },
  ]);
  expect(lines).toEqual([
    'ingress   http://localhost:8080',
    'mesh      http://localhost:19080   (declared 9080)',
    'proxy     http://localhost:15080',
  ]);
});

test('a machine without IPv6, and an address of its own', () => {
  const lines = addressLines([
    { kind: 'mesh', port: 9080, address: '127.0.0.1', actualPort: 9080, tls: false },
    { kind: 'ingress', port: 80, address: 'fd00::1', actualPort: 80, tls: false },
  ]);
  expect(lines).toEqual(['mesh      http://127.0.0.1:9080', 'ingress   http://[fd00::1]:80']);
});
