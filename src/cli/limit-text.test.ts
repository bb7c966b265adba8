import { describe, expect, it } from 'vitest';
import { LIMIT_NAMES, LIMIT_SPECS, type LimitSpec } from '../gateway/limits.ts';
import { formatLimit, readLimit } from './limit-text.ts';

it.each(LIMIT_NAMES)('%s is read as it is written', (name) => {
  const spec: LimitSpec = LIMIT_SPECS[name];
  for (const value of [spec.minimum, spec.default, spec.maximum]) {
    expect(readLimit(`${name}=${formatLimit(spec.unit, value)}`)).toEqual({ name, value });
    expect(readLimit(`${name}=${value}`)).toEqual({ name, value });
  }
});

describe('a limit in text', () => {
  it.each([
    ['requestHeadBytes=64KiB', 65_536],
    ['requestHeadBytes=1MiB', 1_048_576],
    ['requestHeadBytes=2048B', 2048],
    ['requestHeadBytes=2048', 2048],
    ['clientIdleMs=5m', 300_000],
    ['clientIdleMs=1m15s', 75_000],
    ['clientIdleMs=1500', 1500],
    ['interimResponses=16', 16],
  ])('%s', (text, value) => {
    expect(readLimit(text)).toEqual({ name: text.slice(0, text.indexOf('=')), value });
  });

  it.each([
    ['', 'It is not NAME=VALUE, such as requestHeadBytes=64KiB.'],
    ['requestHeadBytes', 'It is not NAME=VALUE, such as requestHeadBytes=64KiB.'],
    ['=64KiB', 'It is not NAME=VALUE, such as requestHeadBytes=64KiB.'],
    ['requestHeadByte=64KiB', 'There is no limit requestHeadByte: did you mean requestHeadBytes?'],
    ['requestheadbytes=64KiB', 'There is no limit requestheadbytes: did you mean requestHeadBytes?'],
    ['colour=blue', 'There is no limit colour: docs/reference/gateway-limits.md lists them'],
    ['requestHeadBytes=', 'requestHeadBytes takes a size such as 64KiB, 1MiB or 4096.'],
    ['requestHeadBytes=64kb', 'requestHeadBytes takes a size such as 64KiB, 1MiB or 4096.'],
    ['requestHeadBytes=1.5MiB', 'requestHeadBytes takes a size such as 64KiB, 1MiB or 4096.'],
    ['requestHeadBytes=-1', 'requestHeadBytes takes a size such as 64KiB, 1MiB or 4096.'],
    ['requestHeadBytes=60s', 'requestHeadBytes takes a size such as 64KiB, 1MiB or 4096.'],
    ['clientIdleMs=5 m', 'clientIdleMs takes a duration such as 500ms, 20s or 5m.'],
    ['clientIdleMs=1KiB', 'clientIdleMs takes a duration such as 500ms, 20s or 5m.'],
    ['interimResponses=1KiB', 'interimResponses takes a whole number.'],
    ['interimResponses=0x10', 'interimResponses takes a whole number.'],
    ['interimResponses=1=2', 'interimResponses takes a whole number.'],
    ['requestHeadBytes=1B', 'requestHeadBytes must be from 1KiB to 1MiB.'],
    ['clientIdleMs=75', 'clientIdleMs must be from 100ms to 1d.'],
    ['clientIdleMs=99999999999999999999', 'clientIdleMs must be from 100ms to 1d.'],
    ['interimResponses=0', 'interimResponses must be from 1 to 1000.'],
  ])('%s is refused with the remedy', (text, problem) => {
    expect(readLimit(text)).toEqual({ problem });
  });
});
