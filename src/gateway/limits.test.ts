import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, LIMIT_NAMES, LIMIT_SPECS, type LimitSpec, withDefaults } from './limits.ts';

const SPECS = LIMIT_NAMES.map((name): [string, LimitSpec] => [name, LIMIT_SPECS[name]]);

describe.each(SPECS)('%s', (name, spec) => {
  it('has its default within its bounds, says its unit in its name, and means something', () => {
    expect(spec.default).toBeGreaterThanOrEqual(spec.minimum);
    expect(spec.default).toBeLessThanOrEqual(spec.maximum);
    const unit = name.endsWith('Bytes') ? 'bytes' : name.endsWith('Ms') ? 'ms' : 'count';
    expect(spec.unit).toBe(unit);
    expect(spec.means).toMatch(/^[A-Z0-9].{20,}[^.]\.$/s);
  });

  it('is accepted from its minimum to its maximum, and no further', () => {
    expect(withDefaults({ [name]: spec.minimum })).toEqual({ ...DEFAULT_LIMITS, [name]: spec.minimum });
    expect(withDefaults({ [name]: spec.maximum })).toEqual({ ...DEFAULT_LIMITS, [name]: spec.maximum });
    for (const value of [spec.minimum - 1, spec.maximum + 1, spec.minimum + 0.5, Number.NaN]) {
      expect(() => withDefaults({ [name]: value })).toThrow(RangeError);
    }
  });
});
